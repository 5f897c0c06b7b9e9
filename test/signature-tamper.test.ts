/**
 * Signed files altered (docs/format.md, section 9): every byte of both blocks and of what they cover, blocks moved, put
 * in place of others and taken away, and what those can do who hold certificates only, or the content key.
 */

import { createPrivateKey, randomBytes } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

import {
  createDecryptStream,
  decrypt,
  decryptFile,
  type ErrorCode,
  encrypt,
  inspect,
  type SignerCertificates,
  verify,
} from '../lib/index.ts';
import { codeOf } from './helpers/errors.ts';
import { makeParties, type Parties } from './helpers/parties.ts';
import { Insider, joined, type Parts, partsOf, resigned } from './helpers/signed-file.ts';
import { makeHost, SIGNER_KINDS, type SigningHost } from './helpers/signers.ts';
import { flow } from './helpers/streams.ts';
import { tempDir } from './helpers/temp.ts';
import { decodeCallFile } from './independent-decoder.ts';

const SEGMENT = 1024;
const FULL = SEGMENT - 32;
const plaintext = randomBytes(2 * FULL + 100);

let parties: Parties;
let host: SigningHost;
let sealed: Buffer;
let parts: Parts;

const seal = async (content: Buffer, { signer }: SigningHost): Promise<Buffer> =>
  Buffer.from(await encrypt(content, { recipients: parties.recipients, signer, segmentLength: SEGMENT }));
const open = (file: Buffer, requireSigner?: SignerCertificates) => decrypt(file, { keys: parties.keys, requireSigner });

beforeAll(async () => {
  parties = await makeParties();
  host = await makeHost('P-256');
  sealed = await seal(plaintext, host);
  parts = partsOf(sealed);
  expect(joined(parts).equals(sealed)).toBe(true);
  expect(parts.segments).toHaveLength(3);
  expect(decodeCallFile(sealed, parties.maryPem).plaintext.equals(plaintext)).toBe(true);
});

describe.each(SIGNER_KINDS)('the bytes of a signature with %s', (kind) => {
  it('count: one altered, the file is refused by its code', { timeout: 60_000 }, async () => {
    const other = await makeHost(kind, 'another host');
    const file = await seal(plaintext, other);
    const { before, opening, closing } = partsOf(file);
    // Of the two blocks, in turn where each begins and ends.
    const ends = [before.length, before.length + opening.length, file.length - closing.length, file.length];
    const step = kind === 'P-256' ? 1 : 5;
    for (let offset = ends[0]!; offset < file.length; offset += step) {
      if (offset >= ends[1]! && offset < ends[2]!) offset = ends[2]!;
      const altered = Buffer.from(file);
      altered[offset]! ^= 1 << (offset & 7);
      const inHead = offset - ends[0]!;
      const expected: ErrorCode[] = ['ERR_TAMPERED'];
      // The algorithm, or a length that moves it all.
      if (inHead < 2) expected.push('ERR_UNSUPPORTED_VERSION');
      if (inHead >= 2 && inHead < 6) expected.push('ERR_TRUNCATED');
      expect(expected, `byte ${inHead}`).toContain(await codeOf(() => open(altered)));
    }
  });
});

describe('what the opening covers', () => {
  it('is all that it names: prelude, signer and FLOE header', async () => {
    const { prelude, before, floeHeader, opening } = parts;
    const header = before.length + opening.length;
    const covered = [...Array(prelude.length).keys(), ...Array.from(floeHeader.keys(), (index) => header + index)];
    for (const offset of covered) {
      const altered = Buffer.from(sealed);
      altered[offset]! ^= 0x10;
      expect(await codeOf(() => open(altered, host.required))).toMatch(
        offset < 16 ? /NOT_CALLSEAL|UNSUPPORTED_VERSION/ : /TAMPERED/,
      );
    }
  });

  it('is refused before a key is looked for', async () => {
    const altered = joined({ ...parts, floeHeader: Buffer.from(parts.floeHeader).fill(7, 20, 21) });
    const nobody = { keys: parties.keys, requireSigner: host.required };
    expect(await codeOf(() => decrypt(altered, nobody))).toBe('ERR_TAMPERED');
    const stream = createDecryptStream(nobody);
    expect((await flow(stream, altered, 100)).released).toHaveLength(0);
  });
});

describe('a signature taken off', () => {
  it('with its flag breaks the file, whoever is required', async () => {
    const before = Buffer.from(parts.before);
    before.writeUInt32BE(0, 12);
    const bare = joined({ ...parts, before, opening: Buffer.alloc(0), closing: Buffer.alloc(0) });
    expect(await codeOf(() => open(bare))).toBe('ERR_TAMPERED');
    expect(await codeOf(() => open(bare, host.required))).toBe('ERR_NOT_SIGNED');
    const flag = Buffer.from(sealed);
    flag.writeUInt32BE(0, 12);
    expect(await codeOf(() => open(flag))).toBe('ERR_TAMPERED');
  });

  it('without its flag is missed', async () => {
    const unopened = joined({ ...parts, opening: Buffer.alloc(0) });
    expect(await codeOf(() => open(unopened))).toMatch(/ERR_(TAMPERED|UNSUPPORTED_VERSION)/);
    const unclosed = joined({ ...parts, closing: Buffer.alloc(0) });
    for (const required of [undefined, host.required]) {
      expect(await codeOf(() => open(unclosed, required))).toBe('ERR_TRUNCATED');
    }
    const unsigned = Buffer.from(await encrypt(plaintext, { recipients: parties.recipients }));
    unsigned.writeUInt32BE(1, 12);
    expect(await codeOf(() => open(unsigned))).toMatch(/ERR_(TAMPERED|UNSUPPORTED_VERSION)/);
  });
});

describe('a signature put in the place of another', () => {
  it('by somebody without the content key breaks the file, and is not the one required', async () => {
    const forger = await makeHost('P-256', 'forger');
    const forged = resigned(parts, createPrivateKey(forger.privatePem));
    expect(await codeOf(() => open(forged))).toBe('ERR_TAMPERED');
    expect(await codeOf(() => open(forged, forger.required))).toBe('ERR_TAMPERED');
    expect(await codeOf(() => open(forged, host.required))).toBe('ERR_WRONG_SIGNER');
    const original = resigned(parts, createPrivateKey(host.privatePem), parts.fields);
    expect(Buffer.from(await open(original, host.required)).equals(plaintext)).toBe(true);
  });

  it('with the words of the required signer and a key of the forger is not the one required', async () => {
    const forger = await makeHost('P-256', 'host P-256');
    const file = await seal(plaintext, forger);
    expect(await codeOf(() => open(file, host.required))).toBe('ERR_WRONG_SIGNER');
    const theirs = partsOf(file);
    const fields = Buffer.from(theirs.fields);
    parts.fields.copy(fields, 6, 6, 38);
    const named = joined({ ...theirs, opening: Buffer.concat([fields, theirs.opening.subarray(fields.length)]) });
    for (const required of [undefined, host.required]) {
      expect(await codeOf(() => open(named, required))).toBe('ERR_TAMPERED');
    }
  });

  it('from another file of the same signer breaks the file', async () => {
    const other = partsOf(await seal(plaintext, host));
    for (const moved of [
      { opening: other.opening },
      { closing: other.closing },
      { opening: other.opening, closing: other.closing },
      { opening: other.opening, floeHeader: other.floeHeader, segments: other.segments, closing: other.closing },
      { floeHeader: other.floeHeader },
    ]) {
      expect(await codeOf(() => open(joined({ ...parts, ...moved }), host.required))).toBe('ERR_TAMPERED');
    }
  });

  it('the other solution of ECDSA, is none', async () => {
    const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
    const opening = Buffer.from(parts.opening);
    const s = BigInt(`0x${opening.subarray(-32).toString('hex')}`);
    opening.write((order - s).toString(16).padStart(64, '0'), opening.length - 32, 'hex');
    expect(await codeOf(() => open(joined({ ...parts, opening }), host.required))).toBe('ERR_TAMPERED');
  });
});

describe('the end of a signed file', () => {
  it('cut anywhere in its closing block is missed, and nothing is written', async () => {
    const dir = tempDir();
    for (let cut = 1; cut <= parts.closing.length; cut += 5) {
      const file = sealed.subarray(0, sealed.length - cut);
      expect(await codeOf(() => open(file))).toBe('ERR_TRUNCATED');
      const { error } = await flow(createDecryptStream({ keys: parties.keys }), file, 500);
      expect(error).toMatchObject({ code: 'ERR_TRUNCATED' });
      writeFileSync(join(dir, 'sealed'), file);
      expect(await codeOf(() => verify(join(dir, 'sealed'), { keys: parties.keys }))).toBe('ERR_TRUNCATED');
      expect(await codeOf(() => decryptFile(join(dir, 'sealed'), join(dir, 'call'), { keys: parties.keys }))).toBe(
        'ERR_TRUNCATED',
      );
      expect((await inspect(file)).state).toBe('truncated');
    }
    expect(existsSync(join(dir, 'call'))).toBe(false);
  });

  it('cut anywhere else, too', async () => {
    for (let length = parts.before.length; length < sealed.length; length += 97) {
      const file = sealed.subarray(0, length);
      expect(await codeOf(() => open(file))).toBe('ERR_TRUNCATED');
      if (length > parts.before.length + parts.opening.length + 74) {
        expect((await inspect(file)).state).toBe('truncated');
      }
    }
  });

  it('without segments before its closing block is missed by a stream, too, once that has ended', async () => {
    for (const count of [0, 1, 2]) {
      const file = joined({ ...parts, segments: parts.segments.slice(0, count) });
      expect(await codeOf(() => open(file))).toBe('ERR_TRUNCATED');
      for (const chunk of [1, 500, file.length]) {
        const cut = await flow(createDecryptStream({ keys: parties.keys }), file, chunk);
        expect(cut.error).toMatchObject({
          code: 'ERR_TRUNCATED',
          message: expect.stringContaining(`the signature of its writer follows where segment ${count} should`),
        });
        expect(cut.released).toHaveLength(count * FULL);
        const more = Buffer.concat([file, Buffer.from([0])]);
        const { error } = await flow(createDecryptStream({ keys: parties.keys }), more, chunk);
        expect(error).toMatchObject({ code: 'ERR_TAMPERED' });
      }
    }
  });

  it('takes nothing behind it, and nothing before its closing block', async () => {
    const { before, opening, floeHeader, segments, closing } = parts;
    const late = Buffer.concat([sealed, Buffer.from([0])]);
    const between = Buffer.concat([before, opening, floeHeader, ...segments, Buffer.from([0]), closing]);
    const twice = Buffer.concat([sealed, closing]);
    for (const file of [late, between, twice]) {
      expect(await codeOf(() => open(file))).toBe('ERR_TAMPERED');
      const { error } = await flow(createDecryptStream({ keys: parties.keys }), file, 500);
      expect(error).toMatchObject({ code: 'ERR_TAMPERED' });
      expect((await inspect(file)).state).toBe('damaged');
    }
  });

  it('wrong, leaves no output of a file and none in a buffer', async () => {
    const altered = Buffer.from(sealed);
    altered[altered.length - 1]! ^= 1;
    const dir = tempDir();
    writeFileSync(join(dir, 'sealed'), altered);
    expect(await codeOf(() => decryptFile(join(dir, 'sealed'), join(dir, 'call'), { keys: parties.keys }))).toBe(
      'ERR_TAMPERED',
    );
    expect(existsSync(join(dir, 'call'))).toBe(false);
    const output = new Uint8Array(plaintext.length);
    expect(await codeOf(() => decrypt(altered, { keys: parties.keys, output }))).toBe('ERR_TAMPERED');
    expect(output.every((byte) => byte === 0)).toBe(true);
  });
});

describe('a recipient, who has the content key,', () => {
  const other = randomBytes(FULL);
  let insider: Insider;

  beforeAll(() => {
    insider = new Insider(parts, parties.maryPem);
  });

  it('cannot replace a segment: the closing signature says so', async () => {
    const segments = [insider.segment(0, false, other), ...parts.segments.slice(1)];
    const forged = joined({ ...parts, segments });
    // Without the signature it would open: the segment is authentic.
    const { error, released } = await flow(createDecryptStream({ keys: parties.keys }), forged, 500);
    expect(released.subarray(0, FULL).equals(other)).toBe(true);
    expect(error).toMatchObject({ code: 'ERR_TAMPERED' });
    expect(await codeOf(() => open(forged))).toBe('ERR_TAMPERED');
    const dir = tempDir();
    writeFileSync(join(dir, 'sealed'), forged);
    const options = { keys: parties.keys, requireSigner: host.required };
    expect(await codeOf(() => verify(join(dir, 'sealed'), options))).toBe('ERR_TAMPERED');
    expect(await codeOf(() => decryptFile(join(dir, 'sealed'), join(dir, 'call'), options))).toBe('ERR_TAMPERED');
    expect(existsSync(join(dir, 'call'))).toBe(false);
    expect(() => decodeCallFile(forged, parties.maryPem)).toThrow('closing signature');
  });

  it('cannot leave segments out, or add some', async () => {
    const [first, second, third] = parts.segments as [Buffer, Buffer, Buffer];
    const shortened = [first, insider.segment(1, true, plaintext.subarray(FULL, 2 * FULL))];
    const lengthened = [first, second, insider.segment(2, false, other), insider.segment(3, true, third.subarray(32))];
    for (const segments of [shortened, lengthened, [insider.segment(0, true, Buffer.alloc(0))]]) {
      expect(await codeOf(() => open(joined({ ...parts, segments }), host.required))).toBe('ERR_TAMPERED');
    }
  });

  it('can change the recipients, and the signature stands', async () => {
    const changed = joined({ ...parts, before: insider.withoutOthers() });
    expect((await inspect(changed)).recipients).toHaveLength(1);
    expect(Buffer.from(await open(changed, host.required)).equals(plaintext)).toBe(true);
    expect(decodeCallFile(changed, parties.maryPem).signer?.keyId).toBe(host.signer.info.keyId);
  });
});
