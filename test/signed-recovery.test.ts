/**
 * Signed files that were cut or damaged: every reader releases the same of them, and says what their signature proves. A
 * signature that is there and wrong is refused.
 */

import { createPrivateKey, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

import {
  createDecryptStream,
  decrypt,
  decryptFile,
  encrypt,
  type FileSigner,
  followCallFile,
  inspect,
  type Loss,
  openRandomAccess,
} from '../lib/index.ts';
import { codeOf } from './helpers/errors.ts';
import { makeParties, type Parties } from './helpers/parties.ts';
import { joined, type Parts, partsOf, resigned } from './helpers/signed-file.ts';
import { makeHost, type SigningHost } from './helpers/signers.ts';
import { flow } from './helpers/streams.ts';
import { tempDir } from './helpers/temp.ts';
import { recoverCallFile } from './independent-decoder.ts';

const SEGMENT = 1024;
const FULL = SEGMENT - 32;

/** What a reader has released of a file. */
interface Released {
  plaintext: Buffer;
  loss: Loss | null;
  content: FileSigner['content'] | undefined;
}

let parties: Parties;
let host: SigningHost;
let other: SigningHost;
let dir: string;

beforeAll(async () => {
  parties = await makeParties();
  [host, other] = await Promise.all([makeHost('P-256'), makeHost('P-256', 'other')]);
  dir = tempDir();
});

/** Every reader that recovers; each requires the signer. */
const READERS: Record<string, (file: Buffer, by?: SigningHost) => Promise<Released>> = {
  buffer: async (file, by = host) => {
    const result = await decrypt(file, { keys: parties.keys, requireSigner: by.required, recover: true });
    return { plaintext: Buffer.from(result.plaintext), loss: result.loss, content: result.signer?.content };
  },
  stream: async (file, by = host) => {
    const stream = createDecryptStream({ keys: parties.keys, requireSigner: by.required, recover: true });
    const { released, error } = await flow(stream, file, 700);
    if (error !== undefined) throw error;
    return { plaintext: released, loss: stream.loss, content: stream.signer?.content };
  },
  file: async (file, by = host) => {
    const [input, output] = [join(dir, 'altered'), join(dir, 'output')];
    writeFileSync(input, file);
    const options = { keys: parties.keys, requireSigner: by.required, recover: true, overwrite: true, sync: false };
    const { loss, signer } = await decryptFile(input, output, options);
    return { plaintext: readFileSync(output), loss, content: signer?.content };
  },
  tail: async (file, by = host) => {
    writeFileSync(join(dir, 'tailed'), file);
    const followed = followCallFile(join(dir, 'tailed'), { keys: parties.keys, requireSigner: by.required });
    const parts: Uint8Array[] = [];
    for await (const part of followed) parts.push(part);
    return { plaintext: Buffer.concat(parts), loss: followed.loss, content: followed.signer?.content };
  },
};
const readers = Object.entries(READERS);

async function sealed(length: number): Promise<{ plaintext: Buffer; file: Buffer; parts: Parts; end: number }> {
  const plaintext = randomBytes(length);
  const options = { recipients: parties.recipients, signer: host.signer, segmentLength: SEGMENT };
  const file = Buffer.from(await encrypt(plaintext, options));
  const parts = partsOf(file);
  return { plaintext, file, parts, end: file.length - parts.closing.length };
}

/** A last segment that is full, empty, of one byte, and one that is shorter than the block that follows. */
const LENGTHS = [2 * FULL, 0, 2 * FULL + 1, FULL + 30, 3 * FULL - 1];

describe('a signed file that is cut', () => {
  it.each(LENGTHS)('inside its closing block gives all of its content (%i bytes)', async (length) => {
    const { plaintext, file, parts, end } = await sealed(length);
    for (const cut of [end, end + 1, end + 4, file.length - 1]) {
      const expected = {
        plaintext,
        loss: {
          reason: 'truncated',
          segment: parts.segments.length,
          offset: end,
          bytes: cut - end,
          signatureOnly: true,
        },
        content: 'opening-only',
      };
      const altered = file.subarray(0, cut);
      for (const [name, read] of readers) expect(await read(altered), `${name} of ${cut}`).toEqual(expected);
      expect(recoverCallFile(altered, parties.maryPem)).toMatchObject({ plaintext, end: 'truncated' });
      expect(await codeOf(() => decrypt(altered, { keys: parties.keys })), `${cut}`).toBe('ERR_TRUNCATED');
      expect(await inspect(altered)).toMatchObject({ complete: false, state: 'truncated' });
    }
  });

  it('inside a segment gives what is before it', async () => {
    const { plaintext, file, end } = await sealed(2 * FULL + 90);
    const start = end - 2 * SEGMENT - 122;
    for (const cut of [start, start + 3, start + SEGMENT, start + 2 * SEGMENT - 1, start + 2 * SEGMENT, end - 1]) {
      const segment = Math.floor((cut - start) / SEGMENT);
      const offset = start + segment * SEGMENT;
      const expected = {
        plaintext: plaintext.subarray(0, segment * FULL),
        loss: { reason: 'truncated', segment, offset, bytes: cut - offset },
        content: 'opening-only',
      };
      for (const [name, read] of readers) {
        expect(await read(file.subarray(0, cut)), `${name} of ${cut}`).toEqual(expected);
      }
    }
  });

  it('was begun by who is required, or gives nothing', async () => {
    const { file, end } = await sealed(100);
    for (const [name, read] of readers) {
      expect(await codeOf(() => read(file.subarray(0, end), other)), name).toBe('ERR_WRONG_SIGNER');
    }
  });
});

describe('a signed file that is whole', () => {
  it.each(LENGTHS)('is verified to its end by readers that recover (%i bytes)', async (length) => {
    const { plaintext, file } = await sealed(length);
    for (const [name, read] of readers) {
      expect(await read(file), name).toEqual({ plaintext, loss: null, content: 'verified' });
    }
  });
});

describe('a signed file that was altered', () => {
  it('in its closing block is refused, though all segments are authentic', async () => {
    const { file, parts } = await sealed(2 * FULL + 90);
    const another = partsOf((await sealed(2 * FULL + 90)).file);
    const closing = Buffer.from(parts.closing);
    closing[closing.length - 1]! ^= 1;
    const forged = partsOf(resigned(parts, createPrivateKey(other.privatePem)));
    const altered = {
      'a bit of it': joined({ ...parts, closing }),
      'that of another file': joined({ ...parts, closing: another.closing }),
      "somebody else's": joined({ ...parts, closing: forged.closing }),
      zeros: joined({ ...parts, closing: Buffer.alloc(parts.closing.length, 1) }),
    };
    expect(altered['a bit of it']).toHaveLength(file.length);
    for (const [what, bytes] of Object.entries(altered)) {
      for (const [name, read] of readers) {
        expect(await codeOf(() => read(bytes)), `${name}: ${what}`).toBe('ERR_TAMPERED');
        const longer = Buffer.concat([bytes, Buffer.from('more')]);
        expect(await codeOf(() => read(longer)), `${name}: ${what}, and more`).toBe('ERR_TAMPERED');
      }
    }
  });

  it('in a segment gives what is before it, and its signature is not verified', async () => {
    const { plaintext, file, end } = await sealed(2 * FULL + 90);
    const damaged = Buffer.from(file);
    const offset = end - SEGMENT - 122;
    damaged[offset + 100]! ^= 1;
    const expected = {
      plaintext: plaintext.subarray(0, FULL),
      loss: { reason: 'damaged', segment: 1, offset, bytes: file.length - offset },
      content: 'opening-only',
    };
    for (const [name, read] of readers) {
      if (name === 'tail') expect(await codeOf(() => read(damaged))).toBe('ERR_TAMPERED');
      else expect(await read(damaged), name).toEqual(expected);
    }
  });

  it('by the loss of segments before its closing block gives what is before them', async () => {
    const { plaintext, parts } = await sealed(2 * FULL + 90);
    for (const [count, closing] of [
      [2, parts.closing],
      [1, parts.closing],
      [1, parts.closing.subarray(0, 10)],
    ] as const) {
      const file = joined({ ...parts, segments: parts.segments.slice(0, count), closing });
      const loss = { reason: 'damaged', segment: count, offset: file.length - closing.length, bytes: closing.length };
      const expected = { plaintext: plaintext.subarray(0, count * FULL), loss, content: 'opening-only' };
      for (const [name, read] of readers) {
        if (name !== 'tail') expect(await read(file), name).toEqual(expected);
      }
    }
  });

  it('by bytes behind its end gives all of it, verified', async () => {
    const { plaintext, file, parts } = await sealed(2 * FULL + 90);
    for (const more of [1, parts.closing.length, 5000]) {
      const longer = Buffer.concat([file, randomBytes(more)]);
      const loss = { reason: 'trailing', segment: 3, offset: file.length, bytes: more };
      for (const [name, read] of readers) {
        if (name === 'tail') expect(await codeOf(() => read(longer))).toBe('ERR_TAMPERED');
        else expect(await read(longer), `${name}, ${more} more`).toEqual({ plaintext, loss, content: 'verified' });
      }
    }
  });

  it('is recovered by several threads as by one', async () => {
    const plaintext = randomBytes(9 << 20);
    const options = { recipients: parties.recipients, signer: host.signer, segmentLength: 65_536 };
    const file = Buffer.from(await encrypt(plaintext, options));
    const { closing } = partsOf(file);
    const end = file.length - closing.length;
    const read = READERS.file!;
    expect((await read(file)).content).toBe('verified');
    const cut = await read(file.subarray(0, file.length - 1));
    expect([cut.plaintext.equals(plaintext), cut.loss]).toEqual([
      true,
      { reason: 'truncated', segment: 145, offset: end, bytes: closing.length - 1, signatureOnly: true },
    ]);
    const wrong = Buffer.concat([file.subarray(0, file.length - 1), Buffer.from([file.at(-1)! ^ 1])]);
    expect(await codeOf(() => read(wrong))).toBe('ERR_TAMPERED');
    const longer = await read(Buffer.concat([file, Buffer.alloc(1 << 20)]));
    expect([longer.plaintext.equals(plaintext), longer.content]).toEqual([true, 'verified']);
  });
});

describe('parts of a signed file', () => {
  const open = (name: string, recover: boolean, by = host) =>
    openRandomAccess(join(dir, name), { keys: parties.keys, requireSigner: by.required, recover });

  it.each(LENGTHS)('are read as far as segments go, of a file whose end is missing, too (%i bytes)', async (length) => {
    const { plaintext, file, end } = await sealed(length);
    for (const size of [file.length, file.length - 1, end + 1, end]) {
      writeFileSync(join(dir, 'ranges'), file.subarray(0, size));
      await using call = await open('ranges', true);
      expect([call.size, call.complete]).toEqual([length, size === file.length]);
      expect(Buffer.from(await call.readRange(0)).equals(plaintext)).toBe(true);
      expect(call.signer).toMatchObject({ keyId: host.signer.info.keyId, trusted: true, content: 'opening-only' });
      if (size < file.length) expect(await codeOf(() => open('ranges', false))).toBe('ERR_TRUNCATED');
    }
    writeFileSync(join(dir, 'ranges'), file.subarray(0, end - 1));
    await using call = await open('ranges', true);
    expect(call.size).toBe(Math.max(0, Math.ceil(length / FULL) - 1) * FULL);
  });

  it('are those of who is required', async () => {
    writeFileSync(join(dir, 'ranges'), (await sealed(100)).file);
    expect(await codeOf(() => open('ranges', false, other))).toBe('ERR_WRONG_SIGNER');
    const { parts } = await sealed(100);
    const opening = Buffer.from(parts.opening);
    opening[opening.length - 1]! ^= 1;
    writeFileSync(join(dir, 'ranges'), joined({ ...parts, opening }));
    expect(await codeOf(() => open('ranges', false))).toBe('ERR_TAMPERED');
    writeFileSync(join(dir, 'ranges'), await encrypt(Buffer.from('x'), { recipients: parties.recipients }));
    expect(await codeOf(() => open('ranges', false))).toBe('ERR_NOT_SIGNED');
  });

  it('are its last bytes, with the beginning of its signature verified', async () => {
    for (const length of LENGTHS) {
      const { plaintext, file, end } = await sealed(length);
      for (const [bytes, size] of [
        [0, file.length],
        [10, file.length],
        [10, file.length - 1],
        [FULL + 5, end],
      ] as const) {
        writeFileSync(join(dir, 'last'), file.subarray(0, size));
        const followed = followCallFile(join(dir, 'last'), { keys: parties.keys, bytes });
        const parts: Uint8Array[] = [];
        for await (const part of followed) parts.push(part);
        const wanted = plaintext.subarray(Math.max(0, length - bytes));
        expect(Buffer.concat(parts).equals(wanted), `${bytes} of ${length}, ${size - end}`).toBe(true);
        expect(followed.complete).toBe(size === file.length);
        if (length - bytes > FULL) expect(followed.signer?.content).toBe('opening-only');
      }
    }
  });
});
