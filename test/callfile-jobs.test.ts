/** File jobs that are followed, cancelled, or whose input changes under them. */

import { getEventListeners } from 'node:events';
import { appendFileSync, readdirSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { decryptFile, encryptFile, encryptInPlace, verify } from '../lib/index.ts';
import { codeOf, refusalOf } from './helpers/errors.ts';
import { outputBegun, sparseFile } from './helpers/files.ts';
import { makeParties, type Parties } from './helpers/parties.ts';
import { tempDir } from './helpers/temp.ts';

/** Enough to last some hundred milliseconds. */
const LENGTH = 1 << 30;

interface Job {
  input: string;
  run: (options: { signal?: AbortSignal; onProgress?: (bytes: number, total: number) => void }) => Promise<unknown>;
}

let parties: Parties;
let sealed: string;
let dir: string;
let plain: string;

beforeAll(async () => {
  parties = await makeParties();
  const source = sparseFile(join(tempDir(), 'plain'), LENGTH);
  sealed = join(tempDir(), 'sealed');
  await encryptFile(source, sealed, { recipients: parties.recipients, sync: false });
});

beforeEach(() => {
  dir = tempDir();
  plain = sparseFile(join(tempDir(), 'plain'), LENGTH);
});

const JOBS: Record<string, () => Job> = {
  encryptFile: () => ({
    input: plain,
    run: (options) => encryptFile(plain, join(dir, 'out'), { recipients: parties.recipients, sync: false, ...options }),
  }),
  decryptFile: () => ({
    input: sealed,
    run: (options) => decryptFile(sealed, join(dir, 'out'), { keys: parties.keys, sync: false, ...options }),
  }),
  verify: () => ({ input: sealed, run: (options) => verify(sealed, { keys: parties.keys, ...options }) }),
};

describe.each(Object.keys(JOBS))('%s', (name) => {
  it('tells its progress, forward only, up to the last byte', async () => {
    const { input, run } = JOBS[name]!();
    const calls: [number, number][] = [];
    const { inputBytes } = (await run({ onProgress: (bytes, total) => calls.push([bytes, total]) })) as {
      inputBytes: number;
    };
    expect(input).toBeTruthy();
    expect(calls.at(-1)).toEqual([inputBytes, inputBytes]);
    for (const [index, [bytes, total]] of calls.entries()) {
      expect(total).toBe(inputBytes);
      expect(bytes).toBeGreaterThan(index === 0 ? -1 : calls[index - 1]![0]);
    }
  });

  it('stops when its progress listener throws, with what it threw', async () => {
    const mine = new Error('display is gone');
    const { run } = JOBS[name]!();
    await expect(
      run({
        onProgress: () => {
          throw mine;
        },
      }),
    ).rejects.toBe(mine);
  });

  it('does not begin when the signal was raised before', async () => {
    const reason = new Error('too late');
    const { run } = JOBS[name]!();
    const error = await refusalOf(() => run({ signal: AbortSignal.abort(reason) }));
    expect(error).toMatchObject({ code: 'ERR_ABORTED', cause: reason });
    expect(readdirSync(dir)).toEqual([]);
  });

  it('stops when the signal is raised meanwhile, leaves nothing, and listens no longer', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const { run } = JOBS[name]!();
    const pending = run({ signal: controller.signal });
    await (name === 'verify' ? pause(1) : outputBegun(dir));
    controller.abort(reason);
    expect(await refusalOf(() => pending)).toMatchObject({ code: 'ERR_ABORTED', cause: reason });
    expect(readdirSync(dir)).toEqual([]);
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  });

  it('listens to a signal no longer when it is done', async () => {
    truncateSync(plain, 1000);
    const controller = new AbortController();
    await JOBS[name]!().run({ signal: controller.signal });
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  });
});

describe('an input that changes while it is read', () => {
  /** Does something to the input every millisecond until the job is over. */
  async function whileChanging(job: Promise<unknown>, change: () => void): Promise<string> {
    await outputBegun(dir, join(plain, '..'));
    const timer = setInterval(change, 1);
    try {
      return await codeOf(() => job);
    } finally {
      clearInterval(timer);
    }
  }

  it('by growing is ERR_INPUT_CHANGED', async () => {
    const job = encryptFile(plain, join(dir, 'out'), { recipients: parties.recipients, sync: false });
    expect(await whileChanging(job, () => appendFileSync(plain, 'more'))).toBe('ERR_INPUT_CHANGED');
    expect(readdirSync(dir)).toEqual([]);
  });

  it('by shrinking is ERR_INPUT_CHANGED', async () => {
    const job = encryptFile(plain, join(dir, 'out'), { recipients: parties.recipients, sync: false });
    expect(await whileChanging(job, () => truncateSync(plain, 1000))).toBe('ERR_INPUT_CHANGED');
    expect(readdirSync(dir)).toEqual([]);
  });

  it('in place keeps the input', async () => {
    const job = encryptInPlace(plain, { recipients: parties.recipients, sync: false });
    expect(await whileChanging(job, () => appendFileSync(plain, 'more'))).toBe('ERR_INPUT_CHANGED');
    expect(readdirSync(join(plain, '..'))).toEqual(['plain']);
  });
});
