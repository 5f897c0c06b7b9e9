/** What a person needs to recognise a certificate, wherever it was read. */

import { hex } from '../hex.ts';

/** What is known of a certificate. Times are its own; nothing of it was checked against an authority. */
export interface CertificateInfo {
  /** RFC 4514 text, such as `CN=MyCompany,O=MyCompany,C=US`. */
  subject: string;
  issuer: string;
  /** Lower-case hexadecimal. */
  serial: string;
  notBefore: Date;
  notAfter: Date;
  /** SHA-256 of the DER certificate in lower-case hexadecimal. */
  sha256: string;
}

/** The same as native code and file headers hold it: numbers big-endian, times in seconds since 1970. */
interface CertificateBytes {
  readonly subject: string;
  readonly issuer: string;
  readonly serial: Uint8Array;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly sha256: Uint8Array;
}

export function certificateInfo(certificate: CertificateBytes): CertificateInfo {
  return {
    subject: certificate.subject,
    issuer: certificate.issuer,
    // Without leading zero bytes, the serial number 0 has none at all.
    serial: hex(certificate.serial) || '00',
    notBefore: new Date(certificate.notBefore * 1000),
    notAfter: new Date(certificate.notAfter * 1000),
    sha256: hex(certificate.sha256),
  };
}
