/** A recipient as people see it, the same in inspect and `config check`. */

import type { CertificateInfo } from '../recipients/certificate-info.ts';
import { formatValidity, safe } from './text.ts';

/** What both a file's header and a certificate file tell of a recipient. */
export interface ShownRecipient {
  keyId: string;
  bits: number;
  certificate: CertificateInfo | null;
}

/** Lines of `name  value`; the first names the recipient. Safe for a terminal. */
export function recipientLines({ keyId, bits, certificate }: ShownRecipient, now: Date): string[] {
  if (certificate === null) {
    return [`a bare public key, RSA ${bits} bits (no name, no expiry)`, field('key id', keyId)];
  }
  const { subject, issuer, serial, notBefore, notAfter, sha256 } = certificate;
  return [
    safe(subject) || '(no subject)',
    field('issuer', issuer === subject ? 'itself' : safe(issuer)),
    field('serial', serial),
    field('key', `RSA ${bits} bits, ${formatValidity(notBefore, notAfter, now)}`),
    field('sha256', sha256),
    field('key id', keyId),
  ];
}

/** One line, for lists. */
export function recipientLine({ bits, certificate }: ShownRecipient, now: Date): string {
  if (certificate === null) return `bare public key, RSA ${bits} bits, no expiry`;
  const { subject, notBefore, notAfter } = certificate;
  return `${safe(subject) || '(no subject)'}, RSA ${bits} bits, ${formatValidity(notBefore, notAfter, now)}`;
}

/** `name      value`, aligned. */
export function field(name: string, value: string): string {
  return `${name.padEnd(8)} ${value}`;
}
