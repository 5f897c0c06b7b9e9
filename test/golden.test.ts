/** Every file that a released format version has written opens, with everything that opens files, and gives what it always gave. */

import { createHash, createPrivateKey, type KeyObject } from 'node:crypto';
import { chmodSync, copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';

import { inspect, KeyRing, Passphrase, whichKey } from '../lib/index.ts';
import { contentOf } from './golden/content.ts';
import { type GoldenFile, readManifest } from './golden/manifest.ts';
import { expectOpens } from './helpers/every-way.ts';
import { anotherHost, openHierarchy } from './helpers/hierarchy.ts';
import { readKeyVectors } from './helpers/key-vectors.ts';
import { openssl } from './helpers/keys.ts';
import { tempDir } from './helpers/temp.ts';
import { decodeCallFile } from './independent-decoder.ts';

const GOLDEN = fileURLToPath(new URL('golden/', import.meta.url));
const VERSIONS = readdirSync(GOLDEN, { withFileTypes: true }).flatMap((entry) =>
  entry.isDirectory() ? [entry.name] : [],
);
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

it('there is a folder for every format version', () => {
  expect(VERSIONS).toEqual(['v1']);
});

describe.each(VERSIONS)('%s', (version) => {
  const manifest = readManifest(version);
  const pathOf = (file: string): string => join(GOLDEN, version, file);
  const rings = new Map<string, KeyRing>();
  const keys = new Map<string, KeyObject>();

  beforeAll(() => {
    for (const [name, { file, passphrase }] of Object.entries(manifest.keys)) {
      const path = pathOf(file);
      const given = passphrase === null ? [] : [Passphrase.fromBytes(Buffer.from(passphrase))];
      rings.set(name, new KeyRing([path], { passphrases: given }));
      keys.set(name, nodeKey(path, passphrase));
    }
  });

  it('is what it was when it was made', () => {
    const listed = [...manifest.files, ...Object.values(manifest.keys)].map(({ file }) => file);
    expect(readdirSync(join(GOLDEN, version)).sort()).toEqual([...listed, 'keys.db', 'manifest.json'].sort());
    for (const { file, sha256: expected } of manifest.files) expect(sha256(readFileSync(pathOf(file)))).toBe(expected);
    expect(sha256(readFileSync(pathOf('keys.db')))).toBe(manifest.keysSha256);
  });

  describe.each(manifest.files)('$file', (golden: GoldenFile) => {
    const sealed = readFileSync(pathOf(golden.file));
    const plaintext = contentOf(golden.file.replace('.sealed', ''), golden.plaintextBytes);

    it('opens for each of its recipients in every way, and for nobody else', async () => {
      expect(sha256(plaintext)).toBe(golden.plaintextSha256);
      for (const name of golden.opens) await expectOpens(sealed, rings.get(name)!, plaintext);
      const { opens } = await whichKey(pathOf(golden.file), { keys: [...rings.values()] });
      const names = [...rings.keys()];
      expect(opens.map(({ ring }) => names[ring]).sort()).toEqual([...golden.opens].sort());
    });

    it('opens with the independent decoder', () => {
      for (const name of golden.opens) {
        const decoded = decodeCallFile(sealed, keys.get(name)!);
        expect(decoded.plaintext.equals(plaintext)).toBe(true);
        expect([decoded.segmentLength, decoded.segments]).toEqual([golden.segmentLength, golden.segments]);
      }
    });

    it('says the same of itself without a key', async () => {
      const { recipients, segmentLength, segments, plaintextBytes, complete } = await inspect(pathOf(golden.file));
      const { segmentLength: length, segments: count, plaintextBytes: bytes } = golden;
      expect([segmentLength, segments, plaintextBytes, complete]).toEqual([length, count, bytes, true]);
      const described = recipients.map(({ keyId, certificate }) => ({
        keyId,
        certificate: certificate && {
          sha256: certificate.sha256,
          serial: certificate.serial,
          subject: certificate.subject,
          issuer: certificate.issuer,
        },
      }));
      expect(described).toEqual(golden.recipients);
    });
  });

  it('keys.db opens, and every record under it', async () => {
    const { installationKey, records, audit } = readKeyVectors();
    const dir = tempDir();
    const store = join(dir, 'keys.db');
    copyFileSync(pathOf('keys.db'), store);
    chmodSync(store, 0o600); // whatever the checkout made of it
    const key = join(dir, 'installation.key');
    writeFileSync(key, installationKey, { mode: 0o600 });
    const hierarchy = await openHierarchy({
      store: `sqlite:${store}`,
      stateDirectory: anotherHost(),
      installation: { key },
      create: false,
    });
    expect(await hierarchy.audit.verify()).toEqual({ entries: audit.length });
    for (const { area, entity, plaintext, record } of records) {
      expect(Buffer.from(await hierarchy.unprotect(area, entity, record)).equals(plaintext)).toBe(true);
    }
  });
});

/** As Node reads it; it does not read PKCS#12. */
function nodeKey(path: string, passphrase: string | null): KeyObject {
  if (path.endsWith('.p12')) {
    return createPrivateKey(openssl('pkcs12', '-in', path, '-nocerts', '-noenc', '-passin', `pass:${passphrase}`));
  }
  return createPrivateKey({ key: readFileSync(path), ...(passphrase !== null && { passphrase }) });
}
