/** Call files that are encrypted while they are written. */

import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import fc from 'fast-check';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { GrowingFile } from '../lib/callfile/growing-file.ts';
import { type CallFileWriter, createCallFileWriter, inspect } from '../lib/index.ts';
import { codeOf, refusalOf } from './helpers/errors.ts';
import { smallDisk } from './helpers/files.ts';
import { makeParties, type Parties } from './helpers/parties.ts';
import { chunksOf } from './helpers/streams.ts';
import { tempDir } from './helpers/temp.ts';
import { decodeCallFile, recoverCallFile } from './independent-decoder.ts';

/** Plaintext of a segment of 4 KiB. */
const FULL = 4096 - 32;
const DATA = randomBytes(5 * FULL + 700);

let parties: Parties;
let path: string;

beforeAll(async () => {
  parties = await makeParties();
});

beforeEach(() => {
  path = join(tempDir(), 'call.sealed');
});

const create = (options: object = {}): Promise<CallFileWriter> =>
  createCallFileWriter(path, { recipients: parties.recipients, ...options });
const decoded = (): Buffer => decodeCallFile(readFileSync(path), parties.maryPem).plaintext;
const recovered = () => recoverCallFile(readFileSync(path), parties.maryPem);
const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));

describe('a writer', () => {
  it('makes a file that any decoder opens, in segments of 4 KiB', async () => {
    const writer = await create();
    for (const chunk of chunksOf(DATA, 160)) await writer.write(chunk);
    const result = await writer.close();
    expect(decoded().equals(DATA)).toBe(true);
    const { segmentLength, complete } = await inspect(path);
    expect({ segmentLength, complete }).toEqual({ segmentLength: 4096, complete: true });
    expect(result).toEqual({ inputBytes: DATA.length, outputBytes: statSync(path).size });
    expect([writer.bytesWritten, writer.durableBytes]).toEqual([DATA.length, DATA.length]);
    expect(await writer.close()).toEqual(result);
  });

  it('takes any cut into chunks, awaited or not', async () => {
    const lengths = fc.array(fc.oneof(fc.integer({ min: 0, max: 3000 }), fc.constantFrom(992, 1984)), {
      maxLength: 12,
    });
    const run = async (sizes: number[], wait: boolean): Promise<void> => {
      path = join(tempDir(), 'call.sealed');
      const writer = wait
        ? await create({ segmentLength: 1024 })
        : await createCallFileWriter(path, { recipients: parties.recipients });
      const plain = randomBytes(sizes.reduce((sum, size) => sum + size, 0));
      let at = 0;
      const writes: Promise<void>[] = [];
      for (const size of sizes) {
        const chunk = Uint8Array.from(plain.subarray(at, at + size));
        at += size;
        const written = writer.write(chunk);
        chunk.fill(0); // it is the caller's again
        if (wait) await written;
        else writes.push(written);
      }
      await Promise.all([...writes, writer.close()]);
      expect(decoded().equals(plain)).toBe(true);
    };
    await fc.assert(fc.asyncProperty(lengths, fc.boolean(), run), { numRuns: 30 });
  });

  it('has its name from the beginning, for its owner only, and no other file beside it', async () => {
    await using writer = await create();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(path, '..'))).toEqual(['call.sealed']);
    expect(await inspect(path)).toMatchObject({ state: 'truncated', complete: false, segments: 0 });
    expect(writer.path).toBe(path);
  });

  it('keeps full segments when it is not closed, each as soon as it is full', async () => {
    const writer = await create();
    await writer.write(DATA.subarray(0, FULL - 1));
    expect(recovered().plaintext.length).toBe(0);
    await writer.write(DATA.subarray(FULL - 1, FULL));
    expect(recovered().plaintext.equals(DATA.subarray(0, FULL))).toBe(true);
    await writer.write(DATA.subarray(FULL, 3 * FULL + 5));
    expect(writer.durableBytes).toBe(0);
    await writer.flush();
    expect([writer.bytesWritten, writer.durableBytes]).toEqual([3 * FULL + 5, 3 * FULL]);
    await writer.abort();
    expect(recovered()).toMatchObject({ end: 'truncated', segments: 3 });
    expect(recovered().plaintext.equals(DATA.subarray(0, 3 * FULL))).toBe(true);
  });

  it('flushes by itself within the interval', async () => {
    await using writer = await create({ flushInterval: 50 });
    await writer.write(DATA.subarray(0, 2 * FULL + 1));
    while (writer.durableBytes === 0) await turn();
    expect(writer.durableBytes).toBe(2 * FULL);
    await writer.write(DATA.subarray(2 * FULL + 1, 3 * FULL));
    while (writer.durableBytes < 3 * FULL) await turn();
  });

  it('goes on with writing while it flushes, and counts what was there when the flush began', async () => {
    const writer = await create();
    const calls: Promise<unknown>[] = [];
    for (const chunk of chunksOf(DATA, 1000)) calls.push(writer.write(chunk), writer.flush());
    await Promise.all(calls);
    expect(writer.durableBytes).toBe(5 * FULL);
    await writer.close();
    expect(decoded().equals(DATA)).toBe(true);
  });
});

describe('a scope that is left early', () => {
  it('leaves an incomplete file', async () => {
    const leave = async (): Promise<void> => {
      await using writer = await create();
      await writer.write(DATA.subarray(0, FULL + 100));
      throw new Error('the call went wrong');
    };
    await expect(leave()).rejects.toThrow('the call went wrong');
    expect((await inspect(path)).state).toBe('truncated');
    expect(recovered().plaintext.equals(DATA.subarray(0, FULL))).toBe(true);
  });

  it('after close leaves a complete one', async () => {
    {
      await using writer = await create();
      await writer.write(DATA);
      await writer.close();
    }
    expect(decoded().equals(DATA)).toBe(true);
  });
});

describe('a signal', () => {
  it('ends the writer, and what was written can be recovered', async () => {
    const abort = new AbortController();
    const writer = await create({ signal: abort.signal });
    await writer.write(DATA.subarray(0, 2 * FULL + 1));
    abort.abort(new Error('shutdown'));
    expect(await codeOf(() => writer.write(DATA))).toBe('ERR_ABORTED');
    expect(await codeOf(() => writer.close())).toBe('ERR_ABORTED');
    await writer.abort();
    expect(recovered().segments).toBe(2);
  });

  it('that came before leaves no file', async () => {
    expect(await codeOf(() => create({ signal: AbortSignal.abort() }))).toBe('ERR_ABORTED');
    expect(existsSync(path)).toBe(false);
  });
});

describe('a stream', () => {
  it('that ends closes the file', async () => {
    const writer = await create();
    await pipeline(Readable.from(chunksOf(DATA, 777), { objectMode: false }), writer.writable());
    expect(decoded().equals(DATA)).toBe(true);
  });

  it('that fails leaves an incomplete file', async () => {
    const writer = await create();
    const source = async function* () {
      yield DATA.subarray(0, 2 * FULL + 5);
      throw new Error('the line broke');
    };
    await expect(pipeline(Readable.from(source()), writer.writable())).rejects.toThrow('the line broke');
    await writer.abort();
    expect(recovered()).toMatchObject({ end: 'truncated', segments: 2 });
  });
});

it('a beginning that cannot be removed is named', async () => {
  const file = await GrowingFile.create(path);
  renameSync(dirname(path), `${dirname(path)}-moved`);
  writeFileSync(dirname(path), 'no directory any more');
  await expect(file.discard()).rejects.toMatchObject({
    ...{ name: 'CallsealError', code: 'ERR_IO', errno: 'ENOTDIR', path },
    message: expect.stringContaining(`cannot remove ${path}: `),
  });
  rmSync(dirname(path));
  renameSync(`${dirname(path)}-moved`, dirname(path));
});

describe('what is refused', () => {
  it('is a name that is taken, whatever it is', async () => {
    writeFileSync(path, 'precious');
    expect(await refusalOf(() => create())).toMatchObject({ code: 'ERR_OUTPUT_EXISTS', path });
    expect(readFileSync(path, 'utf8')).toBe('precious');
  });

  it('is a directory that is not there', async () => {
    path = join(path, 'nowhere', 'call');
    expect(await refusalOf(() => create())).toMatchObject({ code: 'ERR_IO', errno: 'ENOENT' });
  });

  it('is a wrong argument', async () => {
    const wrong = [
      { recipients: {} },
      { segmentLength: 1 },
      { flushInterval: 1 },
      { flushInterval: '9' },
      { signal: 1 },
    ];
    for (const options of wrong) expect(await codeOf(() => create(options))).toBe('ERR_INVALID_ARGUMENT');
    expect(existsSync(path)).toBe(false);
    await using writer = await create();
    for (const chunk of ['text', null, new Uint8Array(new SharedArrayBuffer(8))]) {
      expect(await codeOf(() => writer.write(chunk as Uint8Array))).toBe('ERR_INVALID_ARGUMENT');
    }
  });

  it('is what comes after close', async () => {
    const writer = await create();
    await writer.close();
    expect(await codeOf(() => writer.write(DATA))).toBe('ERR_INVALID_ARGUMENT');
    expect(await codeOf(() => writer.flush())).toBe('ERR_INVALID_ARGUMENT');
    expect(decoded().length).toBe(0);
  });
});

describe('a full disk', () => {
  /** Runs on a disk of 64 KiB, about half of which `free` makes room on. */
  async function onFullDisk(run: (free: () => void) => Promise<void>): Promise<string | null> {
    const disk = smallDisk(64);
    if (typeof disk === 'string') return disk;
    try {
      path = join(disk.dir, 'call.sealed');
      const ballast = join(disk.dir, 'ballast');
      writeFileSync(ballast, Buffer.alloc(30_000));
      await run(() => rmSync(ballast));
      return null;
    } finally {
      disk.release();
    }
  }

  it('is named, loses nothing that was taken, and the same chunk can be written again', async (test) => {
    const skipped = await onFullDisk(async (free) => {
      const writer = await create();
      const plain = randomBytes(50_000);
      let refused = 0;
      for (const [index, chunk] of [...chunksOf(plain, 700)].entries()) {
        for (;;) {
          const error = await writer.write(chunk).catch((thrown: unknown) => thrown);
          if (error === undefined) break;
          expect(error).toMatchObject({ code: 'ERR_IO', errno: 'ENOSPC', path });
          expect(writer.bytesWritten).toBe(index * 700);
          const { plaintext } = recovered();
          expect(plaintext.length).toBeGreaterThan(0);
          expect(plaintext.equals(plain.subarray(0, plaintext.length))).toBe(true);
          expect(await codeOf(() => writer.flush())).toBe('ERR_IO');
          refused += 1;
          if (refused === 3) free();
        }
      }
      expect(refused).toBe(3);
      await writer.close();
      expect(decoded().equals(plain)).toBe(true);
    });
    if (skipped !== null) test.skip(skipped);
  });

  it('lets close be repeated', async (test) => {
    const skipped = await onFullDisk(async (free) => {
      const writer = await create();
      const plain = randomBytes(50_000);
      await writer.write(plain); // taken; what is wrong is told by the next call
      expect(await refusalOf(() => writer.close())).toMatchObject({ code: 'ERR_IO', errno: 'ENOSPC' });
      expect((await inspect(path)).complete).toBe(false);
      free();
      expect((await writer.close()).inputBytes).toBe(plain.length);
      expect(decoded().equals(plain)).toBe(true);
    });
    if (skipped !== null) test.skip(skipped);
  });

  it('refuses with a chunk those that were written behind it without waiting', async (test) => {
    const skipped = await onFullDisk(async (free) => {
      const writer = await create();
      const [first, second, third] = [randomBytes(40_000), randomBytes(3000), randomBytes(3000)];
      await writer.write(first);
      // There is space again before the second of them has its turn.
      const freed = writer.write(second).catch((error: unknown) => {
        free();
        throw error;
      });
      const outcomes = await Promise.allSettled([freed, writer.write(third), writer.close()]);
      for (const outcome of outcomes)
        expect(outcome).toMatchObject({ status: 'rejected', reason: { errno: 'ENOSPC' } });
      for (const chunk of [second, third]) await writer.write(chunk);
      await writer.close();
      expect(decoded().equals(Buffer.concat([first, second, third]))).toBe(true);
    });
    if (skipped !== null) test.skip(skipped);
  });

  it('leaves no file that could not even be begun', async (test) => {
    const skipped = await onFullDisk(async () => {
      writeFileSync(join(path, '..', 'more'), Buffer.alloc(32_768));
      expect(await refusalOf(() => create())).toMatchObject({ code: 'ERR_IO', errno: 'ENOSPC' });
      expect(existsSync(path)).toBe(false);
    });
    if (skipped !== null) test.skip(skipped);
  });
});
