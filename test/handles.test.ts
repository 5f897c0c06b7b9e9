/** The native handles refuse every misuse with a code, whatever a script does with them, and give away no key byte. */

import net from 'node:net';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { serialize } from 'node:v8';
import { beforeAll, describe, expect, it } from 'vitest';

import type {
  KeyUse,
  NativeInputFile,
  NativePrivateKey,
  NativeSecretKey,
  SealedEnvelope,
} from '../lib/native/binding.ts';
import { native } from '../lib/native/load.ts';
import { codeOf } from './helpers/errors.ts';
import { tempDir } from './helpers/temp.ts';

const n = native();
const USES: KeyUse[] = ['content', 'mac', 'floe', 'gcm', 'wrap'];
const bytes = (length: number) => new Uint8Array(length);
const LABEL = bytes(1);
const CMS_MESSAGE = join(import.meta.dirname, '../native/fuzz/corpus/fuzz_cms/one.der');
const ADDRESS = { modulePath: '/nonexistent.so', tokenLabel: null, serial: null, objectLabel: 'x', objectId: null };
const OUTPUT = () => ({ path: join(tempDir(), 'out'), replace: false, sync: false });

const ENVELOPE: SealedEnvelope = {
  wrappedKey: bytes(256),
  prelude: bytes(48),
  authenticated: bytes(48),
  mac: bytes(32),
  bodyLabel: LABEL,
  macLabel: LABEL,
};

const SECTION = { recipients: bytes(256), wraps: [], bodyLabel: LABEL, macLabel: LABEL };

const secret = (use: KeyUse) => n.SecretKey.generate(use);
const master = () => n.MasterKey.generate('aes', bytes(32));
const working = () => master().createWorkingKey('aes', 'sha256').key;
/** Of a protected record: an area of no bytes. */
const HEADER = bytes(39);
const BATCH = { data: bytes(0), dataEnds: new Uint32Array(0), entities: bytes(0), entityEnds: new Uint32Array(0) };
const template = (key: NativePrivateKey) =>
  new n.EnvelopeTemplate({
    recipients: bytes(256),
    wraps: [{ publicKey: key.publicKey, offset: 0 }],
    bodyLabel: LABEL,
    macLabel: LABEL,
  });

let key: NativePrivateKey;
/** One instance of every class, by the class's name. */
let instances: Record<string, object>;

beforeAll(async () => {
  key = await n.PrivateKey.generate(2048);
  const envelope = template(key);
  const { header, encryptor } = await envelope.start(bytes(48), 4096);
  const content = await key.unwrap(header.subarray(48, 304));
  instances = {
    Passphrase: n.Passphrase.fromBytes(Buffer.from('secret')),
    SecretKey: secret('content'),
    PublicKey: key.publicKey,
    PrivateKey: key,
    MasterKey: master(),
    WorkingKey: working(),
    EnvelopeTemplate: envelope,
    FloeEncryptor: encryptor,
    FloeDecryptor: new n.FloeDecryptor(content.derive('floe', LABEL, bytes(48)), bytes(48), encryptor.header),
    InputFile: (await n.InputFile.open(process.execPath, null, 0)).file,
    CmsInput: await n.CmsInput.open(CMS_MESSAGE, null),
    JobControl: new n.JobControl(),
  };
});

/** The class of that name, which the types of the binding do not all show. */
const classOf = (name: string) => (n as unknown as Record<string, new (...args: unknown[]) => object>)[name];

/** What the addon made for production offers, all of it. No method here returns key bytes. */
const SURFACE: Record<string, { statics: string[]; members: string[] }> = {
  Passphrase: {
    statics: ['fromBytes', 'fromDescriptor', 'fromEnvironment', 'fromFile', 'prompt'],
    members: ['destroy', 'length'],
  },
  SecretKey: {
    statics: ['generate'],
    members: 'decryptGcm derive destroy encryptGcm mac unwrapKey use verifyMac wrapKey'.split(' '),
  },
  PublicKey: {
    statics: [],
    members: 'algorithm bits hasApprovedExponent spkiSha256 toPem verify wrap wrapMaster writerScheme'.split(' '),
  },
  PrivateKey: {
    statics: ['generate', 'generateEc', 'load', 'loadPkcs12', 'probe'],
    members:
      'algorithm bits destroy publicKey save savePkcs12 sign spkiSha256 unwrap unwrapMaster unwrappedOutside'.split(
        ' ',
      ),
  },
  MasterKey: {
    statics: ['generate'],
    members: 'cipher createWorkingKey destroy macRow openWorkingKey verifyRow'.split(' '),
  },
  WorkingKey: {
    statics: [],
    members: 'cipher destroy hash overhead protect protectMany rebind reencrypt unprotect unprotectMany'.split(' '),
  },
  EnvelopeTemplate: { statics: [], members: ['encryptFile', 'start', 'startAhead'] },
  FloeEncryptor: { statics: [], members: ['closing', 'encrypt', 'header', 'plaintextLength'] },
  FloeDecryptor: {
    statics: [],
    members: ['decrypt', 'decryptSegmentAt', 'finished', 'segmentLength', 'verifyClosing'],
  },
  InputFile: { statics: ['open'], members: ['decrypt', 'destroy', 'read'] },
  CmsInput: { statics: ['open'], members: ['destroy', 'import', 'match', 'recipients', 'unwrap'] },
  JobControl: { statics: [], members: ['cancel', 'progress', 'total'] },
};
const OF_EVERY_CLASS = ['arguments', 'caller', 'length', 'name', 'prototype'];
const FUNCTIONS =
  'cancelJobs changeRecipients checkSubject cleanDirectory createCertificate createRequest decodePrivateKey exportCms finishSealing initialise initialiseAhead keepFreedMemory lockFile notifyService openEnvelope preferHugePages randomBytes readRecipients refuseCoreDumps rekeyFile sealFile sha256 status verifyOpening'.split(
    ' ',
  );

describe('the production build', () => {
  it('offers exactly what is listed here', () => {
    expect(Object.getOwnPropertyNames(n).sort()).toEqual([...FUNCTIONS, 'Token', ...Object.keys(SURFACE)].sort());
    expect(Object.getOwnPropertyNames(n.Token).sort()).toEqual(['generate', 'open']);
    expect(n.testing).toBeUndefined();
    expect(Object.getOwnPropertySymbols(n)).toEqual([]);
    for (const [name, { statics, members }] of Object.entries(SURFACE)) {
      const made = classOf(name) as object as { prototype: object };
      const own = Object.getOwnPropertyNames(made).filter((each) => !OF_EVERY_CLASS.includes(each));
      expect([name, own.sort()]).toEqual([name, statics]);
      expect([name, Object.getOwnPropertyNames(made.prototype).sort()]).toEqual([
        name,
        ['constructor', ...members].sort(),
      ]);
    }
  });

  it('keeps its handles opaque', () => {
    for (const [name, instance] of Object.entries(instances)) {
      expect([name, Object.getOwnPropertyNames(instance)]).toEqual([name, []]);
      expect(Object.getOwnPropertySymbols(instance)).toEqual([]);
      expect(inspect(instance, { showHidden: true, depth: 9, getters: false })).not.toMatch(/Uint8Array|Buffer/);
      expect(JSON.stringify(instance)).toBe('{}');
      expect(structuredClone(instance)).toEqual({});
      expect(serialize(instance)).toEqual(serialize({}));
    }
  });
});

describe('a handle', () => {
  it('is not made with new, nor by a class that extends it', async () => {
    const server = net.createServer().listen(0);
    const handle = (server as unknown as { _handle: { _externalStream: unknown } })._handle;
    const ofNode = handle._externalStream;
    server.close();
    expect(inspect(ofNode)).toMatch(/External/);
    const opaque =
      'Passphrase SecretKey PublicKey PrivateKey MasterKey WorkingKey FloeEncryptor InputFile CmsInput'.split(' ');
    for (const name of opaque) {
      const Class = classOf(name) as new (...args: unknown[]) => object;
      for (const args of [[], [{}], ['content'], [instances[name]], [ofNode], [bytes(32)]]) {
        expect(await codeOf(() => new Class(...args))).toBe('ERR_INVALID_ARGUMENT');
      }
      class Extended extends Class {}
      expect(await codeOf(() => new Extended())).toBe('ERR_INVALID_ARGUMENT');
    }
  });

  it('does not stand in for one of another class', async () => {
    for (const [name, instance] of Object.entries(instances)) {
      if (name !== 'SecretKey')
        expect([name, await codeOf(() => secret('wrap').wrapKey(instance as never))]).toEqual([
          name,
          'ERR_INVALID_ARGUMENT',
        ]);
      if (name !== 'PublicKey') {
        const wraps = [{ publicKey: instance as never, offset: 0 }];
        const init = { recipients: bytes(256), wraps, bodyLabel: LABEL, macLabel: LABEL };
        expect([name, await codeOf(() => new n.EnvelopeTemplate(init))]).toEqual([name, 'ERR_INVALID_ARGUMENT']);
      }
      if (name !== 'PrivateKey')
        expect(await codeOf(() => n.createCertificate(instance as never, [], 1))).toBe('ERR_INVALID_ARGUMENT');
      if (name !== 'Passphrase') {
        expect(await codeOf(() => n.decodePrivateKey(bytes(0), instance as never, 'key'))).toBe('ERR_INVALID_ARGUMENT');
        expect(await codeOf(() => n.Token.open(ADDRESS, instance as never))).toBe('ERR_INVALID_ARGUMENT');
        expect(await codeOf(() => key.savePkcs12('/x', null, 'x', instance as never))).toBe('ERR_INVALID_ARGUMENT');
      }
      if (name !== 'MasterKey')
        expect(await codeOf(() => key.publicKey.wrapMaster(instance as never))).toBe('ERR_INVALID_ARGUMENT');
      if (name !== 'WorkingKey') {
        const reencrypt = () => working().reencrypt(HEADER, 39, bytes(0), instance as never, HEADER);
        expect([name, await codeOf(reencrypt)]).toEqual([name, 'ERR_INVALID_ARGUMENT']);
      }
      if (name !== 'JobControl') {
        const job = () =>
          template(key).encryptFile(bytes(48), '/dev/null', OUTPUT(), 4096, bytes(0), instance as never);
        expect([name, await codeOf(job)]).toEqual([name, 'ERR_INVALID_ARGUMENT']);
      }
      const { InputFile: file } = instances as { InputFile: NativeInputFile };
      const from = name === 'InputFile' ? 5 : instance;
      const change = () => n.changeRecipients(from as never, key, ENVELOPE, SECTION, 0, null);
      expect([name, await codeOf(change)]).toEqual([name, 'ERR_INVALID_ARGUMENT']);
      if (name !== 'EnvelopeTemplate') {
        const rekey = () => n.rekeyFile(file, key, ENVELOPE, 0, 0, instance as never, bytes(48), 4096, OUTPUT(), null);
        expect([name, await codeOf(rekey)]).toEqual([name, 'ERR_INVALID_ARGUMENT']);
      }
    }
  });

  it('is told by what it is, not by what it pretends to be', async () => {
    const prototype = Object.getPrototypeOf(secret('mac')) as object;
    const forged = n.Passphrase.fromBytes(Buffer.from('secret'));
    Object.setPrototypeOf(forged, prototype);
    const pretenders = [forged, Object.create(prototype), new Proxy(secret('mac'), {}), Object.create(secret('mac'))];
    for (const pretender of pretenders) {
      expect(pretender).toBeInstanceOf(n.SecretKey);
      expect(await codeOf(() => secret('wrap').wrapKey(pretender as NativeSecretKey))).toBe('ERR_INVALID_ARGUMENT');
    }
  });

  it('runs no method or getter for another class', () => {
    for (const name of Object.keys(SURFACE)) {
      const prototype = (classOf(name) as object as { prototype: object }).prototype;
      for (const [member, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
        const call = (descriptor.get ?? descriptor.value) as (...args: unknown[]) => unknown;
        if (member === 'constructor') continue;
        for (const receiver of [
          ...Object.values(instances),
          {},
          undefined,
          5,
          new Proxy(instances[name] as object, {}),
        ]) {
          if (receiver === instances[name]) continue;
          expect(() => call.call(receiver), `${name}.${member}`).toThrow();
        }
      }
    }
  });

  it('that was destroyed does nothing any more', async () => {
    const passphrase = n.Passphrase.fromBytes(Buffer.from('secret'));
    const made = await n.PrivateKey.generate(2048);
    const publicKey = made.publicKey;
    const [content, mac, gcm, wrap] = (['content', 'mac', 'gcm', 'wrap'] as const).map(secret) as [
      NativeSecretKey,
      NativeSecretKey,
      NativeSecretKey,
      NativeSecretKey,
    ];
    const { file } = await n.InputFile.open(process.execPath, null, 0);
    const [noMaster, noWorking] = [master(), working()];
    for (const handle of [passphrase, made, content, mac, gcm, wrap, file, noMaster, noWorking]) {
      handle.destroy();
      handle.destroy();
    }
    const operations: (() => unknown)[] = [
      () => passphrase.length,
      () => made.algorithm,
      () => made.bits,
      () => made.spkiSha256,
      () => made.publicKey,
      () => made.unwrappedOutside,
      () => made.unwrap(bytes(256)),
      () => made.sign('pss-sha256', bytes(1)),
      () => made.save(join(tempDir(), 'key'), null),
      () => made.savePkcs12(join(tempDir(), 'key'), null, 'x', passphrase),
      () => key.save(join(tempDir(), 'key'), passphrase),
      () => key.savePkcs12(join(tempDir(), 'key'), null, 'x', passphrase),
      () => n.PrivateKey.loadPkcs12('/nonexistent', passphrase),
      () => n.Token.open(ADDRESS, passphrase),
      () => n.Token.generate(ADDRESS, 2048, passphrase),
      () => n.createRequest(made, [['CN', 'x']]),
      () => n.PrivateKey.load('/nonexistent', passphrase),
      () => n.createCertificate(made, [['CN', 'x']], 1),
      () => content.use,
      () => content.derive('mac', LABEL, LABEL),
      () => key.publicKey.wrap(content),
      () => mac.mac(bytes(1)),
      () => mac.verifyMac(bytes(1), bytes(32)),
      () => gcm.encryptGcm(bytes(1), bytes(0)),
      () => gcm.decryptGcm(bytes(28), bytes(0)),
      () => wrap.wrapKey(secret('gcm')),
      () => secret('wrap').wrapKey(gcm),
      () => wrap.unwrapKey(bytes(40), 'gcm'),
      () => n.openEnvelope(made, ENVELOPE),
      () => file.read(0, 1),
      () => file.decrypt(key, ENVELOPE, 0, null, new n.JobControl(), false),
      () => n.changeRecipients(file, key, ENVELOPE, SECTION, 0, null),
      () => n.rekeyFile(file, key, ENVELOPE, 0, 0, template(key), bytes(48), 4096, OUTPUT(), null),
      () => new n.FloeDecryptor(content, bytes(0), bytes(74)),
      () => made.unwrapMaster(bytes(256), 'aes', bytes(32)),
      () => key.publicKey.wrapMaster(noMaster),
      () => noMaster.cipher,
      () => noMaster.macRow(bytes(1)),
      () => noMaster.verifyRow(bytes(1), bytes(32)),
      () => noMaster.createWorkingKey('aes', 'sha1'),
      () => noMaster.openWorkingKey('aes', 'sha1', bytes(1), bytes(32), bytes(40)),
      () => noWorking.cipher,
      () => noWorking.hash,
      () => noWorking.overhead,
      () => noWorking.protect(HEADER, bytes(1), bytes(1)),
      () => noWorking.unprotect(bytes(99), 39, bytes(1)),
      () => noWorking.protectMany(HEADER, BATCH),
      () => noWorking.unprotectMany(HEADER, BATCH),
      () => noWorking.rebind(bytes(99), 39, bytes(1), bytes(1)),
      () => noWorking.reencrypt(bytes(99), 39, bytes(1), working(), HEADER),
      () => working().reencrypt(bytes(99), 39, bytes(1), noWorking, HEADER),
    ];
    for (const operation of operations)
      expect([`${operation}`, await codeOf(operation)]).toEqual([`${operation}`, 'ERR_KEY_USE']);
    expect(publicKey.bits).toBe(2048); // public, and not the private key's
  });
});

describe('a secret key', () => {
  it('serves its own purpose only', async () => {
    const operations: Record<string, { use: KeyUse; run: (each: NativeSecretKey) => unknown }> = {
      derive: { use: 'content', run: (each) => each.derive('floe', LABEL, LABEL) },
      wrapped: { use: 'content', run: (each) => key.publicKey.wrap(each) },
      mac: { use: 'mac', run: (each) => each.mac(bytes(1)) },
      verifyMac: { use: 'mac', run: (each) => each.verifyMac(bytes(1), bytes(32)) },
      encryptGcm: { use: 'gcm', run: (each) => each.encryptGcm(bytes(1), bytes(0)) },
      decryptGcm: {
        use: 'gcm',
        run: (each) => each.decryptGcm(secret('gcm').encryptGcm(bytes(1), bytes(0)), bytes(0)),
      },
      wrapKey: { use: 'wrap', run: (each) => each.wrapKey(secret('gcm')) },
      unwrapKey: { use: 'wrap', run: (each) => each.unwrapKey(bytes(40), 'gcm') },
      floe: { use: 'floe', run: (each) => new n.FloeDecryptor(each, bytes(0), floeHeader()) },
    };
    for (const [name, { use, run }] of Object.entries(operations)) {
      for (const wrong of USES.filter((each) => each !== use)) {
        expect([name, wrong, await codeOf(() => run(secret(wrong)))]).toEqual([name, wrong, 'ERR_KEY_USE']);
      }
    }
    for (const use of ['content', 'gcm', 'wrap'] as KeyUse[]) {
      expect(await codeOf(() => secret('content').derive(use as 'mac', LABEL, LABEL))).toBe('ERR_KEY_USE');
    }
  });

  it('does what it is for', async () => {
    const content = secret('content');
    const opened = await key.unwrap(await key.publicKey.wrap(content));
    const tag = content.derive('mac', LABEL, LABEL).mac(bytes(5));
    expect(opened.derive('mac', LABEL, LABEL).verifyMac(bytes(5), tag)).toBe(true);
    const gcm = secret('gcm');
    const wrap = secret('wrap');
    const copy = wrap.unwrapKey(wrap.wrapKey(gcm), 'gcm');
    expect([copy.use, opened.use]).toEqual(['gcm', 'content']);
    const sealed = gcm.encryptGcm(Buffer.from('a call'), Buffer.from('aad'));
    expect(Buffer.from(copy.decryptGcm(sealed, Buffer.from('aad'))).toString()).toBe('a call');
    expect(await codeOf(() => secret('gcm').decryptGcm(sealed, Buffer.from('aad')))).toBe('ERR_TAMPERED');
  });

  /** Parameters as a FLOE header has them; the tag is wrong. */
  function floeHeader(): Uint8Array {
    const header = bytes(74);
    header.set([0, 0, 0, 0, 16, 0, 0, 0, 0, 32]);
    return header;
  }
});
