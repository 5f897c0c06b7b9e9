/** What holds for every exported name, so that who knows one knows the others: `docs/concepts.md`, "Conventions of the API". */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { beforeAll, describe, expect, it } from 'vitest';
import * as agentApi from '../lib/agent/index.ts';
import * as api from '../lib/index.ts';
import * as keysApi from '../lib/keys/index.ts';
import { codeOf } from './helpers/errors.ts';
import { ENTITY, openHierarchy, PLAINTEXT } from './helpers/hierarchy.ts';
import { makeParties, type Parties } from './helpers/parties.ts';
import { type Declaration, declarationsOf, ENTRIES } from './helpers/public-types.ts';
import { tempDir } from './helpers/temp.ts';

const declarations = ENTRIES.flatMap((entry) => declarationsOf(entry));
const shapes = declarations.filter(({ kind }) => kind !== 'type');
const named = (list: readonly Declaration[]) => list.map((declaration) => [declaration.name, declaration] as const);

let parties: Parties;
let dir: string;
let plain: string;
let sealed: string;

beforeAll(async () => {
  parties = await makeParties();
  dir = tempDir();
  plain = join(dir, 'call.callsre');
  sealed = join(dir, 'call.callsre.sealed');
  writeFileSync(plain, PLAINTEXT);
  await api.encryptFile(plain, sealed, { recipients: parties.recipients });
});

describe('what is declared', () => {
  it('is found by this test', () => {
    const names = declarations.map(({ name }) => name);
    for (const name of ['KeyRing', 'EncryptFileOptions', 'KeyHierarchyOptions', 'Agent', 'RandomAccessFile']) {
      expect(names).toContain(name);
    }
  });

  const closing = shapes.filter(({ text }) => /^ {4}(?:close|destroy|stop)\(\): (?:void|Promise<)/m.test(text));

  it('knows what must be given up', () => {
    const names = closing.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['KeyRing', 'Signer', 'KeyHierarchy', 'KeyStore', 'Agent']));
  });

  // A class of the caller's own may stand in for these, and needs no more than is used of it.
  it.each(named(closing.filter(({ name }) => name !== 'InstallationKey')))('%s can be declared with using', (_, it) => {
    const waits = /^ {4}(?:close|stop)\(\): Promise</m.test(it.text);
    expect(it.text).toContain(waits ? '[Symbol.asyncDispose](): Promise<void>' : '[Symbol.dispose](): void');
  });

  const options = shapes.filter(({ name }) => /Options$/.test(name));

  it.each(named(options))('%s takes undefined for what may be left out', (_, { text }) => {
    const optional = text.match(/^ {4}(?:readonly )?\w+\?: .*;$/gm) ?? [];
    expect(optional.filter((line) => !/\| undefined;$/.test(line))).toEqual([]);
  });

  it('says what each name is', () => {
    const documented = new Set(declarations.filter((one) => one.documented).map(({ name }) => name));
    expect(declarations.map(({ name }) => name).filter((name) => !documented.has(name))).toEqual([]);
  });

  it('has neither Buffer nor callbacks of the (error, result) kind in a signature', () => {
    for (const { name, text } of declarations) {
      expect(`${name}: ${/\bBuffer\b(?!Options)/.exec(withoutComments(text))?.[0] ?? ''}`).toBe(`${name}: `);
      expect(text).not.toMatch(/\((?:err|error): [^)]*, \w+/);
    }
  });
});

function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\//g, '');
}

describe('what is made', () => {
  it('is destroyed at the end of its scope', async () => {
    const key = await api.loadPrivateKey(parties.mary.privateKey);
    key[Symbol.dispose]();
    expect(await codeOf(() => key.sign('pss-sha256', PLAINTEXT))).toBe('ERR_KEY_USE');
    const secret = api.Passphrase.fromBytes(PLAINTEXT);
    secret[Symbol.dispose]();
    expect(await codeOf(() => api.loadPrivateKey(parties.mary.privateKey, secret))).toBe('ERR_KEY_USE');
    const installation = await keysApi.openInstallation({ key: parties.mary.privateKey });
    installation[Symbol.dispose]();
    expect(await codeOf(() => installation.key.sign('pss-sha256', PLAINTEXT))).toBe('ERR_KEY_USE');
  });

  it('stores, tables and supplies are given up likewise', async () => {
    const store = await keysApi.openStore(`sqlite:${join(dir, 'given-up.db')}`);
    await store[Symbol.asyncDispose]();
    expect(await codeOf(() => store.readStore())).toBe('ERR_INVALID_ARGUMENT');
    const supply = await agentApi.CertificateSupply.open({ files: { certificates: [parties.mary.certificate] } });
    supply[Symbol.dispose]();
    expect(supply.current()?.recipients.list).toHaveLength(1);
  });
});

/** A whole, plain array: no view of a pool that others' bytes are in, and no Buffer, whose slice() shares memory. */
function expectOwnBytes(bytes: Uint8Array, length: number): void {
  expect(Object.getPrototypeOf(bytes)).toBe(Uint8Array.prototype);
  expect([bytes.byteOffset, bytes.length, bytes.buffer.byteLength]).toEqual([0, length, length]);
}

describe('bytes that are returned are plain arrays with memory of their own', () => {
  it('of call files', async () => {
    const { recipients, keys } = parties;
    const whole = await api.encrypt(PLAINTEXT, { recipients });
    expectOwnBytes(whole, api.encryptedLength(PLAINTEXT.length, { recipients }));
    expectOwnBytes(await api.decrypt(whole, { keys }), PLAINTEXT.length);
    expectOwnBytes((await api.decrypt(whole, { keys, recover: true })).plaintext, PLAINTEXT.length);
    const file = await api.openRandomAccess(sealed, { keys });
    expectOwnBytes(await file.readRange(2, 5), 3);
    await file.close();
    for await (const part of api.followCallFile(sealed, { keys })) expectOwnBytes(part, PLAINTEXT.length);
  });

  it('of a signed call file that is read along', async () => {
    const signer = api.Signer.of(await api.generateSigningKey('P-256'));
    const path = join(dir, 'signed.sealed');
    await api.encryptFile(plain, path, { recipients: parties.recipients, signer });
    for await (const part of api.followCallFile(path, { keys: parties.keys })) expectOwnBytes(part, PLAINTEXT.length);
  });

  it('of records', async () => {
    const keys = await openHierarchy({ store: `sqlite:${join(dir, 'records.db')}`, stateDirectory: null });
    const record = await keys.protect('models', ENTITY, PLAINTEXT);
    expectOwnBytes(record, record.length);
    expectOwnBytes(await keys.unprotect('models', ENTITY, record), PLAINTEXT.length);
    expectOwnBytes(await keys.rebind('models', ENTITY, { type: 'claimant', id: 'c-42' }, record), record.length);
    await keys.working.rotate('models');
    expectOwnBytes(await keys.reencrypt('models', ENTITY, record), record.length);
    // Of many at a time they may be views of one array, as the documentation says; not of anybody else's.
    const many = await keys.protectMany('models', [{ entity: ENTITY, bytes: PLAINTEXT }]);
    expect(Object.getPrototypeOf(many[0])).toBe(Uint8Array.prototype);
  });

  it('of an installation', async () => {
    const installation = await keysApi.openInstallation({ key: parties.mary.privateKey });
    expectOwnBytes(installation.id, 32);
    installation.id.fill(0);
    expect(Buffer.from(installation.key.spkiSha256).equals(Buffer.alloc(32))).toBe(false);
    installation.destroy();
  });
});

describe('bytes that are given', () => {
  it('belong to the caller again as soon as a record is being protected, or a chunk written', async () => {
    const keys = await openHierarchy({ store: `sqlite:${join(dir, 'given.db')}`, stateDirectory: null });
    const bytes = Uint8Array.from(PLAINTEXT);
    const protecting = keys.protect('models', ENTITY, bytes);
    const opened = await keys.unprotect('models', ENTITY, await protecting);
    bytes.fill(0);
    expect(Buffer.from(opened)).toEqual(Buffer.from(PLAINTEXT));
    const writer = await api.createCallFileWriter(join(dir, 'live.sealed'), { recipients: parties.recipients });
    const chunk = Uint8Array.from(PLAINTEXT);
    const written = writer.write(chunk);
    chunk.fill(0);
    await written;
    await writer.close();
    const stream = api.createDecryptStream({ keys: parties.keys });
    stream.end(readFileSync(join(dir, 'live.sealed')));
    expect(await buffer(stream)).toEqual(Buffer.from(PLAINTEXT));
  });
});

describe('a signal that was aborted ends what takes long with ERR_ABORTED', () => {
  const signal = AbortSignal.abort(new Error('enough'));
  const output = (): string => join(tempDir(), 'output');
  const encrypting = () => ({ recipients: parties.recipients, signal });
  const decrypting = () => ({ keys: parties.keys, signal });
  const both = () => ({ ...encrypting(), ...decrypting() });

  const operations: Record<string, () => Promise<unknown>> = {
    encryptFile: () => api.encryptFile(plain, output(), encrypting()),
    encryptInPlace: () => api.encryptInPlace(plain, encrypting()),
    encrypt: () => api.encrypt(PLAINTEXT, encrypting()),
    createCallFileWriter: () => api.createCallFileWriter(output(), encrypting()),
    decryptFile: () => api.decryptFile(sealed, output(), decrypting()),
    decrypt: async () => api.decrypt(readFileSync(sealed), decrypting()),
    verify: () => api.verify(sealed, decrypting()),
    inspect: () => api.inspect(sealed, { signal }),
    whichKey: () => api.whichKey(sealed, { keys: [parties.keys], signal }),
    changeRecipients: () => api.changeRecipients(sealed, { ...decrypting(), add: parties.recipients }),
    rekeyFile: () => api.rekeyFile(sealed, output(), both()),
    exportCms: () => api.exportCms(sealed, output(), both()),
    importCms: () => api.importCms(sealed, output(), both()),
    openRandomAccess: () => api.openRandomAccess(sealed, decrypting()),
    followCallFile: async () => {
      for await (const _ of api.followCallFile(sealed, decrypting()));
    },
    createEncryptStream: () => buffer(api.createEncryptStream(encrypting()).end(PLAINTEXT)),
    createDecryptStream: () => buffer(api.createDecryptStream(decrypting()).end(readFileSync(sealed))),
    sealFile: () => agentApi.sealFile(plain, output(), encrypting()),
  };

  it.each(Object.entries(operations))('%s', async (_, operation) => {
    expect(await codeOf(operation)).toBe('ERR_ABORTED');
  });

  it('also each read of a part by itself', async () => {
    await using file = await api.openRandomAccess(sealed, { keys: parties.keys });
    expect(await codeOf(() => file.readRange(0, 3, { signal }))).toBe('ERR_ABORTED');
    expect(await codeOf(() => file.read(new Uint8Array(3), { signal }))).toBe('ERR_ABORTED');
    expect(await codeOf(() => buffer(file.createReadStream({ signal })))).toBe('ERR_ABORTED');
    expectOwnBytes(await file.readRange(0, 3), 3);
  });

  it('and jobs on a key hierarchy', async () => {
    const place = { store: `sqlite:${join(dir, 'jobs.db')}`, stateDirectory: null };
    const keys = await openHierarchy(place);
    const record = await keys.protect('models', ENTITY, PLAINTEXT);
    const records = [{ key: 'one', entity: ENTITY, record }];
    expect(await codeOf(() => openHierarchy({ ...place, signal }))).toBe('ERR_ABORTED');
    expect(await codeOf(() => keys.audit.verify({ signal }))).toBe('ERR_ABORTED');
    expect(await codeOf(() => keys.audit.list({ signal })[Symbol.asyncIterator]().next())).toBe('ERR_ABORTED');
    const replace = () => true;
    expect(await codeOf(() => keysApi.reencryptAll(keys, records, { area: 'models', replace, signal }))).toBe(
      'ERR_ABORTED',
    );
    expect(await codeOf(() => keysApi.countAll(keys, records, { area: 'models', signal }))).toBe('ERR_ABORTED');
  });
});
