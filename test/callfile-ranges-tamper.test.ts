/** Random access to files that were altered: a read gives authenticated bytes or fails, and others are not affected. */

import { randomBytes } from 'node:crypto';
import { appendFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

import { type ErrorCode, encrypt, openRandomAccess, type RandomAccessFile } from '../lib/index.ts';
import { codeOf } from './helpers/errors.ts';
import { makeParties, type Parties } from './helpers/parties.ts';
import { type FileMap, mapCallFile } from './helpers/regions.ts';
import { tempDir } from './helpers/temp.ts';

const SEGMENT = 1024;
const FULL = SEGMENT - 32;
/** Four full segments and a short one. */
const plaintext = randomBytes(4 * FULL + 200);
const COUNT = 5;

let parties: Parties;
let sealed: Buffer;
let other: Buffer;
let map: FileMap;
let path: string;

beforeAll(async () => {
  parties = await makeParties();
  const options = { recipients: parties.recipients, segmentLength: SEGMENT };
  sealed = Buffer.from(await encrypt(plaintext, options));
  other = Buffer.from(await encrypt(randomBytes(plaintext.length), options));
  map = mapCallFile(sealed);
  path = join(tempDir(), 'call.sealed');
});

function open(bytes: Uint8Array, recover = false): Promise<RandomAccessFile> {
  writeFileSync(path, bytes);
  return openRandomAccess(path, { keys: parties.keys, recover });
}

const partOf = (index: number): [number, number] => [index * FULL, Math.min((index + 1) * FULL, plaintext.length)];
const encryptedPart = (file: Buffer, index: number): Buffer =>
  file.subarray(map.segments[index], map.segments[index + 1]);

/** Reads every segment by itself, those around it, and all; only reads without a bad segment may succeed. */
async function expectBad(call: RandomAccessFile, bad: ReadonlySet<number>, code: ErrorCode = 'ERR_TAMPERED') {
  for (let first = 0; first < COUNT; first++) {
    for (let last = first; last < COUNT; last++) {
      const [start, end] = [partOf(first)[0], partOf(last)[1]];
      const touched = Array.from({ length: last - first + 1 }, (_, index) => first + index);
      if (touched.some((index) => bad.has(index))) {
        expect(await codeOf(() => call.readRange(start, end))).toBe(code);
      } else {
        expect(plaintext.subarray(start, end).equals(await call.readRange(start, end))).toBe(true);
      }
    }
  }
}

function flipped(offset: number): Buffer {
  const altered = Buffer.from(sealed);
  altered[offset]! ^= 0x04;
  return altered;
}

describe('an altered segment', () => {
  it('fails the reads that touch it, whichever of its bytes it is', async () => {
    for (let index = 0; index < COUNT - 1; index++) {
      for (const within of [0, 3, 4, 15, 16, 500, SEGMENT - 17, SEGMENT - 16, SEGMENT - 1]) {
        await using call = await open(flipped(map.segments[index]! + within));
        expect(call.size).toBe(plaintext.length);
        await expectBad(call, new Set([index]));
      }
    }
  });

  it('is not opened at all when it is the last, which says how long the file is', async () => {
    const start = map.segments[COUNT - 1]!;
    for (let offset = start; offset < sealed.length; offset++) {
      const code = await codeOf(() => open(flipped(offset)));
      expect(offset < start + 4 ? ['ERR_TAMPERED', 'ERR_TRUNCATED'] : ['ERR_TAMPERED']).toContain(code);
    }
  });

  it('leaves nothing of itself in the buffer', async () => {
    await using call = await open(flipped(map.segments[1]! + 600));
    const target = Buffer.alloc(3 * FULL, 0x55);
    expect(await codeOf(() => call.read(target, { position: 0 }))).toBe('ERR_TAMPERED');
    expect(target.subarray(FULL).every((byte) => byte === 0x55)).toBe(true);
  });

  it('ends a stream after what comes before it', async () => {
    await using call = await open(flipped(map.segments[2]! + 20));
    const released: Buffer[] = [];
    const reading = async (): Promise<void> => {
      for await (const chunk of call.createReadStream({ start: 10, highWaterMark: 500 }))
        released.push(chunk as Buffer);
    };
    expect(await codeOf(reading)).toBe('ERR_TAMPERED');
    expect(Buffer.concat(released).equals(plaintext.subarray(10, 2 * FULL))).toBe(true);
  });
});

describe('rearranged segments', () => {
  it.each([
    [0, 1],
    [1, 3],
  ])('%i and %i in each other’s place fail both', async (one, two) => {
    const altered = Buffer.from(sealed);
    encryptedPart(sealed, one).copy(altered, map.segments[two]);
    encryptedPart(sealed, two).copy(altered, map.segments[one]);
    await using call = await open(altered);
    await expectBad(call, new Set([one, two]));
  });

  it('of another file for the same people fail', async () => {
    const altered = Buffer.from(sealed);
    encryptedPart(other, 2).copy(altered, map.segments[2]);
    await using call = await open(altered);
    await expectBad(call, new Set([2]));
    const end = Buffer.concat([sealed.subarray(0, map.segments[4]), encryptedPart(other, 4)]);
    expect(await codeOf(() => open(end))).toBe('ERR_TAMPERED');
  });

  it('left out or repeated are noticed at the end, before anything is read', async () => {
    const body = (indices: number[]) => indices.map((index) => encryptedPart(sealed, index));
    const head = sealed.subarray(0, map.segments[0]);
    for (const order of [[0, 1, 2, 4], [1, 2, 3, 4], [4], [0, 1, 2, 3, 3, 4], [0, 0, 1, 2, 3, 4]]) {
      expect(await codeOf(() => open(Buffer.concat([head, ...body(order)])))).toBe('ERR_TAMPERED');
    }
  });
});

describe('every byte of the header', () => {
  it('matters', async () => {
    const codes = new Set<ErrorCode>();
    for (let offset = 0; offset < map.segments[0]!; offset += 3) codes.add(await codeOf(() => open(flipped(offset))));
    const known = [
      'ERR_NOT_CALLSEAL',
      'ERR_UNSUPPORTED_VERSION',
      'ERR_TAMPERED',
      'ERR_TRUNCATED',
      'ERR_NO_MATCHING_KEY',
    ];
    expect(known).toEqual(expect.arrayContaining([...codes]));
  });
});

describe('a file that was cut', () => {
  it('is refused wherever it ends, and opened with recover as far as whole segments go', async () => {
    for (let length = map.segments[0]!; length < sealed.length; length += 101) {
      const cut = sealed.subarray(0, length);
      expect(await codeOf(() => open(cut))).toBe('ERR_TRUNCATED');
      await using call = await open(cut, true);
      const whole = Math.min(COUNT - 1, Math.floor((length - map.segments[0]!) / SEGMENT));
      expect([call.complete, call.size]).toEqual([false, whole * FULL]);
      expect(plaintext.subarray(0, whole * FULL).equals(await call.readRange(0))).toBe(true);
    }
  });

  it('is refused with recover, too, when its last whole segment is not authentic', async () => {
    const cut = flipped(map.segments[2]! + 40).subarray(0, map.segments[3]! + 10);
    expect(await codeOf(() => open(cut, true))).toBe('ERR_TAMPERED');
  });

  it('is complete with recover when nothing is missing', async () => {
    await using call = await open(sealed, true);
    expect([call.complete, call.size]).toEqual([true, plaintext.length]);
  });
});

describe('a file that was made longer', () => {
  it.each([1, 31, 32, SEGMENT - 232, SEGMENT, 3 * SEGMENT])('by %i bytes is refused', async (more) => {
    for (const tail of [Buffer.alloc(more), randomBytes(more), sealed.subarray(map.segments[0]).subarray(0, more)]) {
      const code = await codeOf(() => open(Buffer.concat([sealed, tail])));
      expect(['ERR_TAMPERED', 'ERR_TRUNCATED']).toContain(code);
      expect(await codeOf(() => open(Buffer.concat([sealed, tail]), true))).toBe('ERR_TAMPERED');
    }
  });
});

describe('a file that is written to while it is open', () => {
  it('fails the reads that touch what is gone or altered, and says so', async () => {
    await using call = await open(sealed);
    const first = await call.readRange(0, FULL);
    writeFileSync(path, flipped(map.segments[2]! + 100), { flag: 'r+' });
    expect(await codeOf(() => call.readRange(2 * FULL, 2 * FULL + 1))).toBe('ERR_INPUT_CHANGED');
    expect(plaintext.subarray(FULL, 2 * FULL).equals(await call.readRange(FULL, 2 * FULL))).toBe(true);
    truncateSync(path, map.segments[1]! + 7);
    expect(await codeOf(() => call.readRange(3 * FULL, 3 * FULL + 5))).toBe('ERR_INPUT_CHANGED');
    expect(plaintext.subarray(0, FULL).equals(first)).toBe(true);
  });

  it('is not read again for each of many small reads in one segment', async () => {
    await using call = await open(sealed);
    expect(plaintext.subarray(FULL, FULL + 1).equals(await call.readRange(FULL, FULL + 1))).toBe(true);
    writeFileSync(path, flipped(map.segments[1]! + 100), { flag: 'r+' });
    for (let at = FULL; at < 2 * FULL; at += 100) {
      const end = Math.min(at + 100, 2 * FULL);
      expect(plaintext.subarray(at, end).equals(await call.readRange(at, end))).toBe(true);
    }
  });

  it('keeps its length when something is added', async () => {
    await using call = await open(sealed);
    appendFileSync(path, randomBytes(5000));
    expect(plaintext.equals(await call.readRange(0))).toBe(true);
    expect(call.size).toBe(plaintext.length);
  });
});
