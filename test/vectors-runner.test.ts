/** The vectors runner itself: what it must notice, and its command line. */

import { spawnSync } from 'node:child_process';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { tempDir } from './helpers/temp.ts';
import { haveNistVectors, haveOutsideVectors, NIST_VECTORS, OUTSIDE_VECTORS, run } from './helpers/vectors.ts';

const SCRIPT = fileURLToPath(new URL('../scripts/vectors.mjs', import.meta.url));

interface Wycheproof {
  algorithm: string;
  numberOfTests: number;
  testGroups: { type: string; tests: { tcId: number; result: string; [field: string]: unknown }[] }[];
}

/** First count of NIST's CBCMCT128.rsp. */
const MONTE_CARLO = `# CAVS 11.1
# AESVS MCT test data for CBC

[ENCRYPT]

COUNT = 0
KEY = 8809e7dd3a959ee5d8dbb13f501f2274
IV = e5c0bb535d7d54572ad06d170a0e58ae
PLAINTEXT = 1fd4ee65603e6130cfc2a82ab3d56c24
CIPHERTEXT = b127a5b4c4692d87483db0c3b0d11e64
`;

describe.skipIf(!haveOutsideVectors)(
  titled('Wycheproof and FLOE files, changed', haveOutsideVectors, OUTSIDE_VECTORS),
  () => {
    /** Field of each file that, changed by a bit, makes a valid case invalid. */
    const FILES = [
      ['aes_gcm_test', 'ct'],
      ['aes_gcm_test', 'tag'],
      ['aes_kwp_test', 'ct'],
      ['hmac_sha256_test', 'tag'],
      ['rsa_oaep_2048_sha256_mgf1sha256_test', 'ct'],
      ['rsa_pss_2048_sha256_mgf1_32_test', 'sig'],
      ['rsa_signature_2048_sha256_test', 'sig'],
    ] as const;

    test.each(FILES)('%s: one byte of a valid case’s %s is noticed', async (name, field) => {
      const { file, tests } = read(name);
      const valid = tests.find((one) => one.result === 'valid' && String(one[field]).length > 0);
      valid![field] = flipped(String(valid![field]));
      const { failures } = await run(write(file));
      expect(failures).toHaveLength(1);
      expect(failures[0]!.name).toContain(`tcId ${valid!.tcId}`);
    });

    test.each([...new Set(FILES.map(([name]) => name))])('%s: the product’s own code takes part', async (name) => {
      const { passed, byProduct } = await run(join(OUTSIDE_VECTORS, 'wycheproof', `${name}.json`));
      expect(byProduct).toBeGreaterThan(0);
      expect(byProduct).toBeLessThanOrEqual(passed);
    });

    test.each(FILES)('%s: a case that claims the wrong result is noticed', async (name) => {
      const { file, tests } = read(name);
      const wrong = [tests.find((one) => one.result === 'valid'), tests.find((one) => one.result === 'invalid')];
      for (const one of wrong) one!.result = one!.result === 'valid' ? 'invalid' : 'valid';
      const { failures } = await run(write(file));
      expect(failures.map((failure) => failure.name.split(' ')[1])).toEqual(
        wrong.map((one) => String(one!.tcId)).sort((a, b) => Number(a) - Number(b)),
      );
    });

    test('a case that is missing is noticed', async () => {
      const { file } = read('hmac_sha256_test');
      file.testGroups[0]!.tests.pop();
      const { failures } = await run(write(file));
      expect(failures.map(({ name }) => name)).toEqual(['the file']);
    });

    test('an unknown result, a missing field and broken hexadecimal are failures', async () => {
      const { file, tests } = read('aes_gcm_test');
      tests[0]!.result = 'perhaps';
      delete tests[1]!.iv;
      tests[2]!.ct = 'abc';
      expect((await run(write(file))).failures).toHaveLength(3);
    });

    test('groups and algorithms that are not known are counted as not applicable', async () => {
      const { file, tests } = read('hmac_sha256_test');
      for (const group of file.testGroups) group.type = 'NewTest';
      const unknownGroups = await run(write(file));
      file.algorithm = 'AES-CMAC';
      const unknownAlgorithm = await run(write(file));
      for (const { passed, failures, notApplicable } of [unknownGroups, unknownAlgorithm]) {
        expect([passed, failures, [...notApplicable.values()]]).toEqual([0, [], [tests.length]]);
      }
    });

    test('one byte of a FLOE message is noticed', async () => {
      const directory = tempDir();
      const source = join(OUTSIDE_VECTORS, 'floe/go_GCM256_IV256_4K');
      const message = readFileSync(`${source}_ct.txt`, 'utf8');
      copyFileSync(`${source}_pt.txt`, join(directory, 'x_pt.txt'));
      writeFileSync(join(directory, 'x_ct.txt'), flipped(message));
      const { failures } = await run(join(directory, 'x_ct.txt'));
      expect(failures.map(({ name }) => name)).toContain('decrypts to the known plaintext');
    });

    test('the command exits 0, 1 and 2 for all passed, a failure and an unknown file', () => {
      const { file, tests } = read('hmac_sha256_test');
      const good = join(OUTSIDE_VECTORS, 'floe');
      tests[0]!.tag = flipped(String(tests[0]!.tag));
      const bad = write(file);
      const unknown = join(tempDir(), 'notes.txt');
      writeFileSync(unknown, 'nothing here\n');

      expect(command(good)).toMatchObject({
        status: 0,
        stdout: expect.stringMatching(/ 0 failed, 0 not applicable\n$/),
      });
      expect(command(bad)).toMatchObject({ status: 1, stdout: expect.stringContaining('FAILED tcId 1') });
      expect(command(good, unknown)).toMatchObject({
        status: 2,
        stdout: expect.stringContaining(`${unknown}: not recognised`),
      });
      expect(command(bad, unknown).status).toBe(1);
    });
  },
);

describe.skipIf(!haveNistVectors)(titled('NIST files, changed', haveNistVectors, NIST_VECTORS), () => {
  test.each([
    ['ciphers/AES/GCM/gcmDecrypt256.rsp', /^CT = ([0-9a-f]{8,})/m],
    ['ciphers/AES/CBC/CBCMMT256.rsp', /^CIPHERTEXT = ([0-9a-f]+)/m],
    ['ciphers/3DES/CBC/TCBCMMT3.rsp', /^PLAINTEXT = ([0-9a-f]+)/m],
    ['keywrap/kwtestvectors/KW_AE_192.txt', /^C = ([0-9a-f]+)/m],
    ['KDF/nist-800-108-KBKDF-CTR.txt', /^KO = ([0-9a-f]+)/m],
    ['KDF/rfc-5869-HKDF-SHA256.txt', /^OKM += ([0-9a-f]+)/m],
    ['HMAC/rfc-4231-sha512.txt', /^MD = ([0-9a-f]+)/m],
    ['asymmetric/RSA/oaep-custom/oaep-sha256-sha256.txt', /^# Encryption:\n([0-9a-f]+)/m],
    ['asymmetric/RSA/FIPS_186-2/SigGenPSS_186-3.rsp', /^S = ([0-9A-F]+)/m],
    ['asymmetric/RSA/FIPS_186-2/SigGen15_186-3.rsp', /^S = ([0-9a-f]+)/m],
  ] as const)('%s: one byte is noticed', async (name, field) => {
    const text = readFileSync(join(NIST_VECTORS, name), 'utf8');
    const [line, value] = field.exec(text)!;
    const path = join(tempDir(), 'changed.txt');
    writeFileSync(path, text.replace(line, line.replace(value!, flipped(value!))));
    expect((await run(path)).failures).toHaveLength(1);
  });
});

test('a Monte Carlo count is run with all its rounds', async () => {
  const path = join(tempDir(), 'CBCMCT128.rsp');
  writeFileSync(path, MONTE_CARLO);
  expect(await run(path)).toMatchObject({ algorithm: 'AES-CBC (Monte Carlo)', passed: 1, failures: [] });
  writeFileSync(path, MONTE_CARLO.replace('b127', 'b126'));
  expect(await run(path)).toMatchObject({ passed: 0, failures: [{ name: 'line 6' }] });
});

test('the command exits 2 without files and for one that does not exist', () => {
  expect(command().status).toBe(2);
  expect(command('/nonexistent.json')).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('/nonexistent.json'),
  });
});

function titled(title: string, present: boolean, folder: string): string {
  return present ? title : `${title} (not run: ${folder} does not exist)`;
}

function read(name: string) {
  const text = readFileSync(join(OUTSIDE_VECTORS, 'wycheproof', `${name}.json`), 'utf8');
  const file = JSON.parse(text) as Wycheproof;
  return { file, tests: file.testGroups.flatMap((group) => group.tests) };
}

function write(file: Wycheproof): string {
  const path = join(tempDir(), 'changed.json');
  writeFileSync(path, JSON.stringify(file));
  return path;
}

/** Hexadecimal text with the last bit of its last byte turned over. */
function flipped(text: string): string {
  const digits = text.trimEnd();
  const last = Number.parseInt(digits.slice(-1), 16) ^ 1;
  return digits.slice(0, -1) + last.toString(16);
}

function command(...args: string[]) {
  return spawnSync(process.execPath, [SCRIPT, ...args], { encoding: 'utf8' });
}
