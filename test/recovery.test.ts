/**
 * Recovery of files that were cut or damaged: buffers, streams, files and a decoder of other make release the same bytes,
 * a prefix of the plaintext and as much of it as is authentic; and never anything else.
 */

import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

import { createDecryptStream, decrypt, decryptFile, encrypt, type Loss } from '../lib/index.ts';
import { codeOf } from './helpers/errors.ts';
import { makeParties, type Parties } from './helpers/parties.ts';
import { type FileMap, mapCallFile } from './helpers/regions.ts';
import { flow } from './helpers/streams.ts';
import { tempDir } from './helpers/temp.ts';
import { recoverCallFile } from './independent-decoder.ts';

const SEGMENT = 1024;
const FULL = SEGMENT - 32;
/** Three full segments and a short one. */
const plaintext = randomBytes(3 * FULL + 90);

let parties: Parties;
let sealed: Buffer;
let map: FileMap;
let dir: string;

beforeAll(async () => {
  parties = await makeParties();
  sealed = Buffer.from(await encrypt(plaintext, { recipients: parties.recipients, segmentLength: SEGMENT }));
  map = mapCallFile(sealed);
  dir = tempDir();
});

interface Expected {
  segments: number;
  reason: Loss['reason'];
}

/** Of a file as long as `altered`, whose first `segments` segments are intact. */
function expectedOf(altered: Buffer, { segments, reason }: Expected) {
  const offset = map.segments[segments] as number;
  return {
    plaintext: plaintext.subarray(0, segments * FULL),
    loss: { reason, segment: segments, offset, bytes: altered.length - offset },
  };
}

async function expectBuffer(altered: Buffer, expected: Expected, what: string): Promise<void> {
  const result = await decrypt(altered, { keys: parties.keys, recover: true });
  const { plaintext: released, loss } = expectedOf(altered, expected);
  expect({ complete: result.complete, loss: result.loss }, what).toEqual({ complete: false, loss });
  expect(released.equals(result.plaintext), what).toBe(true);
}

async function expectStream(altered: Buffer, expected: Expected, what: string): Promise<void> {
  const stream = createDecryptStream({ keys: parties.keys, recover: true });
  const { released, error } = await flow(stream, altered, 700);
  expect(error, what).toBeUndefined();
  const { plaintext: wanted, loss } = expectedOf(altered, expected);
  expect({ complete: stream.complete, loss: stream.loss }, what).toEqual({ complete: false, loss });
  expect(wanted.equals(released), what).toBe(true);
}

async function expectFile(altered: Buffer, expected: Expected, what: string): Promise<void> {
  const [input, output] = [join(dir, 'altered'), join(dir, 'output')];
  writeFileSync(input, altered);
  const options = { keys: parties.keys, recover: true, overwrite: true, sync: false };
  const { complete, loss, outputBytes, inputBytes } = await decryptFile(input, output, options);
  const wanted = expectedOf(altered, expected);
  expect({ complete, loss, outputBytes, inputBytes }, what).toEqual({
    complete: false,
    loss: wanted.loss,
    outputBytes: wanted.plaintext.length,
    inputBytes: altered.length,
  });
  expect(wanted.plaintext.equals(readFileSync(output)), what).toBe(true);
  expect(statSync(output).mode & 0o777).toBe(0o600);
}

async function expectEverywhere(altered: Buffer, expected: Expected, what: string): Promise<void> {
  await expectBuffer(altered, expected, what);
  await expectStream(altered, expected, what);
  await expectFile(altered, expected, what);
  const other = recoverCallFile(altered, parties.maryPem);
  expect({ segments: other.segments, reason: other.end }, what).toEqual(expected);
  expect(other.plaintext.equals(expectedOf(altered, expected).plaintext), what).toBe(true);
}

describe('a file cut short', () => {
  it('to any length behind its header gives exactly its whole segments', async () => {
    for (let length = map.segments[0] as number; length < sealed.length; length++) {
      const segments = Math.floor((length - (map.segments[0] as number)) / SEGMENT);
      const expected: Expected = { segments, reason: 'truncated' };
      await expectBuffer(sealed.subarray(0, length), expected, `cut to ${length}`);
      if (length % 23 === 0) await expectStream(sealed.subarray(0, length), expected, `cut to ${length}`);
      if (length % 37 === 0) await expectFile(sealed.subarray(0, length), expected, `cut to ${length}`);
    }
  });

  it('at a segment or inside its mark does so everywhere', async () => {
    for (const [segments, start] of map.segments.slice(0, -1).entries()) {
      for (const more of [0, 1, 4, 5]) {
        await expectEverywhere(sealed.subarray(0, start + more), { segments, reason: 'truncated' }, `${start}+${more}`);
      }
    }
  });

  it('inside its header is refused as ever', async () => {
    for (let length = 0; length < (map.segments[0] as number); length += 13) {
      const cut = sealed.subarray(0, length);
      const code = length < 8 ? 'ERR_NOT_CALLSEAL' : 'ERR_TRUNCATED';
      expect(await codeOf(() => decrypt(cut, { keys: parties.keys, recover: true })), `${length}`).toBe(code);
    }
  });

  it('is not replaced by what was recovered of it', async () => {
    const path = join(dir, 'in-place');
    writeFileSync(path, sealed.subarray(0, -1));
    const run = () => decryptFile(path, path, { keys: parties.keys, recover: true, overwrite: true });
    expect(await codeOf(run)).toBe('ERR_INVALID_ARGUMENT');
    expect(readFileSync(path).equals(sealed.subarray(0, -1))).toBe(true);
  });

  it('is refused without recover, and gives no output', async () => {
    writeFileSync(join(dir, 'cut'), sealed.subarray(0, -1));
    for (const recover of [undefined, false]) {
      const run = () => decryptFile(join(dir, 'cut'), join(dir, 'none'), { keys: parties.keys, recover });
      expect(await codeOf(run)).toBe('ERR_TRUNCATED');
    }
    expect(existsSync(join(dir, 'none'))).toBe(false);
    expect(await codeOf(() => decrypt(sealed.subarray(0, -1), { keys: parties.keys, recover: false }))).toBe(
      'ERR_TRUNCATED',
    );
  });
});

describe('a flipped bit', () => {
  it('in the header is refused as ever', async () => {
    for (let offset = 0; offset < (map.segments[0] as number); offset += 7) {
      const altered = Buffer.from(sealed);
      altered[offset]! ^= 1 << (offset % 8);
      const strict = await codeOf(() => decrypt(altered, { keys: parties.keys }));
      const what = `byte ${offset} (${map.fields[offset]})`;
      expect(await codeOf(() => decrypt(altered, { keys: parties.keys, recover: true })), what).toBe(strict);
    }
  });

  it('in a segment ends what is released before it', async () => {
    for (
      let offset = map.segments[0] as number;
      offset < sealed.length;
      offset += map.fields[offset] === 'segment' ? 5 : 1
    ) {
      const altered = Buffer.from(sealed);
      altered[offset]! ^= 1 << (offset % 8);
      const segments = map.segments.filter((start) => start <= offset).length - 1;
      const start = map.segments[segments] as number;
      const mark = altered.readUInt32BE(start);
      // A last segment that claims more than there is looks cut.
      const looksCut = mark <= SEGMENT && mark > altered.length - start;
      const expected: Expected = { segments, reason: looksCut ? 'truncated' : 'damaged' };
      const what = `byte ${offset} (${map.fields[offset]})`;
      await expectBuffer(altered, expected, what);
      if (offset % 41 === 0 || map.fields[offset]?.includes('mark')) await expectEverywhere(altered, expected, what);
    }
  });
});

describe('an altered file', () => {
  const segment = (index: number): Buffer => sealed.subarray(map.segments[index], map.segments[index + 1]);
  const made = (...indexes: number[]): Buffer =>
    Buffer.concat([sealed.subarray(0, map.segments[0]), ...indexes.map(segment)]);

  it('gives what is in its place', async () => {
    const CASES: [string, Buffer, Expected][] = [
      ['first two swapped', made(1, 0, 2, 3), { segments: 0, reason: 'damaged' }],
      ['middle swapped', made(0, 2, 1, 3), { segments: 1, reason: 'damaged' }],
      ['one twice', made(0, 0, 1, 2, 3), { segments: 1, reason: 'damaged' }],
      ['one dropped', made(0, 1, 3), { segments: 2, reason: 'damaged' }],
      ['last dropped', made(0, 1, 2), { segments: 3, reason: 'truncated' }],
      ['no segment', made(), { segments: 0, reason: 'truncated' }],
    ];
    for (const [what, altered, expected] of CASES) await expectEverywhere(altered, expected, what);
  });

  it('whose end is zeros, as a power cut may leave it, gives what is before them', async () => {
    for (const start of [map.segments[1]!, map.segments[1]! + 2, map.segments[2]! + 500, map.segments[3]!]) {
      const altered = Buffer.from(sealed).fill(0, start);
      const segments = map.segments.filter((each) => each <= start).length - 1;
      await expectEverywhere(altered, { segments, reason: 'damaged' }, `zeros from ${start}`);
      const longer = Buffer.concat([altered, Buffer.alloc(5000)]);
      await expectEverywhere(longer, { segments, reason: 'damaged' }, `more zeros from ${start}`);
    }
  });

  it('with something behind it gives its whole content, and says so', async () => {
    for (const extra of [1, 1024, 70_000]) {
      const longer = Buffer.concat([sealed, Buffer.alloc(extra)]);
      const { plaintext: all, ...rest } = await decrypt(longer, { keys: parties.keys, recover: true });
      const loss = { reason: 'trailing', segment: 4, offset: sealed.length, bytes: extra };
      expect(rest).toEqual({ complete: false, loss, signer: null });
      expect(plaintext.equals(all)).toBe(true);
      await expectTrailing(longer, loss as Loss);
    }
  });

  async function expectTrailing(longer: Buffer, loss: Loss): Promise<void> {
    const stream = createDecryptStream({ keys: parties.keys, recover: true });
    const { released, error } = await flow(stream, longer, 700);
    expect([error, stream.complete, stream.loss]).toEqual([undefined, false, loss]);
    expect(released.equals(plaintext)).toBe(true);
    writeFileSync(join(dir, 'longer'), longer);
    const options = { keys: parties.keys, recover: true, overwrite: true, sync: false };
    expect((await decryptFile(join(dir, 'longer'), join(dir, 'all'), options)).loss).toEqual(loss);
    expect(readFileSync(join(dir, 'all')).equals(plaintext)).toBe(true);
    expect(recoverCallFile(longer, parties.maryPem)).toMatchObject({ end: 'trailing', segments: 4 });
  }
});

describe('a whole file', () => {
  it('opens with recover as it does without', async () => {
    const whole = await decrypt(sealed, { keys: parties.keys, recover: true });
    expect([whole.complete, whole.loss]).toEqual([true, null]);
    expect(plaintext.equals(whole.plaintext)).toBe(true);
    const stream = createDecryptStream({ keys: parties.keys, recover: true });
    expect((await flow(stream, sealed, 700)).released.equals(plaintext)).toBe(true);
    expect([stream.complete, stream.loss]).toEqual([true, null]);
    writeFileSync(join(dir, 'whole'), sealed);
    for (const recover of [true, false]) {
      const result = await decryptFile(join(dir, 'whole'), join(dir, `whole-${recover}`), {
        keys: parties.keys,
        recover,
      });
      expect(result).toMatchObject({ complete: true, loss: null, outputBytes: plaintext.length });
    }
  });

  it('with an output of the caller leaves what is behind the prefix alone', async () => {
    const output = new Uint8Array(plaintext.length).fill(7);
    const cut = sealed.subarray(0, map.segments[2]! + 50);
    const { plaintext: released } = await decrypt(cut, { keys: parties.keys, output, recover: true });
    expect(released.buffer).toBe(output.buffer);
    expect(released.length).toBe(2 * FULL);
    expect(output.subarray(2 * FULL).every((byte) => byte === 7)).toBe(true);
  });
});
