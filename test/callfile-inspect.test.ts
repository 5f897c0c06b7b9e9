/** inspect needs no key and no native module, and reads next to nothing. */

import { appendFileSync, closeSync, openSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { type Inspection, inspect } from '../lib/callfile/inspect.ts';
import { native } from '../lib/native/load.ts';
import { codeOf, refusalOf } from './helpers/errors.ts';
import { headerBytes, sampleFields } from './helpers/header-bytes.ts';
import { tempDir } from './helpers/temp.ts';

const SEGMENT = 4096;
const header = headerBytes(sampleFields());
const dir = tempDir();
const path = join(dir, 'call.sealed');
const environment = { ...process.env };

/** From here on, whatever needs the crypto module fails. */
beforeAll(() => {
  process.env.CALLSEAL_FIPS = 'required';
  process.env.CALLSEAL_FIPS_DIR = join(dir, 'no-module-here');
});

afterAll(() => {
  process.env = environment;
});

/** A segment as its mark shows it; what is in it does not matter here. */
function segment(length: number, mark: number): Buffer {
  const bytes = Buffer.alloc(length, 0xaa);
  bytes.writeUInt32BE(mark, 0);
  return bytes;
}

const FULL = (): Buffer => segment(SEGMENT, 0xffff_ffff);

type Case = [what: string, body: () => Buffer[], expected: Partial<Inspection>];

const CASES: Case[] = [
  ['one empty segment', () => [segment(32, 32)], { state: 'complete', segments: 1, plaintextBytes: 0, problem: null }],
  [
    'one full segment',
    () => [segment(SEGMENT, SEGMENT)],
    { state: 'complete', segments: 1, plaintextBytes: SEGMENT - 32 },
  ],
  [
    'two and a short one',
    () => [FULL(), FULL(), segment(100, 100)],
    { state: 'complete', segments: 3, plaintextBytes: 2 * (SEGMENT - 32) + 68 },
  ],
  [
    'no segment',
    () => [],
    { state: 'truncated', segments: 0, plaintextBytes: null, problem: 'it ends before its first segment' },
  ],
  [
    'segments, none of them the last',
    () => [FULL(), FULL()],
    { state: 'truncated', segments: 2, plaintextBytes: null },
  ],
  [
    'a segment cut in the mark',
    () => [FULL(), FULL().subarray(0, 3)],
    { state: 'truncated', segments: 2, problem: 'it ends inside the mark of its last segment' },
  ],
  ['a segment cut after the mark', () => [FULL(), FULL().subarray(0, 4)], { state: 'truncated', segments: 2 }],
  [
    'a last segment cut',
    () => [FULL(), segment(100, 100).subarray(0, 99)],
    { state: 'truncated', problem: 'its last segment has 99 of 100 bytes' },
  ],
  [
    'bytes after the last segment',
    () => [FULL(), segment(101, 100)],
    { state: 'damaged', problem: '1 bytes follow its last segment' },
  ],
  ['a mark too small', () => [segment(40, 31)], { state: 'damaged' }],
  ['a mark too large', () => [segment(40, SEGMENT + 1)], { state: 'damaged' }],
];

describe('inspect', () => {
  it('works where no crypto module can be loaded', () => {
    expect(() => native()).toThrow(/no-module-here/);
  });

  it.each(CASES)('sees %s', async (_what, body, expected) => {
    const file = Buffer.concat([header, ...body()]);
    writeFileSync(path, file);
    const fromBytes = await inspect(file);
    expect(fromBytes).toMatchObject({ ...expected, complete: expected.state === 'complete', fileBytes: file.length });
    expect(await inspect(path)).toEqual(fromBytes);
  });

  it('shows whom a file was encrypted for', async () => {
    const { recipients, headerBytes: offset, ...rest } = await inspect(Buffer.concat([header, segment(32, 32)]));
    expect(offset).toBe(header.length - 74);
    expect(rest).toMatchObject({
      version: 1,
      suite: { id: 1 },
      fileId: '09'.repeat(16),
      createdAt: new Date(1_750_000_000_000),
      segmentLength: SEGMENT,
    });
    expect(recipients).toEqual([
      {
        keyWrap: 'RSA-OAEP-SHA256',
        keyId: '01'.repeat(32),
        bits: 2048,
        certificate: {
          subject: 'CN=Mary,O=MyCompany',
          issuer: 'CN=Mary,O=MyCompany',
          serial: '7f0102',
          notBefore: new Date(1_700_000_000_000),
          notAfter: new Date(1_800_000_000_000),
          sha256: '03'.repeat(32),
        },
      },
      { keyWrap: 'RSA-OAEP-SHA256', keyId: '02'.repeat(32), bits: 3072, certificate: null },
    ]);
  });

  it('takes no longer for a file of a tebibyte', async () => {
    const count = 268_435_456;
    const huge = join(dir, 'huge');
    writeFileSync(huge, header);
    truncateSync(huge, header.length + (count - 1) * SEGMENT);
    appendFileSync(huge, segment(1000, 1000));
    expect(await inspect(huge)).toMatchObject({
      segments: count,
      state: 'complete',
      plaintextBytes: (count - 1) * (SEGMENT - 32) + 968,
    });
  });

  it('reads a header longer than its first read', async () => {
    const fields = sampleFields();
    fields.entries = Array.from({ length: 300 }, (_, index) => {
      const keyId = new Uint8Array(32);
      new DataView(keyId.buffer).setUint32(0, index);
      return { ...fields.entries[0]!, keyId };
    });
    const file = Buffer.concat([headerBytes(fields), segment(50, 50)]);
    writeFileSync(path, file);
    const inspection = await inspect(path);
    expect(inspection.recipients).toHaveLength(300);
    expect(inspection.state).toBe('complete');
    for (const length of [16_383, 16_384, 16_385, file.length - 51, file.length - 125]) {
      writeFileSync(path, file.subarray(0, length));
      expect(await codeOf(() => inspect(path)), `cut to ${length} bytes`).toBe('ERR_TRUNCATED');
    }
  });

  it('makes no room for a length that the file has not', async () => {
    const claim = Buffer.from(header.subarray(0, 56));
    claim.writeUInt32BE(4_194_304, 48);
    writeFileSync(path, claim);
    const before = process.memoryUsage().arrayBuffers;
    expect(await refusalOf(() => inspect(path))).toMatchObject({ code: 'ERR_TRUNCATED', path });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1_000_000);
  });

  it.each([
    ['an empty file', '', 'ERR_NOT_CALLSEAL', /empty/],
    ['a short file', 'CALL', 'ERR_NOT_CALLSEAL', /does not begin/],
    ['another file', '%PDF-1.7 and so on', 'ERR_NOT_CALLSEAL', /does not begin/],
    ['the magic alone', 'CALLSEAL', 'ERR_TRUNCATED', /after 8 bytes/],
  ])('refuses %s', async (_what, content, code, message) => {
    writeFileSync(path, content);
    const error = await refusalOf(() => inspect(path));
    expect(error).toMatchObject({ code, path });
    expect(error.message).toMatch(message);
    expect(await codeOf(() => inspect(Buffer.from(content)))).toBe(code);
  });

  it('follows a file that is being written', async () => {
    writeFileSync(path, Buffer.concat([header, FULL()]));
    const file = openSync(path, 'a');
    expect((await inspect(path)).state).toBe('truncated');
    writeSync(file, segment(64, 64));
    closeSync(file);
    expect((await inspect(path)).state).toBe('complete');
  });
});
