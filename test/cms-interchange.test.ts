/** Call files to partners with plain OpenSSL, and files from them; every message is made or opened by the real one. */

import { randomBytes } from 'node:crypto';
import { copyFileSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { decrypt, encryptFile, exportCms, importCms, inspect, KeyRing, Passphrase, Recipients } from '../lib/index.ts';
import { type CmsEncoding, partnerDecrypts, partnerEncrypts } from './helpers/cms.ts';
import { codeOf, refusalOf } from './helpers/errors.ts';
import { barePublicKey, bundle, type KeyPair, makeKeyPair, openssl } from './helpers/keys.ts';
import { makeParties, type Parties } from './helpers/parties.ts';
import { tempDir } from './helpers/temp.ts';

const SIZES = [0, 1, 16, 4095, 65_536, 5 << 20];

let parties: Parties;
let partner: KeyPair;
let dir: string;

beforeAll(async () => {
  parties = await makeParties();
  partner = makeKeyPair(tempDir(), { name: 'partner' });
});

beforeEach(() => {
  dir = tempDir();
});

/** A plain file, and the call file of it. */
async function callFile(content: Buffer, segmentLength = 65_536): Promise<string> {
  const plain = join(dir, 'plain');
  const sealed = join(dir, 'call.sealed');
  writeFileSync(plain, content);
  const { recipients } = parties;
  await encryptFile(plain, sealed, { recipients, segmentLength, sync: false, overwrite: true });
  return sealed;
}

function plainFile(content: Buffer): string {
  const path = join(dir, 'plain');
  writeFileSync(path, content);
  return path;
}

async function opened(path: string, keys = parties.keys): Promise<Buffer> {
  return Buffer.from(await decrypt(readFileSync(path), { keys }));
}

const message = () => join(dir, 'call.cms');
const sealedOutput = () => join(dir, 'imported.sealed');
const importing = (extra: object = {}) => ({ ...parties, sync: false, overwrite: true, ...extra });

describe('export', () => {
  it.each(SIZES)('of %i bytes is opened by openssl, in DER and PEM', async (size) => {
    const content = randomBytes(size);
    const sealed = await callFile(content);
    const recipients = await Recipients.load([partner.certificate]);
    for (const form of ['DER', 'PEM'] satisfies CmsEncoding[]) {
      const done = await exportCms(sealed, message(), {
        keys: parties.keys,
        recipients,
        pem: form === 'PEM',
        sync: false,
        overwrite: true,
      });
      expect(done.inputBytes).toBe(statSync(sealed).size);
      expect(done.outputBytes).toBe(statSync(message()).size);
      expect(partnerDecrypts(message(), partner, form).equals(content)).toBe(true);
    }
  });

  it('is opened by each of several recipients, and by nobody else', async () => {
    const content = randomBytes(70_000);
    const sealed = await callFile(content, 4096);
    const { mary, fred, keys, stranger } = parties;
    const recipients = await Recipients.load([mary.certificate, fred.certificate, partner.certificate]);
    await exportCms(sealed, message(), { keys, recipients, sync: false });
    for (const one of [mary, fred, partner]) expect(partnerDecrypts(message(), one).equals(content)).toBe(true);
    expect(() => partnerDecrypts(message(), stranger)).toThrow(/openssl/);
  });

  it('is strict DER: OpenSSL encodes it again to the same bytes', async () => {
    const { recipients, keys } = parties;
    await exportCms(await callFile(randomBytes(300)), message(), { keys, recipients, sync: false });
    const again = openssl('cms', '-cmsout', '-inform', 'DER', '-in', message(), '-outform', 'DER');
    expect(again.equals(readFileSync(message()))).toBe(true);
  });

  it('never uses a content key or a nonce twice', async () => {
    const sealed = await callFile(Buffer.alloc(64));
    const { recipients, keys } = parties;
    const tails = new Set<string>();
    for (let i = 0; i < 8; i++) {
      await exportCms(sealed, message(), { keys, recipients, sync: false, overwrite: true });
      // Ciphertext and tag of the same content.
      tails.add(readFileSync(message()).subarray(-82).toString('hex'));
    }
    expect(tails.size).toBe(8);
  });

  it('refuses bare public keys, which CMS cannot name', async () => {
    const path = join(dir, 'bare.pem');
    writeFileSync(path, barePublicKey(partner.certificate, 'spki'));
    const recipients = await Recipients.load([path]);
    const sealed = await callFile(randomBytes(10));
    const error = await refusalOf(() => exportCms(sealed, message(), { keys: parties.keys, recipients }));
    expect(error.code).toBe('ERR_INVALID_ARGUMENT');
    expect(error.message).toMatch(/bare\.pem is a bare public key.*give the certificate/s);
  });

  it('publishes nothing of a call file that is cut or altered', async () => {
    const sealed = await callFile(randomBytes(200_000), 4096);
    const whole = readFileSync(sealed);
    const { recipients, keys } = parties;
    const refused = async (bytes: Buffer) => {
      writeFileSync(sealed, bytes);
      return codeOf(() => exportCms(sealed, message(), { keys, recipients, sync: false }));
    };
    expect(await refused(whole.subarray(0, -1))).toBe('ERR_TRUNCATED');
    expect(await refused(whole.subarray(0, -5000))).toBe('ERR_TRUNCATED');
    expect(await refused(Buffer.concat([whole, Buffer.from('x')]))).toBe('ERR_TAMPERED');
    const flipped = Buffer.from(whole);
    flipped[whole.length - 9000]! ^= 1;
    expect(await refused(flipped)).toBe('ERR_TAMPERED');
    expect(readdirSync(dir).sort()).toEqual(['call.sealed', 'plain']);
  });

  it('is not written over its input', async () => {
    const sealed = await callFile(randomBytes(10));
    const { recipients, keys } = parties;
    const before = readFileSync(sealed);
    expect(await codeOf(() => exportCms(sealed, sealed, { keys, recipients, overwrite: true }))).toBe(
      'ERR_INVALID_ARGUMENT',
    );
    expect(readFileSync(sealed).equals(before)).toBe(true);
  });
});

describe('import', () => {
  const forms = (['DER', 'PEM'] as const).flatMap((form) => [true, false].map((stream) => ({ form, stream })));

  it.each(forms)('of $form with -stream $stream gives the bytes back, whatever their number', async (form) => {
    for (const size of SIZES) {
      if (size === 0 && form.stream) continue; // openssl itself fails to write one
      const content = randomBytes(size);
      const from = partnerEncrypts(plainFile(content), [parties.mary.certificate], form);
      const done = await importCms(from, sealedOutput(), importing());
      expect(done.outputBytes).toBe(statSync(sealedOutput()).size);
      expect((await opened(sealedOutput())).equals(content)).toBe(true);
      expect(await inspect(sealedOutput())).toMatchObject({ complete: true, plaintextBytes: size });
    }
  });

  it('of a message for three is done with the key of each, with and without certificates', async () => {
    const content = randomBytes(5000);
    const { mary, fred, stranger, recipients } = parties;
    const everybody = [partner, mary, fred];
    const from = partnerEncrypts(
      plainFile(content),
      everybody.map(({ certificate }) => certificate),
    );
    for (const { privateKey, certificate } of everybody) {
      const alone = join(tempDir(), 'alone.key');
      copyFileSync(privateKey, alone);
      const ways = [
        { ring: new KeyRing([privateKey]) },
        { ring: new KeyRing([alone]) },
        { ring: new KeyRing([alone]), certificates: [certificate] },
        { ring: new KeyRing([bundle(join(tempDir(), 'both.pem'), privateKey, certificate)]) },
      ];
      for (const { ring, certificates } of ways) {
        await importCms(from, sealedOutput(), { ...importing(), keys: ring, certificates, recipients });
        expect((await opened(sealedOutput())).equals(content)).toBe(true);
        ring.destroy();
      }
    }
    const error = await refusalOf(() =>
      importCms(from, sealedOutput(), importing({ keys: new KeyRing([stranger.privateKey]) })),
    );
    expect(error.code).toBe('ERR_NO_MATCHING_KEY');
    expect(error.message).toMatch(/message\.cms was encrypted for serial [0-9a-f]+, issuer .*CN=partner/);
  });

  it('asks for the passphrase of the key that fits only', async () => {
    const locked = makeKeyPair(dir, { name: 'locked', passphrase: 'correct horse' });
    const other = makeKeyPair(tempDir(), { name: 'other', passphrase: 'staple' });
    const content = randomBytes(100);
    const from = partnerEncrypts(plainFile(content), [locked.certificate]);
    const asked: string[] = [];
    const keys = new KeyRing([other.privateKey, locked.privateKey], {
      passphrases: [
        (path) => {
          asked.push(path);
          return Passphrase.fromBytes(Buffer.from('correct horse'));
        },
      ],
    });
    await importCms(from, sealedOutput(), importing({ keys }));
    expect(asked).toEqual([locked.privateKey]);
    expect((await opened(sealedOutput())).equals(content)).toBe(true);
    const shut = new KeyRing([locked.privateKey]);
    expect(await codeOf(() => importCms(from, sealedOutput(), importing({ keys: shut })))).toBe(
      'ERR_PASSPHRASE_REQUIRED',
    );
  });

  it('takes recipients that are named by their key identifier', async () => {
    const content = randomBytes(100);
    const from = partnerEncrypts(plainFile(content), [parties.mary.certificate], { keyId: true });
    const certificates = [parties.mary.certificate];
    await importCms(from, sealedOutput(), importing({ certificates }));
    expect((await opened(sealedOutput())).equals(content)).toBe(true);
    const others = importing({ certificates: [parties.fred.certificate] });
    expect(await codeOf(() => importCms(from, sealedOutput(), others))).toBe('ERR_NO_MATCHING_KEY');
  });

  it('opens what export has made, and goes on to a key that the ring has', async () => {
    const content = randomBytes(3 << 20);
    const sealed = await callFile(content);
    const { recipients, keys } = parties;
    for (const pem of [false, true]) {
      await exportCms(sealed, message(), { keys, recipients, pem, sync: false, overwrite: true });
      await importCms(message(), sealedOutput(), importing({ segmentLength: 1024 }));
      expect((await opened(sealedOutput())).equals(content)).toBe(true);
    }
  });

  it('reports progress to the end, and stops when told to', async () => {
    const from = partnerEncrypts(plainFile(randomBytes(5 << 20)), [parties.mary.certificate]);
    const seen: number[][] = [];
    await importCms(from, sealedOutput(), importing({ onProgress: (...told: number[]) => seen.push(told) }));
    const { size } = statSync(from);
    expect(seen.at(-1)).toEqual([size, size]);
    const aborted = importing({ signal: AbortSignal.abort() });
    expect(await codeOf(() => importCms(from, join(dir, 'never'), aborted))).toBe('ERR_ABORTED');
    expect(readdirSync(dir)).not.toContain('never');
  });

  it('replaces no output unasked, and never its input', async () => {
    const from = partnerEncrypts(plainFile(randomBytes(10)), [parties.mary.certificate]);
    writeFileSync(sealedOutput(), 'precious');
    expect(await codeOf(() => importCms(from, sealedOutput(), importing({ overwrite: false })))).toBe(
      'ERR_OUTPUT_EXISTS',
    );
    expect(await codeOf(() => importCms(from, from, importing()))).toBe('ERR_INVALID_ARGUMENT');
    expect(readdirSync(dirname(from))).toEqual(['message.cms']);
  });
});
