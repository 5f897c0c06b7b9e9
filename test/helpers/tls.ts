/** Server certificates from a CA of the test's own, made by the real `openssl`. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openssl } from './keys.ts';
import { tempDir } from './temp.ts';

export interface TestCa {
  /** File of its certificate. */
  readonly path: string;
  /** A server certificate and its key as PEM. @param names such as `DNS:localhost` or `IP:127.0.0.1`. */
  issue(...names: string[]): { certificate: string; key: string };
}

const NEW_KEY = ['-newkey', 'rsa:2048', '-nodes'];

export function makeCa(name: string): TestCa {
  const directory = tempDir();
  const file = (base: string) => join(directory, base);
  const [path, caKey] = [file('ca.crt'), file('ca.key')];
  openssl('req', '-x509', ...NEW_KEY, '-subj', `/CN=${name}`, '-days', '2', '-keyout', caKey, '-out', path);
  return {
    path,
    issue(...names) {
      const [request, key, certificate, extensions] = ['csr', 'key', 'crt', 'ext'].map((end) =>
        file(`server.${end}`),
      ) as [string, string, string, string];
      writeFileSync(extensions, `subjectAltName=${names.join(',')}\n`);
      openssl('req', '-new', ...NEW_KEY, '-subj', '/CN=server', '-keyout', key, '-out', request);
      const issuer = ['-CA', path, '-CAkey', caKey, '-CAcreateserial', '-days', '2', '-extfile', extensions];
      openssl('x509', '-req', '-in', request, ...issuer, '-out', certificate);
      return { certificate: readFileSync(certificate, 'utf8'), key: readFileSync(key, 'utf8') };
    },
  };
}
