/** docs/signature-vectors.json: signed files, frozen. What any release wrote, every release reads. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

import { createDecryptStream, decrypt, decryptFile, inspect, KeyRing, loadSigners } from '../lib/index.ts';
import { openssl } from './helpers/keys.ts';
import { through } from './helpers/streams.ts';
import { tempDir } from './helpers/temp.ts';
import { decodeCallFile } from './independent-decoder.ts';

interface Vectors {
  privateKey: string[];
  files: { algorithm: string; certificate: string[] | null; signer: string[]; plaintext: string; file: string }[];
}

const path = new URL('../docs/signature-vectors.json', import.meta.url);
const vectors: Vectors = JSON.parse(readFileSync(path, 'utf8'));
const pem = (lines: string[]) => `${lines.join('\n')}\n`;

it('there is one of every algorithm', () => {
  const names = vectors.files.map(({ algorithm }) => algorithm);
  expect(names).toEqual(['ECDSA-P256-SHA256', 'ECDSA-P384-SHA384', 'RSA-PSS-SHA256']);
});

describe.each(vectors.files)('the file signed with $algorithm', (vector) => {
  const file = Buffer.from(vector.file, 'hex');
  const plaintext = Buffer.from(vector.plaintext, 'hex');
  const dir = tempDir();
  let keys: KeyRing;

  beforeAll(() => {
    writeFileSync(join(dir, 'my.key'), pem(vectors.privateKey));
    writeFileSync(join(dir, 'signer.pem'), pem(vector.signer));
    writeFileSync(join(dir, 'sealed'), file);
    keys = new KeyRing([join(dir, 'my.key')]);
  });

  it('opens from every source, with its signer required', async () => {
    const options = { keys, requireSigner: await loadSigners([join(dir, 'signer.pem')]) };
    expect(Buffer.from(await decrypt(file, options)).equals(plaintext)).toBe(true);
    expect((await through(createDecryptStream(options), file, 100)).equals(plaintext)).toBe(true);
    const { signer } = await decryptFile(join(dir, 'sealed'), join(dir, 'opened'), options);
    expect(readFileSync(join(dir, 'opened')).equals(plaintext)).toBe(true);
    expect(signer).toMatchObject({ algorithm: vector.algorithm, trusted: true });
  });

  it('is decoded from the page alone, and names its certificate', async () => {
    const decoded = decodeCallFile(file, pem(vectors.privateKey));
    expect(decoded.plaintext.equals(plaintext)).toBe(true);
    const { signer } = await inspect(file);
    expect(decoded.signer?.keyId).toBe(signer?.keyId);
    if (vector.certificate === null) {
      expect(signer?.certificate).toBeNull();
      return;
    }
    writeFileSync(join(dir, 'host.crt'), pem(vector.certificate));
    const print = `${openssl('x509', '-in', join(dir, 'host.crt'), '-noout', '-fingerprint', '-sha256')}`;
    expect(print.replaceAll(':', '').toLowerCase()).toContain(signer?.certificate?.sha256);
  });
});
