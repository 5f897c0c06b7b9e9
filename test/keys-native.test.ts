/** Master keys, working keys and protected records of the native module, against Node's own cryptography. */

import { constants, createPrivateKey, createPublicKey, privateDecrypt, publicEncrypt, sign, verify } from 'node:crypto';
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

import type { NativePrivateKey } from '../lib/native/binding.ts';
import type { CipherKind, HashKind, NativeMasterKey, NativeWorkingKey } from '../lib/native/keys-binding.ts';
import type { TestModule } from '../scripts/vectors/module.mjs';
import { codeOf, refusalOf } from './helpers/errors.ts';
import {
  decodeRecord,
  derivedKeys,
  encodeRecord,
  macOfRow,
  type RawWorkingKey,
  unwrapWorkingKey,
  withOddParity,
  wrapWorkingKey,
} from './helpers/hierarchy-crypto.ts';
import { fipsDirectory } from './helpers/native-build.ts';
import { inNode, type Refusal } from './helpers/native-child.ts';
import { tempDir } from './helpers/temp.ts';
import { testModule } from './helpers/vectors.ts';

const CIPHERS: CipherKind[] = ['aes', '3des'];
const HASHES: HashKind[] = ['sha256', 'sha1'];
const SUITES = CIPHERS.flatMap((master) =>
  CIPHERS.flatMap((working) => HASHES.map((hash) => [master, working, hash] as const)),
);
const SIZES = [0, 1, 7, 8, 9, 1023, 1024, 1 << 20];

const bytes = (length: number, seed = 1) => Uint8Array.from({ length }, (_, index) => (index * 7 + seed * 13) & 0xff);
const CONTEXT = bytes(32, 3);
const ENTITY = bytes(60, 4);
/** With an area of seven bytes. */
const HEADER = Uint8Array.from([...bytes(38, 5), 7, ...Buffer.from('models7')]);
const MASTER = { aes: bytes(32, 6), '3des': withOddParity(bytes(24, 6)) };
const WORKING = { aes: bytes(32, 7), '3des': Buffer.concat([withOddParity(bytes(24, 7)), bytes(32, 8)]) };

/** A row that ends with `wrapped`, as docs/keys.md has it. */
const rowWith = (wrapped: Uint8Array) => Buffer.concat([bytes(90), Buffer.of(0, 0, 0, wrapped.length), wrapped]);

let test: TestModule;
let key: NativePrivateKey;
let pem: string;

beforeAll(async () => {
  test = await testModule();
  key = await test.binding.PrivateKey.generate(2048);
  const path = join(tempDir(), 'key.pem');
  await key.save(path, null);
  pem = readFileSync(path, 'utf8');
});

function rawKey(cipher: CipherKind, hash: HashKind): RawWorkingKey {
  return { cipher, hash, key: WORKING[cipher], binding: bytes(32, 9) };
}
const imported = ({ cipher, hash, key, binding }: RawWorkingKey) =>
  test.hooks.importWorkingKey(cipher, hash, key, binding);

describe.each(SUITES)('suite %s/%s/%s', (cipher, working, hash) => {
  let master: NativeMasterKey;
  const derived = derivedKeys(cipher, MASTER[cipher], CONTEXT);

  beforeAll(() => {
    master = test.hooks.importMasterKey(cipher, MASTER[cipher], CONTEXT);
  });

  it('makes working keys and records that node:crypto opens', () => {
    const { key: made, wrapped } = master.createWorkingKey(working, hash);
    const raw = unwrapWorkingKey(cipher, derived.wrap, wrapped);
    expect(raw).toHaveLength(working === 'aes' ? 32 : 56);
    if (working === '3des') expect(raw.subarray(0, 24)).toEqual(withOddParity(raw.subarray(0, 24)));
    expect([made.cipher, made.hash]).toEqual([working, hash]);
    for (const size of SIZES) {
      const plaintext = bytes(size, size);
      const record = made.protect(HEADER, ENTITY, plaintext);
      expect(record.length).toBeLessThanOrEqual(HEADER.length + size + made.overhead);
      const opened = decodeRecord({ cipher: working, hash, key: raw, binding: derived.binding }, record, 46, ENTITY);
      expect(opened.equals(plaintext)).toBe(true);
    }
  });

  it('opens working keys and records that node:crypto made', () => {
    const wrapped = wrapWorkingKey(cipher, derived.wrap, WORKING[working]);
    const row = rowWith(wrapped);
    const mac = macOfRow(derived.row, row);
    expect(Buffer.from(master.macRow(row)).equals(mac)).toBe(true);
    expect(master.verifyRow(row, mac)).toBe(true);
    const opened = master.openWorkingKey(working, hash, row, mac, wrapped);
    const raw = { cipher: working, hash, key: WORKING[working], binding: derived.binding };
    for (const size of SIZES) {
      const plaintext = bytes(size, size);
      const back = opened.unprotect(encodeRecord(raw, HEADER, ENTITY, plaintext), 46, ENTITY);
      expect(Buffer.compare(back, plaintext)).toBe(0);
    }
  });

  it('opens no working key but the one of an authenticated row', async () => {
    const { wrapped } = master.createWorkingKey(working, hash);
    const row = rowWith(wrapped);
    const mac = master.macRow(row);
    const other = rowWith(master.createWorkingKey(working, hash).wrapped);
    const elsewhere = test.hooks.importMasterKey(cipher, MASTER[cipher], bytes(32, 99));
    const attempts = {
      'MAC of another row': () => master.openWorkingKey(working, hash, row, master.macRow(other), wrapped),
      'key of another row': () => master.openWorkingKey(working, hash, other, master.macRow(other), wrapped),
      'master key of another id': () => elsewhere.openWorkingKey(working, hash, row, mac, wrapped),
      'key of another cipher': () => master.openWorkingKey(working === 'aes' ? '3des' : 'aes', hash, row, mac, wrapped),
    };
    for (const [name, attempt] of Object.entries(attempts)) {
      expect([name, await codeOf(attempt)]).toEqual([name, 'ERR_KEY_SUBSTITUTED']);
    }
    expect(elsewhere.verifyRow(row, mac)).toBe(false);
  });
});

describe.each(CIPHERS.flatMap((cipher) => HASHES.map((hash) => [cipher, hash] as const)))(
  'records %s/%s',
  (cipher, hash) => {
    let working: NativeWorkingKey;
    const raw = rawKey(cipher, hash);

    beforeAll(() => {
      working = imported(raw);
    });

    it('come in batches, as single ones would', () => {
      const items = SIZES.slice(0, -1).map((size) => ({
        plaintext: bytes(size, size),
        entity: bytes(40 + (size % 9), size),
      }));
      const records = working.protectMany(HEADER, batchOf(items.map(({ plaintext, entity }) => [plaintext, entity])));
      const each = parts(records);
      for (const [index, { plaintext, entity }] of items.entries()) {
        expect(decodeRecord(raw, each[index] as Uint8Array, 46, entity).equals(plaintext)).toBe(true);
      }
      const packed = batchOf(items.map(({ entity }, index) => [each[index] as Uint8Array, entity]));
      const plaintexts = working.unprotectMany(HEADER, packed);
      expect(parts(plaintexts).map((part) => Buffer.from(part))).toEqual(
        items.map(({ plaintext }) => Buffer.from(plaintext)),
      );
      // Nothing of the module's memory beyond the plaintexts.
      expect(new Uint8Array(plaintexts.data.buffer).subarray(plaintexts.data.length).every((byte) => byte === 0)).toBe(
        true,
      );
      expect(working.protectMany(HEADER, batchOf([]))).toEqual({ data: new Uint8Array(0), ends: new Uint32Array(0) });
    });

    it('of a batch are refused together, and the first bad one is named', async () => {
      const record = working.protect(HEADER, ENTITY, bytes(30));
      const altered = Uint8Array.from(record, (byte, index) => (index === 60 ? byte ^ 1 : byte));
      const tampered = await refusalOf(() =>
        working.unprotectMany(
          HEADER,
          batchOf([
            [record, ENTITY],
            [altered, ENTITY],
            [altered, ENTITY],
          ]),
        ),
      );
      expect([tampered.code, tampered.message]).toEqual([
        'ERR_TAMPERED',
        expect.stringContaining('item 1 of the batch'),
      ]);
      const mismatch = await refusalOf(() => working.unprotectMany(HEADER, batchOf([[record, bytes(3)]])));
      expect([mismatch.code, mismatch.message]).toEqual(['ERR_ENTITY_MISMATCH', expect.stringContaining('item 0')]);
    });

    it('are rebound and re-encrypted', async () => {
      const record = encodeRecord(raw, HEADER, ENTITY, bytes(100));
      const moved = working.rebind(record, 46, ENTITY, bytes(5));
      expect(decodeRecord(raw, moved, 46, bytes(5)).equals(bytes(100))).toBe(true);
      expect(await codeOf(() => working.rebind(record, 46, bytes(5), ENTITY))).toBe('ERR_ENTITY_MISMATCH');
      for (const target of CIPHERS) {
        const to = { ...rawKey(target, hash === 'sha1' ? 'sha256' : 'sha1'), binding: bytes(32, 10) };
        const header = Uint8Array.from([...bytes(38, 11), 1, 97]);
        const fresh = working.reencrypt(record, 46, ENTITY, imported(to), header);
        expect(Buffer.from(fresh.subarray(0, 40)).equals(header)).toBe(true);
        expect(decodeRecord(to, fresh, 40, ENTITY).equals(bytes(100))).toBe(true);
        expect(await codeOf(() => working.reencrypt(record, 46, bytes(5), imported(to), header))).toBe(
          'ERR_ENTITY_MISMATCH',
        );
      }
    });

    it('are told from altered ones when they belong to another entity', async () => {
      const record = working.protect(HEADER, ENTITY, bytes(30));
      expect(await codeOf(() => working.unprotect(record, 46, bytes(60, 5)))).toBe('ERR_ENTITY_MISMATCH');
      expect(await codeOf(() => working.unprotect(record.subarray(1), 46, ENTITY))).toBe('ERR_TAMPERED');
      expect(await codeOf(() => working.unprotect(record, 45, ENTITY))).toBe('ERR_TAMPERED');
      expect(await codeOf(() => working.protect(HEADER.subarray(1), ENTITY, bytes(1)))).toBe('ERR_INVALID_ARGUMENT');
    });
  },
);

function batchOf(items: [data: Uint8Array, entity: Uint8Array][]) {
  const ends = (which: 0 | 1) => {
    let end = 0;
    return Uint32Array.from(items, (item) => {
      end += item[which].length;
      return end;
    });
  };
  return {
    data: new Uint8Array(Buffer.concat(items.map(([data]) => data))),
    dataEnds: ends(0),
    entities: new Uint8Array(Buffer.concat(items.map(([, entity]) => entity))),
    entityEnds: ends(1),
  };
}

function parts({ data, ends }: { data: Uint8Array; ends: Uint32Array }): Uint8Array[] {
  return [...ends].map((end, index) => data.subarray(index === 0 ? 0 : ends[index - 1], end));
}

describe('degenerate 3DES keys', () => {
  it('are not taken', async () => {
    const [a, b] = [withOddParity(bytes(8, 1)), withOddParity(bytes(8, 2))];
    const even = withOddParity(bytes(24, 6)).map((byte, index) => (index === 5 ? byte ^ 1 : byte));
    for (const wrong of [Buffer.concat([a, a, b]), Buffer.concat([a, b, b]), Buffer.concat([a, b, a]), even]) {
      const makeMaster = () => test.hooks.importMasterKey('3des', wrong, CONTEXT);
      expect(await codeOf(makeMaster)).toBe('ERR_INVALID_ARGUMENT');
      const whole = Buffer.concat([wrong, bytes(32)]);
      const makeWorking = () => test.hooks.importWorkingKey('3des', 'sha1', whole, bytes(32));
      expect(await codeOf(makeWorking)).toBe('ERR_INVALID_ARGUMENT');
      for (const cipher of CIPHERS) {
        const derived = derivedKeys(cipher, MASTER[cipher], CONTEXT);
        const wrapped = wrapWorkingKey(cipher, derived.wrap, whole);
        const row = rowWith(wrapped);
        const open = () =>
          test.hooks
            .importMasterKey(cipher, MASTER[cipher], CONTEXT)
            .openWorkingKey('3des', 'sha1', row, macOfRow(derived.row, row), wrapped);
        expect(await codeOf(open)).toBe('ERR_KEY_SUBSTITUTED');
      }
      const oaep = { key: createPublicKey(pem), oaepHash: 'sha256', padding: constants.RSA_PKCS1_OAEP_PADDING };
      expect(await codeOf(() => key.unwrapMaster(publicEncrypt(oaep, wrong), '3des', CONTEXT))).toBe('ERR_TAMPERED');
    }
  });
});

describe('an installation key', () => {
  it.each(CIPHERS)('wraps and opens %s master keys as RSA-OAEP with SHA-256', async (cipher) => {
    const oaep = { oaepHash: 'sha256', padding: constants.RSA_PKCS1_OAEP_PADDING };
    const wrapped = await key.publicKey.wrapMaster(test.hooks.importMasterKey(cipher, MASTER[cipher], CONTEXT));
    expect(privateDecrypt({ key: pem, ...oaep }, wrapped).equals(MASTER[cipher])).toBe(true);
    const opened = await key.unwrapMaster(
      publicEncrypt({ key: createPublicKey(pem), ...oaep }, MASTER[cipher]),
      cipher,
      CONTEXT,
    );
    const mac = macOfRow(derivedKeys(cipher, MASTER[cipher], CONTEXT).row, bytes(20));
    expect(opened.verifyRow(bytes(20), mac)).toBe(true);
    const other = cipher === 'aes' ? '3des' : 'aes';
    expect(await codeOf(() => key.unwrapMaster(wrapped, other, CONTEXT))).toBe('ERR_TAMPERED');
    expect(await codeOf(() => key.unwrapMaster(wrapped, cipher, bytes(31)))).toBe('ERR_INVALID_ARGUMENT');
    expect(await codeOf(() => key.unwrapMaster(bytes(256), cipher, CONTEXT))).toBe('ERR_TAMPERED');
  });

  it('verifies RSASSA-PKCS1-v1_5 signatures with SHA-1, and makes them where the module does', async () => {
    const data = bytes(300);
    const signature = sign('sha1', data, createPrivateKey(pem));
    expect(await key.publicKey.verify('pkcs1-sha1', data, signature)).toBe(true);
    expect(await key.publicKey.verify('pkcs1-sha256', data, signature)).toBe(false);
    expect(await key.publicKey.verify('pkcs1-sha1', bytes(299), signature)).toBe(false);
    const signs = test.binding
      .status()
      .algorithms.some(({ name, provider }) => name === 'RSA-PKCS1-v1.5-SHA-1' && provider);
    if (signs) expect(verify('sha1', data, createPublicKey(pem), await key.sign('pkcs1-sha1', data))).toBe(true);
    else expect(await codeOf(() => key.sign('pkcs1-sha1', data))).toBe('ERR_NOT_APPROVED');
  });
});

/** JSON of the members' bytes in hexadecimal. */
function hexOf(members: Record<string, Uint8Array>): string {
  const entries = Object.entries(members).map(([name, value]) => [name, Buffer.from(value).toString('hex')]);
  return JSON.stringify(Object.fromEntries(entries));
}

describe('a module that refuses what is no longer approved', () => {
  it('decrypts 3DES and verifies SHA-1 signatures, and says what to do instead of making new ones', async ({
    skip,
  }) => {
    const { provider } = test.binding.status();
    const [major = 0, minor = 0] = provider.version.split('.').map(Number);
    if (!/FIPS/.test(provider.name) || major * 100 + minor < 304) {
      skip('only FIPS modules from 3.4 can be told to refuse 3DES encryption: the refusal was not seen');
    }
    const strict = fipsDirectory();
    appendFileSync(join(strict, 'fipsmodule.cnf'), '\ntdes-encrypt-disabled = 1\nsignature-digest-check = 1\n');
    const path = join(tempDir(), 'key.pem');
    await key.save(path, null);
    const master = test.hooks.importMasterKey('3des', MASTER['3des'], CONTEXT);
    const { key: working, wrapped } = master.createWorkingKey('3des', 'sha1');
    const row = rowWith(wrapped);
    const given = {
      master: await key.publicKey.wrapMaster(master),
      row,
      mac: master.macRow(row),
      wrapped,
      record: working.protect(HEADER, ENTITY, bytes(30)),
      signature: sign('sha1', row, createPrivateKey(pem)),
      header: HEADER,
      entity: ENTITY,
      context: CONTEXT,
    };
    const outcome = await inNode<{ opened: string; verified: boolean; refusals: Refusal[] }>(
      `const given = Object.fromEntries(
        Object.entries(${hexOf(given)}).map(([name, text]) => [name, Buffer.from(text, 'hex')]),
      );
      const n = native();
      const key = await n.PrivateKey.load(${JSON.stringify(path)}, null);
      const master = await key.unwrapMaster(given.master, '3des', given.context);
      const working = master.openWorkingKey('3des', 'sha1', given.row, given.mac, given.wrapped);
      const signing = await key.sign('pkcs1-sha1', given.row).then(() => ({}), ({ code, message }) => ({ code, message }));
      report({
        opened: Buffer.from(working.unprotect(given.record, 46, given.entity)).toString('hex'),
        verified: await key.publicKey.verify('pkcs1-sha1', given.row, given.signature),
        refusals: [
          attempt(() => working.protect(given.header, given.entity, given.context)),
          attempt(() => master.createWorkingKey('aes', 'sha256')),
          attempt(() => n.MasterKey.generate('3des', given.context)),
          attempt(() => n.MasterKey.generate('aes', given.context).createWorkingKey('3des', 'sha256')),
          signing,
        ],
      });`,
      { env: { CALLSEAL_FIPS_DIR: strict } },
    );
    expect(outcome.opened).toBe(Buffer.from(bytes(30)).toString('hex'));
    expect(outcome.verified).toBe(true);
    for (const [index, { code, message }] of outcome.refusals.entries()) {
      const signing = index === outcome.refusals.length - 1;
      expect([code, message]).toEqual([
        'ERR_NOT_APPROVED',
        expect.stringMatching(
          signing ? /^signing with SHA-1: .*SP 800-131A/ : /^encrypting with 3DES: .*aes\/aes\/sha256/,
        ),
      ]);
    }
  });
});
