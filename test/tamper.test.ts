/**
 * Every byte of a call file altered, every length it can be cut to, and every rearrangement of its parts: all detected,
 * told by the code that docs/format.md section 6 gives them, and nothing unauthenticated released.
 */

import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

import {
  type CallsealError,
  createDecryptStream,
  decrypt,
  decryptFile,
  type ErrorCode,
  encrypt,
  inspect,
  KeyRing,
} from '../lib/index.ts';
import { codeOf } from './helpers/errors.ts';
import { makeParties, type Parties } from './helpers/parties.ts';
import { type FileMap, mapCallFile } from './helpers/regions.ts';
import { flow } from './helpers/streams.ts';
import { tempDir } from './helpers/temp.ts';
import { decodeCallFile } from './independent-decoder.ts';

const SEGMENT = 1024;
const FULL = SEGMENT - 32;
/** Three full segments and a short one. */
const plaintext = randomBytes(3 * FULL + 200);

let parties: Parties;
let sealed: Buffer;
/** Another plaintext, as long, for the same people. */
let other: Buffer;
let map: FileMap;

beforeAll(async () => {
  parties = await makeParties();
  const options = { recipients: parties.recipients, segmentLength: SEGMENT };
  sealed = Buffer.from(await encrypt(plaintext, options));
  other = Buffer.from(await encrypt(randomBytes(plaintext.length), options));
  map = mapCallFile(sealed);
  expect(decodeCallFile(sealed, parties.maryPem).plaintext.equals(plaintext)).toBe(true);
  expect(map.segments).toHaveLength(5);
});

/** The codes that a file may be refused with after its byte at `offset` became `byte`. */
function expectedCodes(altered: Buffer, offset: number): ErrorCode[] {
  switch (map.fields[offset]) {
    case 'magic':
      return ['ERR_NOT_CALLSEAL'];
    case 'version, suite, flags':
    case 'key wrap':
      return ['ERR_UNSUPPORTED_VERSION'];
    case 'recipients length':
      return [claimsMoreThanThereIs(altered) ? 'ERR_TRUNCATED' : 'ERR_TAMPERED'];
    case 'entry layout':
      // What follows is read at another place, where a key wrap that is not known may seem to stand.
      return ['ERR_TAMPERED', 'ERR_UNSUPPORTED_VERSION'];
    case 'last mark':
      return [lastMarkIsLonger(altered) ? 'ERR_TRUNCATED' : 'ERR_TAMPERED'];
    default:
      return ['ERR_TAMPERED'];
  }
}

function claimsMoreThanThereIs(altered: Buffer): boolean {
  const length = altered.readUInt32BE(48);
  return length <= 4_194_304 && 48 + 8 + length + 32 > altered.length;
}

function lastMarkIsLonger(altered: Buffer): boolean {
  const start = map.segments.at(-2)!;
  const mark = altered.readUInt32BE(start);
  return mark <= SEGMENT && mark > altered.length - start;
}

function flipped(offset: number, bit: number): Buffer {
  const altered = Buffer.from(sealed);
  altered[offset]! ^= 1 << bit;
  return altered;
}

/** Segments of `sealed` that are whole and in place before `offset`. */
function intactSegments(offset: number): number {
  return Math.max(0, map.segments.filter((start) => start <= offset).length - 1);
}

/** Decrypts as a stream; checks that what comes out is a prefix of the plaintext, whole segments only. */
async function expectStream(altered: Buffer, codes: ErrorCode[], segments: number, what: string): Promise<void> {
  const { released, error } = await flow(createDecryptStream({ keys: parties.keys }), altered, 700);
  expect(codes, what).toContain((error as CallsealError | undefined)?.code);
  expect(released.length, `bytes released: ${what}`).toBe(Math.min(segments * FULL, plaintext.length));
  expect(released.equals(plaintext.subarray(0, released.length)), what).toBe(true);
}

/** Decrypts as a file; checks that no output, whole or partial, is left and the input is as it was. */
async function expectFile(dir: string, altered: Buffer, codes: ErrorCode[], what: string): Promise<void> {
  const input = join(dir, 'altered');
  writeFileSync(input, altered);
  const code = await codeOf(() => decryptFile(input, join(dir, 'output'), { keys: parties.keys, sync: false }));
  expect(codes, what).toContain(code);
  expect(readdirSync(dir), what).toEqual(['altered']);
  expect(readFileSync(input).equals(altered), what).toBe(true);
}

describe('a flipped bit', () => {
  it('anywhere is refused with the code of its field, from a buffer', async () => {
    for (let offset = 0; offset < sealed.length; offset++) {
      // Every bit where the layout is decided, one bit elsewhere.
      const inHeader = offset < 56 || map.fields[offset] === 'entry layout' || map.fields[offset]?.includes('mark');
      for (const bit of inHeader ? [0, 1, 2, 3, 4, 5, 6, 7] : [offset % 8]) {
        const altered = flipped(offset, bit);
        const what = `byte ${offset} (${map.fields[offset]}), bit ${bit}`;
        expect(expectedCodes(altered, offset), what).toContain(await codeOf(() => decrypt(altered, parties)));
      }
    }
  });

  it('in every seventh byte is refused the same way with the other recipient as holder', async () => {
    const keys = new KeyRing([parties.fred.privateKey]);
    for (let offset = 0; offset < sealed.length; offset += 7) {
      const altered = flipped(offset, offset % 8);
      const codes = expectedCodes(altered, offset);
      expect(codes, `byte ${offset}`).toContain(await codeOf(() => decrypt(altered, { keys })));
    }
  });

  it('in every fifth byte leaves no output file', async () => {
    const dir = tempDir();
    for (let offset = 0; offset < sealed.length; offset += 5) {
      const altered = flipped(offset, offset % 8);
      await expectFile(dir, altered, expectedCodes(altered, offset), `byte ${offset} (${map.fields[offset]})`);
    }
  });

  it('in every other byte lets a stream release the segments before it and nothing else', async () => {
    for (let offset = 0; offset < sealed.length; offset += 2) {
      const altered = flipped(offset, offset % 8);
      const what = `byte ${offset} (${map.fields[offset]})`;
      await expectStream(altered, expectedCodes(altered, offset), intactSegments(offset), what);
    }
  });
});

describe('a file cut short', () => {
  const code = (length: number): ErrorCode[] => [length < 8 ? 'ERR_NOT_CALLSEAL' : 'ERR_TRUNCATED'];

  it('to any length is refused, from a buffer', async () => {
    for (let length = 0; length < sealed.length; length++) {
      const cut = sealed.subarray(0, length);
      expect(code(length), `cut to ${length} bytes`).toContain(await codeOf(() => decrypt(cut, parties)));
    }
  });

  it('to every seventh length leaves no output file', async () => {
    const dir = tempDir();
    for (let length = 0; length < sealed.length; length += 7) {
      await expectFile(dir, sealed.subarray(0, length), code(length), `cut to ${length} bytes`);
    }
  });

  it('to every third length lets a stream release its whole segments', async () => {
    for (let length = 0; length < sealed.length; length += 3) {
      const what = `cut to ${length} bytes`;
      await expectStream(sealed.subarray(0, length), code(length), intactSegments(length), what);
    }
  });

  it('is shown by inspect without a key, from the end of the header on', async () => {
    for (let length = map.bodyOffset + 74; length < sealed.length; length++) {
      const { state, plaintextBytes, complete } = await inspect(sealed.subarray(0, length));
      expect({ state, plaintextBytes, complete }).toEqual({
        state: 'truncated',
        plaintextBytes: null,
        complete: false,
      });
    }
  });
});

/** One of the four segments of a file. */
function segment(file: Buffer, index: number): Buffer {
  return file.subarray(map.segments[index], map.segments[index + 1]);
}

function withSegments(...segments: Buffer[]): Buffer {
  return Buffer.concat([sealed.subarray(0, map.segments[0]), ...segments]);
}

/** Our segments by index. */
function own(...indexes: number[]): Buffer {
  return withSegments(...indexes.map((index) => segment(sealed, index)));
}

/** `sealed` with the bytes from `start` to `end` taken from the other file. */
function spliced(start: number, end: number): Buffer {
  return Buffer.concat([sealed.subarray(0, start), other.subarray(start, end), sealed.subarray(end)]);
}

function remarked(index: number, mark: number): Buffer {
  const altered = Buffer.from(sealed);
  altered.writeUInt32BE(mark, map.segments[index]);
  return altered;
}

type Rearrangement = [what: string, make: () => Buffer, code: ErrorCode, segmentsReleased: number];

const REARRANGEMENTS: Rearrangement[] = [
  ['first two segments swapped', () => own(1, 0, 2, 3), 'ERR_TAMPERED', 0],
  ['middle segments swapped', () => own(0, 2, 1, 3), 'ERR_TAMPERED', 1],
  ['last segment first', () => own(3, 0, 1, 2), 'ERR_TAMPERED', 0],
  ['last segment before the third', () => own(0, 1, 3, 2), 'ERR_TAMPERED', 2],
  ['first segment twice', () => own(0, 0, 1, 2, 3), 'ERR_TAMPERED', 1],
  ['third segment twice', () => own(0, 1, 2, 2, 3), 'ERR_TAMPERED', 3],
  ['last segment twice', () => own(0, 1, 2, 3, 3), 'ERR_TAMPERED', 4],
  ['first segment dropped', () => own(1, 2, 3), 'ERR_TAMPERED', 0],
  ['third segment dropped', () => own(0, 1, 3), 'ERR_TAMPERED', 2],
  ['last segment dropped', () => own(0, 1, 2), 'ERR_TRUNCATED', 3],
  ['no segment left', () => own(), 'ERR_TRUNCATED', 0],
  ['only the last segment left', () => own(3), 'ERR_TAMPERED', 0],
  ['a segment of another file', () => spliced(map.segments[1]!, map.segments[2]!), 'ERR_TAMPERED', 1],
  ['the last segment of another file', () => spliced(map.segments[3]!, sealed.length), 'ERR_TAMPERED', 3],
  ['one more byte', () => Buffer.concat([sealed, Buffer.of(0)]), 'ERR_TAMPERED', 4],
  ['many more bytes', () => Buffer.concat([sealed, randomBytes(5000)]), 'ERR_TAMPERED', 4],
  ['another file appended', () => Buffer.concat([sealed, other]), 'ERR_TAMPERED', 4],
  ['the prelude of another file', () => spliced(0, 48), 'ERR_TAMPERED', 0],
  ['the recipients of another file', () => spliced(48, map.macOffset), 'ERR_TAMPERED', 0],
  ['recipients and MAC of another file', () => spliced(48, map.bodyOffset), 'ERR_TAMPERED', 0],
  ['the MAC of another file', () => spliced(map.macOffset, map.bodyOffset), 'ERR_TAMPERED', 0],
  ['the header of another file', () => spliced(0, map.bodyOffset), 'ERR_TAMPERED', 0],
  ['the FLOE header of another file', () => spliced(map.bodyOffset, map.segments[0]!), 'ERR_TAMPERED', 0],
  ['header and FLOE header of another file', () => spliced(0, map.segments[0]!), 'ERR_TAMPERED', 0],
  ['a segment marked as the last', () => remarked(1, SEGMENT), 'ERR_TAMPERED', 1],
  ['a segment marked as a shorter last one', () => remarked(1, 500), 'ERR_TAMPERED', 1],
  ['the last segment marked as not the last', () => remarked(3, 0xffff_ffff), 'ERR_TRUNCATED', 3],
];

describe('a rearranged file', () => {
  it.each(REARRANGEMENTS)('%s', async (what, make, code, segmentsReleased) => {
    const altered = make();
    expect(altered.equals(sealed)).toBe(false);
    expect(await codeOf(() => decrypt(altered, parties))).toBe(code);
    await expectFile(tempDir(), altered, [code], what);
    await expectStream(altered, [code], segmentsReleased, what);
    expect(() => decodeCallFile(altered, parties.maryPem)).toThrow();
  });
});

describe('entries of one file in another', () => {
  it('whose wrapped keys are swapped do not open', async () => {
    const altered = Buffer.from(sealed);
    const wrapped = 56 + 2 + 32 + 2;
    other.copy(altered, wrapped, wrapped, wrapped + 256);
    expect(await codeOf(() => decrypt(altered, parties))).toBe('ERR_TAMPERED');
  });
});
