/** Arguments of the wrong kind or beyond the limits are refused by every native function, with a code. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

import type {
  KeyUse,
  NativeEnvelopeTemplate,
  NativeFloeDecryptor,
  NativeFloeEncryptor,
  NativeInputFile,
  NativePrivateKey,
  SealedEnvelope,
  SignatureScheme,
} from '../lib/native/binding.ts';
import type {
  CipherKind,
  HashKind,
  NativeMasterKey,
  NativeWorkingKey,
  RecordBatch,
} from '../lib/native/keys-binding.ts';
import { native } from '../lib/native/load.ts';
import { codeOf, refusalOf } from './helpers/errors.ts';
import { tempDir } from './helpers/temp.ts';

const n = native();
const LABEL = new Uint8Array(1);
const PRELUDE = new Uint8Array(48);
const NO_BYTES = new Uint8Array(0);
const NO_PREFIX = NO_BYTES;

const ID = new Uint8Array(32);
/** Of a protected record: an area of no bytes. */
const HEADER = new Uint8Array(39);

let key: NativePrivateKey;
let master: NativeMasterKey;
let working: NativeWorkingKey;
let template: NativeEnvelopeTemplate;
let path: string;
let file: NativeInputFile;
let encryptor: NativeFloeEncryptor;
let decryptor: NativeFloeDecryptor;

const init = (changes: object = {}) => ({
  recipients: new Uint8Array(256),
  wraps: [{ publicKey: key.publicKey, offset: 0 }],
  bodyLabel: LABEL,
  macLabel: LABEL,
  ...changes,
});

const envelope = (changes: object = {}): SealedEnvelope => ({
  wrappedKey: new Uint8Array(256),
  prelude: PRELUDE,
  authenticated: PRELUDE,
  mac: new Uint8Array(32),
  bodyLabel: LABEL,
  macLabel: LABEL,
  ...changes,
});

/** One record's worth of nothing. */
const batch = (changes: object = {}): RecordBatch => ({
  data: new Uint8Array(0),
  dataEnds: Uint32Array.of(0),
  entities: new Uint8Array(0),
  entityEnds: Uint32Array.of(0),
  ...changes,
});

interface RekeyArguments {
  bodyOffset?: number;
  bodyEnd?: number;
  prelude?: Uint8Array;
  segmentLength?: number;
  output?: object;
}

const rekey = (changes: RekeyArguments) => {
  const right = { bodyOffset: 0, bodyEnd: 0, prelude: PRELUDE, segmentLength: 4096, output: output() };
  const { bodyOffset, bodyEnd, prelude, segmentLength, output: to } = { ...right, ...changes };
  const target = to as never;
  return n.rekeyFile(file, key, envelope(), bodyOffset, bodyEnd, template, prelude, segmentLength, target, control());
};

const secret = (use: KeyUse) => n.SecretKey.generate(use);
const control = () => new n.JobControl();
const output = (changes: object = {}) => ({ path: join(tempDir(), 'out'), replace: false, sync: false, ...changes });

beforeAll(async () => {
  key = await n.PrivateKey.generate(2048);
  master = n.MasterKey.generate('aes', ID);
  working = master.createWorkingKey('aes', 'sha256').key;
  template = new n.EnvelopeTemplate(init());
  path = join(tempDir(), 'file');
  writeFileSync(path, PRELUDE);
  file = (await n.InputFile.open(path, null, 0)).file;
  ({ encryptor, decryptor } = await newBody());
});

/** Both sides of a fresh message with segments of 1024 bytes. */
async function newBody(): Promise<{ encryptor: NativeFloeEncryptor; decryptor: NativeFloeDecryptor }> {
  const started = await template.start(PRELUDE, 1024);
  const content = await key.unwrap(started.header.subarray(48, 304));
  const body = content.derive('floe', LABEL, PRELUDE);
  const { encryptor: made } = started;
  return { encryptor: made, decryptor: new n.FloeDecryptor(body, PRELUDE, made.header) };
}

/** Functions that take one argument of a kind; the others are right. */
type Takers<T> = Record<string, (value: T) => unknown>;

async function allRefuse<T>(takers: Takers<T>, wrong: Record<string, unknown>): Promise<void> {
  for (const [taker, take] of Object.entries(takers)) {
    for (const [what, value] of Object.entries(wrong)) {
      expect([taker, what, await codeOf(() => take(value as T))]).toEqual([taker, what, 'ERR_INVALID_ARGUMENT']);
    }
  }
}

const NO_VALUES = { nothing: undefined, null: null, number: 5, boolean: true, symbol: Symbol('x'), bigint: 5n };

describe('bytes', () => {
  const takers: Takers<Uint8Array> = {
    sha256: (value) => n.sha256(value),
    'derive label': (value) => secret('content').derive('mac', value, LABEL),
    'derive context': (value) => secret('content').derive('mac', LABEL, value),
    mac: (value) => secret('mac').mac(value),
    'verifyMac data': (value) => secret('mac').verifyMac(value, LABEL),
    'verifyMac tag': (value) => secret('mac').verifyMac(LABEL, value),
    'encryptGcm plaintext': (value) => secret('gcm').encryptGcm(value, LABEL),
    'encryptGcm aad': (value) => secret('gcm').encryptGcm(LABEL, value),
    'decryptGcm sealed': (value) => secret('gcm').decryptGcm(value, LABEL),
    'decryptGcm aad': (value) => secret('gcm').decryptGcm(LABEL, value),
    unwrapKey: (value) => secret('wrap').unwrapKey(value, 'gcm'),
    'verify data': (value) => key.publicKey.verify('pss-sha256', value, LABEL),
    'verify signature': (value) => key.publicKey.verify('pss-sha256', LABEL, value),
    unwrap: (value) => key.unwrap(value),
    sign: (value) => key.sign('pss-sha256', value),
    passphrase: (value) => n.Passphrase.fromBytes(value),
    readRecipients: (value) => n.readRecipients(value),
    decodePrivateKey: (value) => n.decodePrivateKey(value, null, 'key'),
    'encryptFile prefix': (value) => template.encryptFile(PRELUDE, '/dev/null', output(), 4096, value, control()),
    'changeRecipients recipients': (value) =>
      n.changeRecipients(file, key, envelope(), init({ recipients: value }), 0, null),
    'rekeyFile prelude': (value) => rekey({ prelude: value }),
    'openEnvelope wrappedKey': (value) => n.openEnvelope(key, envelope({ wrappedKey: value })),
    'openEnvelope prelude': (value) => n.openEnvelope(key, envelope({ prelude: value })),
    'openEnvelope authenticated': (value) => n.openEnvelope(key, envelope({ authenticated: value })),
    'openEnvelope mac': (value) => n.openEnvelope(key, envelope({ mac: value })),
    'decrypt bodyLabel': (value) => file.decrypt(key, envelope({ bodyLabel: value }), 0, null, control(), false),
    'decrypt macLabel': (value) => file.decrypt(key, envelope({ macLabel: value }), 0, null, control(), false),
    'FloeDecryptor aad': (value) => new n.FloeDecryptor(secret('floe'), value, LABEL),
    'FloeDecryptor header': (value) => new n.FloeDecryptor(secret('floe'), LABEL, value),
    recipients: (value) => new n.EnvelopeTemplate(init({ recipients: value })),
    bodyLabel: (value) => new n.EnvelopeTemplate(init({ bodyLabel: value })),
    macLabel: (value) => new n.EnvelopeTemplate(init({ macLabel: value })),
    'encryptFile prelude': (value) => template.encryptFile(value, '/dev/null', output(), 4096, NO_PREFIX, control()),
    'start prelude': (value) => template.start(value, 4096),
    'startAhead prelude': (value) => template.startAhead(value, 4096),
    'encrypt held': (value) => encryptor.encrypt(value, LABEL, true, new Uint8Array(99), 1, 0),
    'encrypt input': (value) => encryptor.encrypt(LABEL, value, true, new Uint8Array(99), 1, 0),
    'encrypt output': (value) => encryptor.encrypt(LABEL, LABEL, true, value, 1, 0),
    'decrypt held': (value) => decryptor.decrypt(value, LABEL, new Uint8Array(99), 1, 0),
    'decrypt input': (value) => decryptor.decrypt(LABEL, value, new Uint8Array(99), 1, 0),
    'decrypt output': (value) => decryptor.decrypt(LABEL, LABEL, value, 1, 0),
    preferHugePages: (value) => n.preferHugePages(value),
    decryptSegmentAt: (value) => decryptor.decryptSegmentAt(0, value, true),
    'unwrapMaster wrapped': (value) => key.unwrapMaster(value, 'aes', ID),
    'unwrapMaster context': (value) => key.unwrapMaster(new Uint8Array(256), 'aes', value),
    'master context': (value) => n.MasterKey.generate('aes', value),
    macRow: (value) => master.macRow(value),
    'verifyRow row': (value) => master.verifyRow(value, LABEL),
    'verifyRow mac': (value) => master.verifyRow(LABEL, value),
    'openWorkingKey row': (value) => master.openWorkingKey('aes', 'sha1', value, LABEL, LABEL),
    'openWorkingKey mac': (value) => master.openWorkingKey('aes', 'sha1', LABEL, value, LABEL),
    'openWorkingKey wrapped': (value) => master.openWorkingKey('aes', 'sha1', LABEL, LABEL, value),
    'protect header': (value) => working.protect(value, LABEL, LABEL),
    'protect entity': (value) => working.protect(HEADER, value, LABEL),
    'protect plaintext': (value) => working.protect(HEADER, LABEL, value),
    'unprotect record': (value) => working.unprotect(value, 39, LABEL),
    'unprotect entity': (value) => working.unprotect(HEADER, 39, value),
    'protectMany header': (value) => working.protectMany(value, batch()),
    'protectMany data': (value) => working.protectMany(HEADER, batch({ data: value })),
    'unprotectMany header': (value) => working.unprotectMany(value, batch()),
    'unprotectMany entities': (value) => working.unprotectMany(HEADER, batch({ entities: value })),
    'rebind record': (value) => working.rebind(value, 39, LABEL, LABEL),
    'rebind from': (value) => working.rebind(HEADER, 39, value, LABEL),
    'rebind to': (value) => working.rebind(HEADER, 39, LABEL, value),
    'reencrypt record': (value) => working.reencrypt(value, 39, LABEL, working, HEADER),
    'reencrypt entity': (value) => working.reencrypt(HEADER, 39, value, working, HEADER),
    'reencrypt header': (value) => working.reencrypt(HEADER, 39, LABEL, working, value),
  };

  it('are a Uint8Array', async () => {
    await allRefuse(takers, {
      ...NO_VALUES,
      string: 'bytes',
      array: [1, 2, 3],
      object: { length: 3 },
      ArrayBuffer: new ArrayBuffer(3),
      DataView: new DataView(new ArrayBuffer(3)),
      Uint16Array: new Uint16Array(3),
      Uint8ClampedArray: new Uint8ClampedArray(3),
      Int8Array: new Int8Array(3),
      proxy: new Proxy(new Uint8Array(3), {}),
      pretender: Object.create(Uint8Array.prototype),
    });
  });

  it('are not shared with other threads, which could change them between check and use', async () => {
    const shared = new Uint8Array(new SharedArrayBuffer(64));
    await allRefuse(takers, { shared, part: shared.subarray(8, 16) });
    expect((await refusalOf(() => secret('mac').mac(shared))).message).toBe('data must not be shared memory');
  });

  it('may be part of a larger buffer, or empty, or gone', async () => {
    const mac = secret('mac');
    const whole = Buffer.from('..call..');
    const tag = mac.mac(Buffer.from('call'));
    expect(mac.verifyMac(whole.subarray(2, 6), tag)).toBe(true);
    expect(mac.verifyMac(new Uint8Array(new ArrayBuffer(9), 3, 0), mac.mac(new Uint8Array(0)))).toBe(true);
    const gone = new Uint8Array(5);
    structuredClone(gone, { transfer: [gone.buffer] });
    expect(mac.mac(gone)).toEqual(mac.mac(new Uint8Array(0)));
  });
});

describe('names', () => {
  it('of files are non-empty strings without NUL', async () => {
    const takers: Takers<string> = {
      load: (value) => n.PrivateKey.load(value, null),
      probe: (value) => n.PrivateKey.probe(value),
      save: (value) => key.save(value, null),
      fromFile: (value) => n.Passphrase.fromFile(value),
      'encryptFile input': (value) => template.encryptFile(PRELUDE, value, output(), 4096, NO_PREFIX, control()),
      'encryptFile output': (value) =>
        template.encryptFile(PRELUDE, '/dev/null', output({ path: value }), 4096, NO_PREFIX, control()),
      'open input': (value) => n.InputFile.open(value, null, 0),
      'open output': (value) => n.InputFile.open('/dev/null', output({ path: value }), 0),
      'decrypt output': (value) => file.decrypt(key, envelope(), 0, output({ path: value }), control(), false),
    };
    await allRefuse(takers, { ...NO_VALUES, empty: '', nul: '/dev/null\0.txt', bytes: Buffer.from('/dev/null') });
  });

  it('of uses and schemes are known', async () => {
    const uses: Takers<KeyUse> = {
      generate: (value) => n.SecretKey.generate(value),
      derive: (value) => secret('content').derive(value as 'mac', LABEL, LABEL),
      unwrapKey: (value) => secret('wrap').unwrapKey(new Uint8Array(40), value),
    };
    await allRefuse(uses, { ...NO_VALUES, empty: '', other: 'signing', upper: 'MAC', longer: 'mac\0' });
    const ciphers: Takers<CipherKind> = {
      'generate master': (value) => n.MasterKey.generate(value, ID),
      createWorkingKey: (value) => master.createWorkingKey(value, 'sha1'),
      openWorkingKey: (value) => master.openWorkingKey(value, 'sha1', LABEL, LABEL, LABEL),
      unwrapMaster: (value) => key.unwrapMaster(LABEL, value, ID),
    };
    await allRefuse(ciphers, { ...NO_VALUES, empty: '', other: 'des', upper: 'AES' });
    const hashes: Takers<HashKind> = {
      createWorkingKey: (value) => master.createWorkingKey('aes', value),
      openWorkingKey: (value) => master.openWorkingKey('aes', value, LABEL, LABEL, LABEL),
    };
    await allRefuse(hashes, { ...NO_VALUES, empty: '', other: 'md5', upper: 'SHA1' });
    const schemes: Takers<SignatureScheme> = {
      sign: (value) => key.sign(value, LABEL),
      verify: (value) => key.publicKey.verify(value, LABEL, LABEL),
    };
    await allRefuse(schemes, { ...NO_VALUES, empty: '', other: 'pkcs1-md5', upper: 'PSS-SHA256' });
  });
});

describe('numbers', () => {
  const NOT_WHOLE = {
    ...NO_VALUES,
    number: 1.5,
    string: '4096',
    NaN: Number.NaN,
    infinity: Number.POSITIVE_INFINITY,
    negative: -1,
  };
  const limits: [string, (value: number) => unknown, number, number][] = [
    ['randomBytes', (value) => n.randomBytes(value), 0, 65536],
    ['segmentLength of a body', (value) => template.startAhead(PRELUDE, value), 1024, 16777216],
    ['threads to encrypt', (value) => encryptor.encrypt(NO_BYTES, NO_BYTES, false, NO_BYTES, value, 0), 1, 64],
    ['time to encrypt', (value) => encryptor.encrypt(NO_BYTES, NO_BYTES, false, NO_BYTES, 1, value), 0, 1_000_000],
    ['threads to decrypt', (value) => decryptor.decrypt(NO_BYTES, NO_BYTES, NO_BYTES, value, 0), 1, 64],
    ['time to decrypt', (value) => decryptor.decrypt(NO_BYTES, NO_BYTES, NO_BYTES, 1, value), 0, 1_000_000],
    ['segmentLength of a stream', (value) => template.start(PRELUDE, value), 1024, 16777216],
    ['days', (value) => n.createCertificate(key, [['CN', 'x']], value), 1, 36500],
  ];

  it('are whole, and within their limits', async () => {
    for (const [name, take, lowest, highest] of limits) {
      const wrong = { ...NOT_WHOLE, low: lowest - 1, high: highest + 1, huge: Number.MAX_VALUE };
      await allRefuse({ [name]: take }, wrong);
      await take(lowest);
      await take(highest);
    }
    const files: Takers<number> = {
      segmentLength: (value) => template.encryptFile(PRELUDE, '/dev/null', output(), value, NO_PREFIX, control()),
      bodyOffset: (value) => file.decrypt(key, envelope(), value, null, control(), false),
      'changeRecipients restOffset': (value) => n.changeRecipients(file, key, envelope(), init(), value, null),
      'rekeyFile bodyOffset': (value) => rekey({ bodyOffset: value }),
      'rekeyFile bodyEnd': (value) => rekey({ bodyEnd: value }),
      'rekeyFile segmentLength': (value) => rekey({ segmentLength: value }),
      'read offset': (value) => file.read(value, 1),
      'read length': (value) => file.read(0, value),
      'open length': (value) => n.InputFile.open(path, null, value),
      hole: (value) => new n.EnvelopeTemplate(init({ wraps: [{ publicKey: key.publicKey, offset: value }] })),
      bits: (value) => n.PrivateKey.generate(value),
      descriptor: (value) => n.Passphrase.fromDescriptor(value),
      'unprotect headerLength': (value) => working.unprotect(HEADER, value, LABEL),
      'rebind headerLength': (value) => working.rebind(HEADER, value, LABEL, LABEL),
      'reencrypt headerLength': (value) => working.reencrypt(HEADER, value, LABEL, working, HEADER),
    };
    await allRefuse(files, { ...NOT_WHOLE, high: 2 ** 53 });
  });

  it('of RSA bits are those of a list', async () => {
    for (const bits of [1, 512, 1024, 2047, 2049, 8192, 16384]) {
      expect(await codeOf(() => n.PrivateKey.generate(bits))).toBe('ERR_INVALID_ARGUMENT');
    }
  });
});

describe('objects', () => {
  it('have the members they need', async () => {
    const NO_OBJECTS = { ...NO_VALUES, string: 'x' };
    const noBooleans = { nothing: undefined, null: null, number: 1, string: 'true' };
    const encrypt = (value: object) =>
      template.encryptFile(PRELUDE, '/dev/null', value as never, 4096, NO_PREFIX, control());
    await allRefuse<object>({ output: encrypt }, { ...NO_OBJECTS, empty: {} });
    await allRefuse<object>({ rekey: (value) => rekey({ output: value }) }, { ...NO_OBJECTS, empty: {} });
    const section = (value: object) => n.changeRecipients(file, key, envelope(), value as never, 0, null);
    await allRefuse<object>({ section }, { ...NO_OBJECTS, empty: {}, hole: init({ recipients: new Uint8Array(255) }) });
    await allRefuse<boolean>(
      { replace: (replace) => encrypt(output({ replace })), sync: (sync) => encrypt(output({ sync })) },
      noBooleans,
    );
    const recover = (value: boolean) => file.decrypt(key, envelope(), 0, null, control(), value);
    await allRefuse<boolean>({ recover }, noBooleans);
    await allRefuse<object>({ init: (value) => new n.EnvelopeTemplate(value as never) }, { ...NO_OBJECTS, empty: {} });
    const wraps = (value: unknown) => new n.EnvelopeTemplate(init({ wraps: value }));
    await allRefuse({ wraps }, { ...NO_OBJECTS, none: [], empty: [{}], text: ['x'], noKey: [{ offset: 0 }] });
    const subject = (value: unknown) => n.createCertificate(key, value as never, 1);
    const request = (value: unknown) => n.createRequest(key, value as never);
    const check = (value: unknown) => n.checkSubject(value as never);
    await allRefuse(
      { subject, request, check },
      { ...NO_OBJECTS, text: ['CN=x'], single: [['CN']], triple: [['CN', 'x', 'y']], numbers: [[1, 2]] },
    );
    const options = { mode: 'off', modulePath: null, moduleConfig: '', errorClass: Error };
    const initialise = (value: object) => n.initialise(value as never);
    await allRefuse<object>(
      { initialise },
      { ...NO_OBJECTS, empty: {}, class: { ...options, errorClass: 5 }, mode: { ...options, mode: 'on' } },
    );
  });

  it('have holes that fit their keys', async () => {
    const two = (first: number, second: number) => ({
      recipients: new Uint8Array(600),
      wraps: [first, second].map((offset) => ({ publicKey: key.publicKey, offset })),
    });
    for (const changes of [two(0, 255), two(300, 0), two(0, 345), { recipients: new Uint8Array(255) }]) {
      expect(await codeOf(() => new n.EnvelopeTemplate(init(changes)))).toBe('ERR_INVALID_ARGUMENT');
    }
    expect(new n.EnvelopeTemplate(init(two(0, 256)))).toBeInstanceOf(n.EnvelopeTemplate);
  });
});

describe('batches', () => {
  it('have ends that grow to the end of their bytes', async () => {
    const items = { data: new Uint8Array(10), dataEnds: Uint32Array.of(10) };
    for (const many of ['protectMany', 'unprotectMany'] as const) {
      const take = (changes: object) => working[many](HEADER, batch(changes));
      const ends = { ...NO_VALUES, array: [10], bytes: new Uint8Array(1), signed: new Int32Array(1) };
      const shared = new Uint32Array(new SharedArrayBuffer(4));
      const wrong = { short: [9], long: [11], falling: [11, 10], none: [], two: [5, 10], gigantic: [2 ** 32 - 1, 10] };
      const lists = Object.fromEntries(Object.entries(wrong).map(([name, list]) => [name, Uint32Array.from(list)]));
      const takers = {
        [`${many} dataEnds`]: (dataEnds: unknown) => take({ ...items, dataEnds }),
        [`${many} entityEnds`]: (entityEnds: unknown) => take({ entities: items.data, entityEnds }),
      };
      await allRefuse(takers, { ...ends, shared, ...lists });
      await allRefuse({ [many]: (value: object) => working[many](HEADER, value as RecordBatch) }, NO_VALUES);
    }
  });

  it('that take memory away while they are read are read without it', () => {
    const data = new Uint8Array(1 << 20);
    const header = Uint8Array.from(HEADER);
    const thief = batch({
      data,
      get entityEnds() {
        structuredClone(null, { transfer: [data.buffer, header.buffer] });
        return Uint32Array.of(0);
      },
    });
    expect(() => working.protectMany(header, thief)).toThrow('not the header');
    expect(data).toHaveLength(0);
  });
});
