/** A certificate authority made with the real `openssl`, as one that answers certificate requests. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { openssl } from './keys.ts';
import { tempDir } from './temp.ts';

export class Authority {
  readonly #folder = tempDir();
  readonly certificate = join(this.#folder, 'ca.crt');
  readonly #key = join(this.#folder, 'ca.key');

  constructor() {
    const key = ['-newkey', 'rsa:2048', '-nodes', '-keyout', this.#key];
    openssl('req', '-x509', ...key, '-subj', '/O=Vendor/CN=Licensing', '-days', '30', '-out', this.certificate);
  }

  /** Signs a request; `days` may be negative for a certificate that has expired. */
  sign(request: string, days = 30): string {
    const path = join(tempDir(), 'license.crt');
    const issuer = ['-CA', this.certificate, '-CAkey', this.#key, '-CAcreateserial', '-sha256'];
    openssl('x509', '-req', '-in', request, ...issuer, '-days', String(days), '-out', path);
    if (!existsSync(path)) throw new Error('openssl signed nothing');
    return path;
  }

  /** Whether openssl finds that the certificate is one of this authority. */
  verifies(certificate: string): boolean {
    return openssl('verify', '-CAfile', this.certificate, certificate).toString().includes(': OK');
  }
}
