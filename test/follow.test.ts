/** Reading a call file while it is written. */

import { randomBytes } from 'node:crypto';
import { appendFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import {
  createCallFileWriter,
  encrypt,
  type FollowedCallFile,
  type FollowOptions,
  followCallFile,
} from '../lib/index.ts';
import { codeOf, refusalOf } from './helpers/errors.ts';
import { DIST } from './helpers/native-child.ts';
import { makeParties, type Parties } from './helpers/parties.ts';
import { mapCallFile } from './helpers/regions.ts';
import { chunksOf } from './helpers/streams.ts';
import { startTalkingChild } from './helpers/talking-child.ts';
import { tempDir } from './helpers/temp.ts';

const SEGMENT = 1024;
const FULL = SEGMENT - 32;
const DATA = randomBytes(4 * FULL + 300);

let parties: Parties;
let sealed: Buffer;
/** Where each segment begins, and where the last ends. */
let starts: number[];
let path: string;

beforeAll(async () => {
  parties = await makeParties();
  sealed = Buffer.from(await encrypt(DATA, { recipients: parties.recipients, segmentLength: SEGMENT }));
  starts = mapCallFile(sealed).segments;
});

beforeEach(() => {
  path = join(tempDir(), 'call.sealed');
});

const read = (options: Partial<FollowOptions> = {}): FollowedCallFile =>
  followCallFile(path, { keys: parties.keys, ...options });

/** Gathers what comes, so that a test can wait for it. */
class Gathered {
  bytes = Buffer.alloc(0);
  readonly done: Promise<unknown>;

  constructor(file: FollowedCallFile) {
    this.done = this.#gather(file);
  }

  async #gather(file: FollowedCallFile): Promise<unknown> {
    try {
      for await (const part of file) this.bytes = Buffer.concat([this.bytes, part]);
      return null;
    } catch (error) {
      return error;
    }
  }

  /** Waits until `length` bytes have come; more must not. */
  async reaches(length: number): Promise<void> {
    const deadline = Date.now() + 20_000;
    while (this.bytes.length < length && Date.now() < deadline) await pause(5);
    expect(this.bytes.length).toBe(length);
  }
}

describe('a file that is not followed', () => {
  it('gives all that is there, of any length', async () => {
    for (let length = starts[0]!; length <= sealed.length; length += 97) {
      writeFileSync(path, sealed.subarray(0, length));
      const file = read();
      const gathered = new Gathered(file);
      expect(await gathered.done, `cut to ${length}`).toBeNull();
      const segments = Math.floor((length - starts[0]!) / SEGMENT);
      expect(gathered.bytes.equals(DATA.subarray(0, segments * FULL))).toBe(true);
      const [offset, reason] = [starts[segments]!, 'truncated'];
      expect(file).toMatchObject({
        complete: false,
        loss: { reason, segment: segments, offset, bytes: length - offset },
      });
    }
  });

  it('gives all of a whole one, or its end', async () => {
    writeFileSync(path, sealed);
    for (const bytes of [undefined, 0, 1, 300, 301, FULL + 300, 2 * FULL + 301, DATA.length, DATA.length + 5]) {
      const file = read({ bytes });
      const gathered = new Gathered(file);
      expect(await gathered.done).toBeNull();
      const from = Math.max(0, DATA.length - (bytes ?? DATA.length));
      expect(gathered.bytes.equals(DATA.subarray(from)), `the last ${bytes}`).toBe(true);
      expect([file.complete, file.loss]).toEqual([true, null]);
    }
  });

  it('gives the end of an incomplete one', async () => {
    writeFileSync(path, sealed.subarray(0, starts[3]! + 40));
    for (const bytes of [0, 1, FULL, FULL + 1, 9 * FULL]) {
      const gathered = new Gathered(read({ bytes }));
      expect(await gathered.done).toBeNull();
      expect(gathered.bytes.equals(DATA.subarray(Math.max(0, 3 * FULL - bytes), 3 * FULL)), `${bytes}`).toBe(true);
    }
  });

  it('ends in an error where it was altered, after what is before', async () => {
    const CASES: [number, number][] = [
      [starts[0]! + 20, 0],
      [starts[1]! + 1, 1],
      [starts[3]! + 500, 3],
      [starts[4]! + 2, 4],
    ];
    for (const [offset, segments] of CASES) {
      const altered = Buffer.from(sealed);
      altered[offset]! ^= 0x80;
      writeFileSync(path, altered);
      const gathered = new Gathered(read());
      expect(await gathered.done).toMatchObject({ code: 'ERR_TAMPERED', message: expect.stringContaining(path) });
      expect(gathered.bytes.equals(DATA.subarray(0, segments * FULL))).toBe(true);
    }
    writeFileSync(path, Buffer.concat([sealed, Buffer.of(1)]));
    expect(await new Gathered(read()).done).toMatchObject({ code: 'ERR_TAMPERED' });
  });

  it('is refused by what is wrong with its beginning, or with the arguments', async () => {
    const problemOf = async (options = {}) => ((await new Gathered(read(options)).done) as { code: string }).code;
    expect(await problemOf()).toBe('ERR_IO');
    writeFileSync(path, 'something else');
    expect(await problemOf()).toBe('ERR_NOT_CALLSEAL');
    writeFileSync(path, sealed.subarray(0, starts[0]! - 1));
    expect(await problemOf()).toBe('ERR_TRUNCATED');
    const altered = Buffer.from(sealed);
    altered[starts[0]! - 1]! ^= 1; // the header tag
    writeFileSync(path, altered);
    expect(await problemOf()).toBe('ERR_TAMPERED');
    for (const wrong of [{ keys: 1 }, { follow: 1 }, { bytes: -1 }, { bytes: 1.5 }, { signal: 1 }]) {
      expect(await codeOf(() => read(wrong as never))).toBe('ERR_INVALID_ARGUMENT');
    }
  });
});

describe('a file that is followed', () => {
  it('is read segment by segment as a slow writer writes it, byte for byte', async () => {
    writeFileSync(path, '');
    const file = read({ follow: true });
    const gathered = new Gathered(file);
    for (const chunk of chunksOf(sealed, 333)) {
      appendFileSync(path, chunk);
      await pause(2);
    }
    expect(await gathered.done).toBeNull();
    expect(gathered.bytes.equals(DATA)).toBe(true);
    expect(file.complete).toBe(true);
  });

  it('that is not there yet is waited for, and ends with its writer', async () => {
    const gathered = new Gathered(read({ follow: true }));
    await pause(50);
    const writer = await createCallFileWriter(path, { recipients: parties.recipients, segmentLength: SEGMENT });
    for (const [index, chunk] of [...chunksOf(DATA, FULL)].entries()) {
      await writer.write(chunk);
      await gathered.reaches(Math.min(4, index + 1) * FULL);
    }
    await writer.close();
    expect(await gathered.done).toBeNull();
    expect(gathered.bytes.equals(DATA)).toBe(true);
  });

  it('with no bytes of before gives only what comes', async () => {
    const writer = await createCallFileWriter(path, { recipients: parties.recipients, segmentLength: SEGMENT });
    await writer.write(DATA.subarray(0, 2 * FULL));
    const gathered = new Gathered(read({ follow: true, bytes: 0 }));
    await pause(200);
    await writer.write(DATA.subarray(2 * FULL));
    await writer.close();
    expect(await gathered.done).toBeNull();
    expect(gathered.bytes.equals(DATA.subarray(2 * FULL))).toBe(true);
  });

  it('whose writer is killed gives all that was authentic, and waits until it is told not to', async () => {
    const child = startTalkingChild(
      `import { createCallFileWriter, Recipients } from '${DIST}index.js';
       const [path, certificate] = process.argv.slice(2);
       const writer = await createCallFileWriter(path, { recipients: await Recipients.load([certificate]), segmentLength: 1024 });
       for (let i = 0; ; i++) {
         await writer.write(Buffer.alloc(300, i));
         console.log(writer.bytesWritten);
         await new Promise((resolve) => setTimeout(resolve, 3));
       }`,
      [path, parties.mary.certificate],
      {},
    );
    const abort = new AbortController();
    const gathered = new Gathered(read({ follow: true, signal: abort.signal }));
    while (Number(await child.next()) < 20_000);
    child.process.kill('SIGKILL');
    const { lines } = await child.end();
    const written = Number(lines.at(-1) ?? 20_000);
    const deadline = Date.now() + 20_000;
    while (gathered.bytes.length < Math.floor(written / FULL) * FULL && Date.now() < deadline) await pause(5);
    expect(gathered.bytes.length % FULL).toBe(0);
    expect(gathered.bytes.length).toBeGreaterThanOrEqual(Math.floor(written / FULL) * FULL);
    expect(gathered.bytes.every((byte, at) => byte === (Math.floor(at / 300) & 0xff))).toBe(true);
    abort.abort(new Error('enough'));
    expect(await gathered.done).toMatchObject({ code: 'ERR_ABORTED', cause: { message: 'enough' } });
  });

  it('whose data comes later than its length is read again before it is judged', async () => {
    const late = Buffer.from(sealed).fill(0, starts[1]! + 2, starts[3]!);
    writeFileSync(path, late);
    const gathered = new Gathered(read({ follow: true }));
    await gathered.reaches(FULL);
    await pause(20);
    const handle = await open(path, 'r+');
    await handle.write(sealed, starts[1]!, starts[3]! - starts[1]!, starts[1]!);
    await handle.close();
    expect(await gathered.done).toBeNull();
    expect(gathered.bytes.equals(DATA)).toBe(true);
  });

  it('that stays zeros is found damaged', async () => {
    writeFileSync(path, Buffer.from(sealed).fill(0, starts[2]!));
    const gathered = new Gathered(read({ follow: true }));
    expect(await gathered.done).toMatchObject({ code: 'ERR_TAMPERED' });
    expect(gathered.bytes.equals(DATA.subarray(0, 2 * FULL))).toBe(true);
  });

  it('that is cut, removed or replaced is an error that names it', async () => {
    const other = `${path}.new`;
    writeFileSync(other, sealed);
    const spoil: [string, () => void][] = [
      ['shorter', () => truncateSync(path, starts[1]! + 5)],
      ['removed', () => rmSync(path)],
      ['replaced', () => renameSync(other, path)],
    ];
    for (const [what, act] of spoil) {
      writeFileSync(path, sealed.subarray(0, starts[2]! + 5));
      const gathered = new Gathered(read({ follow: true }));
      await gathered.reaches(2 * FULL);
      act();
      const error = await gathered.done;
      expect(error).toMatchObject({ code: 'ERR_INPUT_CHANGED', path, message: expect.stringContaining(what) });
    }
  });

  it('that is complete when its name goes ends well', async () => {
    writeFileSync(path, sealed.subarray(0, starts[2]! + 5));
    const gathered = new Gathered(read({ follow: true }));
    await gathered.reaches(2 * FULL);
    appendFileSync(path, sealed.subarray(starts[2]! + 5));
    rmSync(path);
    expect(await gathered.done).toBeNull();
    expect(gathered.bytes.equals(DATA)).toBe(true);
  });

  it('can be left at any time', async () => {
    writeFileSync(path, sealed.subarray(0, -1));
    for await (const part of read({ follow: true })) {
      expect(part.length).toBe(FULL);
      break;
    }
    const signal = AbortSignal.timeout(30);
    rmSync(path);
    expect(
      await refusalOf(() => new Gathered(read({ follow: true, signal })).done.then((error) => Promise.reject(error))),
    ).toMatchObject({ code: 'ERR_ABORTED' });
  });
});
