/** What a person needs to recognise a signer. */

import type { WriterScheme } from '../native/signature-binding.ts';
import { type CertificateInfo, certificateInfo } from '../recipients/certificate-info.ts';

/** A signer as a file, or a file of certificates, names it. */
export interface SignerInfo {
  /** SHA-256 of the DER SubjectPublicKeyInfo, lower-case hexadecimal. */
  keyId: string;
  /** Such as `ECDSA-P256-SHA256`. */
  algorithm: string;
  /** Null for a bare public key. */
  certificate: CertificateInfo | null;
}

/** The signer of a file that was read. */
export interface FileSigner extends SignerInfo {
  /**
   * Whether the key is one of `requireSigner`. Otherwise the signature only shows that the file is as its signer made
   * it: who that is the file claims, and anybody can make a key and a certificate with any name.
   */
  trusted: boolean;
  /**
   * How much of the signature was verified.
   * - `verified`: all of it. The whole content is the signer's.
   * - `opening-only`: what stands before the body. The signer began this file; whoever can open it could have altered
   *   or ended it otherwise. So it is with parts of a file, and with one whose end is missing.
   */
  content: 'verified' | 'opening-only';
}

const ALGORITHM_NAMES: Record<WriterScheme, string> = {
  'ecdsa-p256-sha256': 'ECDSA-P256-SHA256',
  'ecdsa-p384-sha384': 'ECDSA-P384-SHA384',
  'pss-sha256': 'RSA-PSS-SHA256',
};

/** @param certificate As native code and file headers hold it. */
export function signerInfo(
  keyId: string,
  scheme: WriterScheme,
  certificate: Parameters<typeof certificateInfo>[0] | null,
): SignerInfo {
  return { keyId, algorithm: ALGORITHM_NAMES[scheme], certificate: certificate && certificateInfo(certificate) };
}
