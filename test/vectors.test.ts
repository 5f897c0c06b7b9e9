/** Every outside vector there is, file by file. */

import { relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { vectorFiles } from '../scripts/vectors/run.mjs';
import { haveNistVectors, haveOutsideVectors, NIST_VECTORS, OUTSIDE_VECTORS, run } from './helpers/vectors.ts';

/** Folders of the Debian package that hold what Callseal does. */
const NIST_FOLDERS = [
  'ciphers/AES/GCM',
  'ciphers/AES/CBC',
  'ciphers/3DES/CBC',
  'keywrap',
  'KDF',
  'HMAC',
  'asymmetric/RSA',
  'asymmetric/PKCS8',
  'asymmetric/PEM_Serialization',
  'asymmetric/DER_Serialization',
  'asymmetric/Traditional_OpenSSL_Serialization',
  'pkcs12',
];

/** Files in them that hold something else: other derivations, key generation, intermediate values, public keys. */
const NOT_FOR_US =
  /(ansx963|PBKDF2|scrypt|KeyGenRSA|-int\.txt|dsaparam|_pub\.der|pub\.(pem|der)|public_key(_\w+)?\.(pem|der))/;

/** Algorithms that Callseal does not use: every case of such a file must say so. */
const UNUSED =
  /(TCBCI|TKW_|md5|ripemd160|Sig(Gen|Ver)RSA|pkcs1v15crypt|ec_oid_not_in_reg|nodompar|PKCS8\/private\.pem)/;

describe('Wycheproof and FLOE', () => {
  if (!haveOutsideVectors) {
    test.skip(`${OUTSIDE_VECTORS} does not exist: Wycheproof and FLOE vectors were not run`);
    return;
  }
  test.each(named(vectorFiles([OUTSIDE_VECTORS]), OUTSIDE_VECTORS))('%s', async (_name, path) => {
    const { passed, failures } = await run(path);
    expect(failures).toEqual([]);
    expect(passed).toBeGreaterThan(0);
  });
});

describe('NIST CAVP, PKCS #1, RFC and key files', () => {
  if (!haveNistVectors) {
    test.skip(`${NIST_VECTORS} does not exist (set-up fetches it): NIST's vectors were not run`);
    return;
  }
  const files = vectorFiles(NIST_FOLDERS.map((folder) => `${NIST_VECTORS}/${folder}`));
  const ours = files.filter((path) => !NOT_FOR_US.test(path));
  test.each(named(ours, NIST_VECTORS))('%s', async (name, path) => {
    const { passed, failures, notApplicable } = await run(path);
    expect(failures).toEqual([]);
    if (UNUSED.test(name)) {
      expect(passed).toBe(0);
      expect(notApplicable.size).toBeGreaterThan(0);
    } else {
      expect(passed).toBeGreaterThan(0);
    }
  });
});

function named(paths: string[], folder: string): [name: string, path: string][] {
  return paths.map((path) => [relative(folder, path), path]);
}
