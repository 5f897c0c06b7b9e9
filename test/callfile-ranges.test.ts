/** Random access: any part of a file, as if all of it had been decrypted, and a segment once for many reads. */

import { randomBytes } from 'node:crypto';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';

import { encrypt, KeyRing, openRandomAccess, type RandomAccessFile } from '../lib/index.ts';
import { codeOf, refusalOf } from './helpers/errors.ts';
import { makeParties, type Parties } from './helpers/parties.ts';
import { tempDir } from './helpers/temp.ts';

let parties: Parties;
let dir: string;
let made = 0;

beforeAll(async () => {
  parties = await makeParties();
  dir = tempDir();
});

async function seal(plaintext: Uint8Array, segmentLength: number): Promise<string> {
  const path = join(dir, `call-${made++}.sealed`);
  writeFileSync(path, await encrypt(plaintext, { recipients: parties.recipients, segmentLength }));
  return path;
}

const open = (path: string): Promise<RandomAccessFile> => openRandomAccess(path, { keys: parties.keys });

describe('ranges', () => {
  const shape = fc.record({
    segmentLength: fc.constantFrom(1024, 1025, 4096, 65_536, 262_144),
    full: fc.integer({ min: 0, max: 5 }),
    more: fc.oneof(fc.constantFrom(-1, 0, 1), fc.integer({ min: 0, max: 900 })),
  });
  const ranges = fc.array(
    fc.tuple(fc.double({ min: 0, max: 1.1, noNaN: true }), fc.double({ min: 0, max: 1.1, noNaN: true })),
    {
      minLength: 1,
      maxLength: 8,
    },
  );

  it('are what slices of the plaintext are, read in any way and all at once', async () => {
    const property = fc.asyncProperty(shape, ranges, async ({ segmentLength, full, more }, parts) => {
      const plaintext = randomBytes(Math.max(0, full * (segmentLength - 32) + more));
      await using call = await open(await seal(plaintext, segmentLength));
      expect([call.size, call.complete]).toEqual([plaintext.length, true]);
      const reads = parts.map(async ([a, b]) => {
        const [start, end] = [a, b].map((part) => Math.floor(part * plaintext.length)).sort((x, y) => x - y) as [
          number,
          number,
        ];
        const wanted = plaintext.subarray(start, end);
        expect(wanted.equals(await call.readRange(start, end))).toBe(true);
        const target = Buffer.alloc(end - start + 5, 0x55);
        const { bytesRead } = await call.read(target, 2, end - start, start);
        expect(bytesRead).toBe(wanted.length);
        expect(target.subarray(2, 2 + bytesRead).equals(wanted)).toBe(true);
        expect(target.subarray(2 + bytesRead).every((byte) => byte === 0x55)).toBe(true);
        if (wanted.length === 0) return;
        const stream = call.createReadStream({ start, end: start + wanted.length - 1, highWaterMark: 3000 });
        expect(wanted.equals(await buffer(stream))).toBe(true);
      });
      await Promise.all(reads);
      expect(plaintext.equals(await call.readRange(0))).toBe(true);
      expect(plaintext.equals(await buffer(call.createReadStream()))).toBe(true);
    });
    await fc.assert(property, { numRuns: 40 });
  });

  it('are right, too, when many reads at once want more segments than are kept', async () => {
    const plaintext = randomBytes(12 * 262_112 + 77);
    await using call = await open(await seal(plaintext, 262_144));
    const reads = Array.from({ length: 300 }, async (_, index) => {
      const start = (index * 7_919_111) % plaintext.length;
      const wanted = plaintext.subarray(start, start + 1 + ((index * 1009) % 5000));
      for (let again = 0; again < 2; again++) {
        expect(wanted.equals(await call.readRange(start, start + wanted.length))).toBe(true);
      }
    });
    await Promise.all(reads);
  });

  it('end where the plaintext does', async () => {
    const plaintext = randomBytes(3000);
    await using call = await open(await seal(plaintext, 1024));
    expect(plaintext.subarray(2990).equals(await call.readRange(2990, 9999))).toBe(true);
    expect((await call.readRange(3000)).length).toBe(0);
    expect((await call.readRange(5000, 6000)).length).toBe(0);
    const target = Buffer.alloc(8);
    expect((await call.read(target, { position: 2997 })).bytesRead).toBe(3);
    expect((await call.read(target, { position: 3000n })).bytesRead).toBe(0);
    expect((await buffer(call.createReadStream({ start: 3000 }))).length).toBe(0);
  });

  it('follow each other without a position, also at once', async () => {
    const plaintext = randomBytes(10_000);
    await using call = await open(await seal(plaintext, 1024));
    const reads = Array.from({ length: 7 }, () => call.read(Buffer.alloc(1500)));
    const parts = (await Promise.all(reads)).map(({ buffer: bytes, bytesRead }) => bytes.subarray(0, bytesRead));
    expect(parts.map(({ length }) => length)).toEqual([1500, 1500, 1500, 1500, 1500, 1500, 1000]);
    expect(Buffer.concat(parts).equals(plaintext)).toBe(true);
  });
});

describe('an open file', () => {
  it('stays the one that was opened when another takes its name', async () => {
    const [one, two] = [randomBytes(5000), randomBytes(5000)];
    const path = await seal(one, 1024);
    await using call = await open(path);
    renameSync(await seal(two, 1024), path);
    expect(one.equals(await call.readRange(0))).toBe(true);
    await using other = await open(path);
    expect(two.equals(await other.readRange(0))).toBe(true);
  });

  it('reads nothing once it is closed', async () => {
    const call = await open(await seal(randomBytes(5000), 1024));
    const under = call.readRange(0);
    await Promise.all([call.close(), codeOf(() => under).then((code) => expect(code).toBe('ERR_INVALID_ARGUMENT'))]);
    await call.close();
    for (const read of [() => call.readRange(0), () => call.readRange(0, 0), () => call.read(Buffer.alloc(1))]) {
      expect((await refusalOf(read)).message).toContain('was closed');
    }
  });

  it('can be cancelled, before and after it is open', async () => {
    const path = await seal(randomBytes(5000), 1024);
    const controller = new AbortController();
    await using call = await openRandomAccess(path, { keys: parties.keys, signal: controller.signal });
    expect((await call.readRange(0, 10)).length).toBe(10);
    controller.abort();
    expect(await codeOf(() => call.readRange(0, 10))).toBe('ERR_ABORTED');
    const options = { keys: parties.keys, signal: controller.signal };
    expect(await codeOf(() => openRandomAccess(path, options))).toBe('ERR_ABORTED');
  });

  it('refuses what makes no sense', async () => {
    const path = await seal(randomBytes(50), 1024);
    await using call = await open(path);
    const target = Buffer.alloc(10);
    const attempts = [
      () => call.readRange(-1),
      () => call.readRange(0.5),
      () => call.readRange(0, Number.NaN),
      () => call.read('x' as never),
      () => call.read(target, 11),
      () => call.read(target, 5, 6),
      () => call.read(target, { position: -2 }),
      () => call.read(new Uint8Array(new SharedArrayBuffer(4))),
      () => call.createReadStream({ start: -1 }),
      () => openRandomAccess(path, { keys: parties.keys, recover: 1 as never }),
      () => openRandomAccess('', { keys: parties.keys }),
      () => openRandomAccess(path, { keys: [] as never }),
    ];
    for (const attempt of attempts) expect(await codeOf(attempt)).toBe('ERR_INVALID_ARGUMENT');
  });

  it('needs a key that fits, and names it', async () => {
    const path = await seal(randomBytes(50), 1024);
    using strangers = new KeyRing([parties.stranger.privateKey]);
    expect(await codeOf(() => openRandomAccess(path, { keys: strangers }))).toBe('ERR_NO_MATCHING_KEY');
    await using call = await open(path);
    expect(call.keyId).toMatch(/^[0-9a-f]{64}$/);
  });
});
