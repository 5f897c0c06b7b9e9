/** What a partner does who has nothing but `openssl cms`. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { KeyPair } from './keys.ts';
import { openssl } from './keys.ts';
import { tempDir } from './temp.ts';

const OAEP = ['-keyopt', 'rsa_padding_mode:oaep', '-keyopt', 'rsa_oaep_md:sha256'];

export type CmsEncoding = 'DER' | 'PEM';

export interface PartnerOptions {
  form?: CmsEncoding | 'SMIME';
  /** Indefinite lengths, the content in pieces. */
  stream?: boolean;
  /** `-aes-256-gcm` unless it says otherwise. */
  cipher?: string;
  /** Put behind each `-recip`, in place of OAEP with SHA-256. */
  keyOptions?: readonly string[];
  /** Names recipients by their key identifier. */
  keyId?: boolean;
}

/** `openssl cms -encrypt`. Returns the path of the message. */
export function partnerEncrypts(plain: string, certificates: readonly string[], options: PartnerOptions = {}): string {
  const { form = 'DER', stream = false, cipher = '-aes-256-gcm', keyOptions = OAEP, keyId = false } = options;
  const output = join(tempDir(), 'message.cms');
  const flags = ['-binary', cipher, ...(stream ? ['-stream'] : []), ...(keyId ? ['-keyid'] : [])];
  const recipients = certificates.flatMap((path) => ['-recip', path, ...keyOptions]);
  openssl('cms', '-encrypt', ...flags, '-in', plain, '-outform', form, '-out', output, ...recipients);
  return output;
}

/** `openssl cms -decrypt`, as docs/operations.md tells it. */
export function partnerDecrypts(
  message: string,
  { certificate, privateKey }: KeyPair,
  form: CmsEncoding = 'DER',
): Buffer {
  const output = join(tempDir(), 'plain');
  const key = ['-recip', certificate, '-inkey', privateKey];
  openssl('cms', '-decrypt', '-binary', '-inform', form, '-in', message, ...key, '-out', output);
  return readFileSync(output);
}
