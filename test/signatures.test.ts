/** Files signed by their writer (docs/format.md, section 9): every way to write and to read them, and who is accepted. */

import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

import {
  createDecryptStream,
  createEncryptStream,
  decrypt,
  decryptFile,
  encrypt,
  encryptedLength,
  encryptFile,
  encryptInPlace,
  generateSigningKey,
  inspect,
  KeyRing,
  loadSigners,
  Passphrase,
  Recipients,
  Signer,
  verify,
} from '../lib/index.ts';
import { codeOf, refusalOf } from './helpers/errors.ts';
import { certify, openssl } from './helpers/keys.ts';
import { makeParties, type Parties } from './helpers/parties.ts';
import { makeHost, SIGNER_KINDS, type SignerKind, type SigningHost } from './helpers/signers.ts';
import { flow, through } from './helpers/streams.ts';
import { tempDir } from './helpers/temp.ts';
import { decodeCallFile } from './independent-decoder.ts';

const SEGMENT = 1024;

let parties: Parties;
let hosts: Record<SignerKind, SigningHost>;

beforeAll(async () => {
  parties = await makeParties();
  const made = await Promise.all(SIGNER_KINDS.map((kind) => makeHost(kind)));
  hosts = Object.fromEntries(made.map((host) => [host.kind, host])) as typeof hosts;
});

const ALGORITHMS = { 'P-256': 1, 'P-384': 2, 'RSA-2048': 3 };

/** Chunks that fit no segment, and no more than some thousand of them. */
const chunkFor = (bytes: Buffer): number => 333 + Math.floor(bytes.length / 2000);

/** A signed file, written in each way there is. */
const WRITERS: Record<string, (plaintext: Buffer, signer: Signer, segmentLength: number) => Promise<Buffer>> = {
  buffer: async (plaintext, signer, segmentLength) =>
    Buffer.from(await encrypt(plaintext, { recipients: parties.recipients, signer, segmentLength, threads: 2 })),
  file: async (plaintext, signer, segmentLength) => {
    const dir = tempDir();
    writeFileSync(join(dir, 'call'), plaintext);
    await encryptFile(join(dir, 'call'), join(dir, 'sealed'), {
      recipients: parties.recipients,
      signer,
      segmentLength,
    });
    return readFileSync(join(dir, 'sealed'));
  },
  'file in place': async (plaintext, signer, segmentLength) => {
    const path = join(tempDir(), 'call');
    writeFileSync(path, plaintext);
    await encryptInPlace(path, { recipients: parties.recipients, signer, segmentLength });
    return readFileSync(path);
  },
  stream: (plaintext, signer, segmentLength) =>
    through(
      createEncryptStream({ recipients: parties.recipients, signer, segmentLength }),
      plaintext,
      chunkFor(plaintext),
    ),
};

/** Reads a file in each way there is; with `required`, only of that host. */
const READERS: Record<string, (sealed: Buffer, required?: SigningHost) => Promise<Buffer>> = {
  buffer: async (sealed, required) =>
    Buffer.from(await decrypt(sealed, { keys: parties.keys, requireSigner: required?.required, threads: 2 })),
  file: async (sealed, required) => {
    const dir = tempDir();
    writeFileSync(join(dir, 'sealed'), sealed);
    const requireSigner = required?.required;
    await decryptFile(join(dir, 'sealed'), join(dir, 'call'), { keys: parties.keys, requireSigner });
    return readFileSync(join(dir, 'call'));
  },
  stream: (sealed, required) =>
    through(createDecryptStream({ keys: parties.keys, requireSigner: required?.required }), sealed, chunkFor(sealed)),
};

describe.each(SIGNER_KINDS)('a file signed with %s', (kind) => {
  const plaintext = randomBytes(5 * SEGMENT);

  it.each(Object.keys(WRITERS))('as a %s is what every reader, and the page alone, opens', async (how) => {
    const { signer, certificate } = hosts[kind];
    const sealed = await WRITERS[how]!(plaintext, signer, SEGMENT);
    expect(sealed.length).toBe(
      encryptedLength(plaintext.length, { recipients: parties.recipients, signer, segmentLength: SEGMENT }),
    );
    for (const read of Object.values(READERS)) {
      expect((await read(sealed)).equals(plaintext)).toBe(true);
      expect((await read(sealed, hosts[kind])).equals(plaintext)).toBe(true);
    }
    const decoded = decodeCallFile(sealed, parties.maryPem);
    expect(decoded.plaintext.equals(plaintext)).toBe(true);
    expect(decoded.signer).toMatchObject({ algorithm: ALGORITHMS[kind], keyId: signer.info.keyId });
    expect(decoded.signer?.certificate?.subject).toBe(`CN=host ${kind},O=MyCompany`);
    const fingerprint = openssl('x509', '-in', certificate, '-outform', 'DER', '-fingerprint', '-sha256', '-noout');
    expect(`${fingerprint}`.replaceAll(':', '').toLowerCase()).toContain(decoded.signer?.certificate?.sha256);
  });

  it.each([0, 1, SEGMENT - 32, SEGMENT - 31, 2 * (SEGMENT - 32)])('of %i bytes', async (length) => {
    const short = randomBytes(length);
    for (const write of Object.values(WRITERS)) {
      const sealed = await write(short, hosts[kind].signer, SEGMENT);
      for (const read of Object.values(READERS)) expect((await read(sealed, hosts[kind])).equals(short)).toBe(true);
      expect(await inspect(sealed)).toMatchObject({ state: 'complete', plaintextBytes: length });
    }
  });
});

describe('a large signed file', () => {
  it('written and read by several threads is what one pass makes and reads', { timeout: 60_000 }, async () => {
    const plaintext = randomBytes(12 << 20);
    for (const how of ['file', 'stream']) {
      const sealed = await WRITERS[how]!(plaintext, hosts['P-256'].signer, 65_536);
      for (const read of Object.values(READERS)) {
        expect((await read(sealed, hosts['P-256'])).equals(plaintext)).toBe(true);
      }
    }
  });
});

describe('the signer of a file', () => {
  it('is reported as a claim unless required, and by inspect without any proof', async () => {
    const dir = tempDir();
    const { signer, required, certificate } = hosts['P-256'];
    const [call, sealed] = [join(dir, 'call'), join(dir, 'sealed')];
    writeFileSync(call, 'a call');
    await encryptFile(call, sealed, { recipients: parties.recipients, signer });
    const { keys } = parties;
    const claimed = { ...signer.info, trusted: false, content: 'verified' };
    expect(signer.info.algorithm).toBe('ECDSA-P256-SHA256');
    expect((await verify(sealed, { keys })).signer).toEqual(claimed);
    expect((await verify(sealed, { keys, requireSigner: required })).signer).toEqual({ ...claimed, trusted: true });
    const opened = await decryptFile(sealed, join(dir, 'opened'), { keys, requireSigner: required });
    expect(opened.signer).toEqual({ ...claimed, trusted: true });
    expect((await inspect(sealed)).signer).toEqual(signer.info);
    expect(required.list).toEqual([signer.info]);
    expect((await loadSigners([certificate, hosts['P-384'].certificate])).list).toHaveLength(2);
  });

  it('can be a bare public key', async () => {
    const signer = await Signer.load(hosts['P-384'].privateKey);
    const sealed = await encrypt(Buffer.from('a call'), { recipients: parties.recipients, signer });
    expect(signer.info.certificate).toBeNull();
    expect((await inspect(sealed)).signer).toEqual(signer.info);
    expect(decodeCallFile(Buffer.from(sealed), parties.maryPem).signer?.certificate).toBeNull();
    const publicKey = join(tempDir(), 'public.pem');
    openssl('pkey', '-in', hosts['P-384'].privateKey, '-pubout', '-out', publicKey);
    for (const path of [publicKey, hosts['P-384'].certificate]) {
      const options = { keys: parties.keys, requireSigner: await loadSigners([path]) };
      expect(`${Buffer.from(await decrypt(sealed, options))}`).toBe('a call');
    }
  });

  it('is the same with a renewed certificate, also once that has expired', async () => {
    const { privateKey, certificate } = hosts['P-256'];
    const expired = certify(tempDir(), privateKey, { from: '20200101000000Z', to: '20210101000000Z' });
    for (const [mine, theirs] of [
      [expired, certificate],
      [certificate, expired],
    ]) {
      const signer = await Signer.load(privateKey, { certificate: mine! });
      const sealed = await encrypt(Buffer.from('a call'), { recipients: parties.recipients, signer });
      const requireSigner = await loadSigners([theirs!]);
      expect(`${Buffer.from(await decrypt(sealed, { keys: parties.keys, requireSigner }))}`).toBe('a call');
    }
  });
});

describe('a file that the required signer did not sign', () => {
  const plaintext = Buffer.from('a call');
  let unsigned: Buffer;
  let others: Buffer;

  beforeAll(async () => {
    unsigned = Buffer.from(await encrypt(plaintext, { recipients: parties.recipients }));
    others = await WRITERS.buffer!(plaintext, hosts['P-384'].signer, SEGMENT);
  });

  it.each(Object.keys(READERS))('is refused as a %s', async (how) => {
    const refused = (sealed: Buffer) => codeOf(() => READERS[how]!(sealed, hosts['P-256']));
    expect(await refused(unsigned)).toBe('ERR_NOT_SIGNED');
    expect(await refused(others)).toBe('ERR_WRONG_SIGNER');
  });

  it('is refused by verify, and leaves no output', async () => {
    const dir = tempDir();
    const options = { keys: parties.keys, requireSigner: hosts['P-256'].required };
    for (const [sealed, code] of [
      [unsigned, 'ERR_NOT_SIGNED'],
      [others, 'ERR_WRONG_SIGNER'],
    ] as const) {
      writeFileSync(join(dir, 'sealed'), sealed);
      expect(await codeOf(() => verify(join(dir, 'sealed'), options))).toBe(code);
      const refusal = await refusalOf(() => decryptFile(join(dir, 'sealed'), join(dir, 'call'), options));
      expect(refusal).toMatchObject({ code, path: join(dir, 'sealed') });
      expect(existsSync(join(dir, 'call'))).toBe(false);
    }
  });

  it('releases nothing from a stream, and asks nobody for a passphrase', async () => {
    const asked: string[] = [];
    const closed = join(tempDir(), 'closed.key');
    openssl('pkey', '-in', parties.mary.privateKey, '-aes256', '-passout', 'pass:secret', '-out', closed);
    const ask = (path: string) => {
      asked.push(path);
      return Passphrase.fromBytes(Buffer.from('secret'));
    };
    const keys = new KeyRing([closed], { passphrases: [ask] });
    for (const sealed of [unsigned, others]) {
      const stream = createDecryptStream({ keys, requireSigner: hosts['P-256'].required });
      const { released, error } = await flow(stream, sealed, 100);
      expect(released).toHaveLength(0);
      expect(error).toBeInstanceOf(Error);
    }
    expect(asked).toEqual([]);
    expect(`${Buffer.from(await decrypt(others, { keys, requireSigner: hosts['P-384'].required }))}`).toBe('a call');
    expect(asked).toEqual([closed]);
  });

  it('opens where nobody is required', async () => {
    for (const read of Object.values(READERS)) {
      expect((await read(unsigned)).equals(plaintext)).toBe(true);
      expect((await read(others)).equals(plaintext)).toBe(true);
    }
  });
});

describe('a signer', () => {
  it('loads from every form of key file', async () => {
    const dir = tempDir();
    for (const kind of ['P-256', 'P-384'] as const) {
      const { privateKey, certificate, signer } = hosts[kind];
      const [sec1, der, sealed, p12] = ['sec1.pem', 'key.der', 'sealed.pem', 'key.p12'].map((name) => join(dir, name));
      openssl('ec', '-in', privateKey, '-out', sec1!);
      openssl('pkcs8', '-topk8', '-nocrypt', '-in', privateKey, '-outform', 'DER', '-out', der!);
      openssl('pkcs8', '-topk8', '-in', privateKey, '-passout', 'pass:secret', '-out', sealed!);
      openssl('pkcs12', '-export', '-inkey', privateKey, '-in', certificate, '-passout', 'pass:secret', '-out', p12!);
      const passphrases = [Passphrase.fromBytes(Buffer.from('secret'))];
      for (const path of [sec1!, der!, sealed!, p12!]) {
        const loaded = await Signer.load(path, { passphrases, certificate });
        expect(loaded.info).toEqual(signer.info);
      }
      expect(await codeOf(() => Signer.load(sealed!))).toBe('ERR_PASSPHRASE_REQUIRED');
    }
  });

  it('is refused for what files are not signed with', async () => {
    const dir = tempDir();
    const path = join(dir, 'other.key');
    for (const curve of ['secp256k1', 'P-521']) {
      openssl('genpkey', '-algorithm', 'EC', '-pkeyopt', `ec_paramgen_curve:${curve}`, '-out', path);
      expect(['ERR_NOT_APPROVED', 'ERR_KEY_UNREADABLE']).toContain(await codeOf(() => Signer.load(path)));
    }
    openssl('pkey', '-in', path, '-pubout', '-out', join(dir, 'other.pub'));
    expect(await codeOf(() => loadSigners([join(dir, 'other.pub')]))).toBe('ERR_NOT_APPROVED');
    expect(await codeOf(() => loadSigners([]))).toBe('ERR_INVALID_ARGUMENT');
    expect(await codeOf(() => loadSigners([join(dir, 'missing.crt')]))).toBe('ERR_CERTIFICATE_UNREADABLE');
    const mixed = { certificate: hosts['P-384'].certificate };
    expect(await codeOf(() => Signer.load(hosts['P-256'].privateKey, mixed))).toBe('ERR_INVALID_ARGUMENT');
    expect(await codeOf(() => Signer.load(join(dir, 'missing.key')))).toBe('ERR_IO');
  });

  it('has a key of its own: not one that opens files', async () => {
    const { recipients, mary } = parties;
    const signer = await Signer.load(mary.privateKey, { certificate: mary.certificate });
    const refusal = await refusalOf(() => encrypt(Buffer.from('x'), { recipients, signer }));
    expect(refusal.code).toBe('ERR_INVALID_ARGUMENT');
    expect(refusal.message).toContain(mary.certificate);
    const others = await Recipients.load([parties.fred.certificate]);
    await encrypt(Buffer.from('x'), { recipients: others, signer });
  });

  it('signs no more once it was destroyed, and finishes what it has begun', async () => {
    const signer = await Signer.load(hosts['P-256'].privateKey);
    const { recipients } = parties;
    const stream = createEncryptStream({ recipients, signer });
    const begun = new Promise<Buffer>((resolve, reject) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => {
        if (chunks.push(chunk) > 1) return;
        signer.destroy();
        stream.end();
      });
      stream.once('end', () => resolve(Buffer.concat(chunks)));
      stream.once('error', reject);
    });
    stream.write('a call');
    expect(`${await READERS.buffer!(await begun, hosts['P-256'])}`).toBe('a call');
    expect(await codeOf(() => encrypt(Buffer.from('x'), { recipients, signer }))).toBe('ERR_KEY_USE');
  });

  it('can be made here, in the module', async () => {
    for (const curve of ['P-256', 'P-384'] as const) {
      const signer = Signer.of(await generateSigningKey(curve));
      const sealed = await encrypt(Buffer.from('a call'), { recipients: parties.recipients, signer });
      expect(decodeCallFile(Buffer.from(sealed), parties.maryPem).signer?.keyId).toBe(signer.info.keyId);
    }
    expect(await codeOf(() => generateSigningKey('P-521' as 'P-256'))).toBe('ERR_INVALID_ARGUMENT');
  });

  it('and what is required must be what they are', async () => {
    const { recipients, keys } = parties;
    for (const wrong of [null, {}, 'host.crt', hosts['P-256'].required]) {
      const options = { recipients, signer: wrong as never };
      expect(await codeOf(() => encrypt(Buffer.from('x'), options))).toBe('ERR_INVALID_ARGUMENT');
      expect(await codeOf(() => createEncryptStream(options))).toBe('ERR_INVALID_ARGUMENT');
      expect(await codeOf(() => encryptFile('a', 'b', options))).toBe('ERR_INVALID_ARGUMENT');
    }
    for (const wrong of [null, {}, 'host.crt', ['host.crt'], hosts['P-256'].signer]) {
      const options = { keys, requireSigner: wrong as never };
      expect(await codeOf(() => decrypt(Buffer.from('x'), options))).toBe('ERR_INVALID_ARGUMENT');
      expect(await codeOf(() => createDecryptStream(options))).toBe('ERR_INVALID_ARGUMENT');
      expect(await codeOf(() => decryptFile('a', 'b', options))).toBe('ERR_INVALID_ARGUMENT');
      expect(await codeOf(() => verify('a', options))).toBe('ERR_INVALID_ARGUMENT');
    }
  });
});
