/**
 * The work whose speed is measured, done through the public API as a user would do it. `callseal bench` and the comparison
 * in `bench/` run the same functions.
 */

import { monitorEventLoopDelay } from 'node:perf_hooks';
import { PassThrough, Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';

import { throwIfAborted } from '../abort.ts';
import { createEncryptStream, decryptFile, encrypt, encryptedLength, encryptFile } from '../callfile/index.ts';
import type { KeyRing } from '../recipients/keyring.ts';
import type { Recipients } from '../recipients/recipients.ts';
import { type Cost, costOf } from './cost.ts';

/** One file to make from another. The output must not exist. */
export interface FilePair {
  readonly input: string;
  readonly output: string;
}

export interface FileLoadOptions {
  /** Wait until each file is on the disk. */
  sync: boolean;
  /** How many operations are under way at once; Infinity starts them all. */
  concurrency: number;
  /** Stops the work, which then fails with `ERR_ABORTED` once nothing is under way any more. */
  signal?: AbortSignal;
}

/** Encrypts every pair. */
export function encryptFiles(
  pairs: readonly FilePair[],
  recipients: Recipients,
  { sync, concurrency, signal }: FileLoadOptions,
): Promise<Cost> {
  return costOf(() =>
    forEach(pairs, concurrency, ({ input, output }) => encryptFile(input, output, { recipients, sync, signal })),
  );
}

/** Decrypts every pair. */
export function decryptFiles(
  pairs: readonly FilePair[],
  keys: KeyRing,
  { sync, concurrency, signal }: FileLoadOptions,
): Promise<Cost> {
  return costOf(() =>
    forEach(pairs, concurrency, ({ input, output }) => decryptFile(input, output, { keys, sync, signal })),
  );
}

/**
 * Encrypts pairs at a steady rate, as a recording host does whose calls end one by one.
 *
 * @returns The cost, and the seconds by which the last file was behind the schedule.
 */
export async function encryptAtRate(
  pairs: readonly FilePair[],
  recipients: Recipients,
  { sync, filesPerSecond, signal }: { sync: boolean; filesPerSecond: number; signal?: AbortSignal },
): Promise<Cost & { lateSeconds: number }> {
  let lateSeconds = 0;
  const cost = await costOf(async () => {
    const started = performance.now();
    const due = (index: number): number => started + (index * 1000) / filesPerSecond;
    const jobs: Promise<unknown>[] = [];
    let hasFailed = false;
    for (const [index, { input, output }] of pairs.entries()) {
      const wait = due(index) - performance.now();
      if (wait > 0) await sleep(wait);
      if (signal?.aborted || hasFailed) break;
      const job = encryptFile(input, output, { recipients, sync, signal });
      // Awaited at the end only: a job that fails before must not end the process.
      job.catch(() => {
        hasFailed = true;
      });
      jobs.push(job);
    }
    await allOf(jobs);
    throwIfAborted(signal);
    lateSeconds = Math.max(0, performance.now() - due(pairs.length - 1)) / 1000;
  });
  return { ...cost, lateSeconds };
}

/** How a buffer is encrypted. */
export interface BufferLoad {
  segmentLength: number;
  threads: number;
  rounds: number;
}

/**
 * Encrypts a buffer into a buffer of the caller, again and again.
 *
 * @returns Seconds of each round, after one that is not counted.
 */
export async function encryptBuffer(
  bytes: Uint8Array,
  recipients: Recipients,
  { segmentLength, threads, rounds }: BufferLoad,
): Promise<number[]> {
  const output = new Uint8Array(encryptedLength(bytes.length, { recipients, segmentLength }));
  const seconds: number[] = [];
  for (let round = -1; round < rounds; round += 1) {
    const started = performance.now();
    await encrypt(bytes, { recipients, segmentLength, output, threads });
    if (round >= 0) seconds.push((performance.now() - started) / 1000);
  }
  return seconds;
}

/** What goes through a stream: `chunks` chunks of `chunkBytes`. */
export interface StreamLoad {
  chunkBytes: number;
  chunks: number;
}

/** Seconds in which an encrypting stream takes the load. */
export function throughEncryptStream(load: StreamLoad, recipients: Recipients): Promise<number> {
  return through(createEncryptStream({ recipients }), load);
}

/** Seconds in which a stream that does nothing takes the load. */
export function throughPassThrough(load: StreamLoad): Promise<number> {
  return through(new PassThrough(), load);
}

async function through(stream: NodeJS.ReadWriteStream, { chunkBytes, chunks }: StreamLoad): Promise<number> {
  const chunk = new Uint8Array(chunkBytes).fill(0x5a);
  let left = chunks;
  const source = new Readable({
    read() {
      this.push(left > 0 ? chunk : null);
      left -= 1;
    },
  });
  const sink = new Writable({ write: (_chunk, _encoding, done) => done() });
  const started = performance.now();
  await pipeline(source, stream, sink);
  return (performance.now() - started) / 1000;
}

/** How late timers fired, in milliseconds beyond the sampling interval. */
export interface EventLoopDelay {
  readonly median: number;
  readonly p99: number;
  readonly max: number;
}

const DELAY_RESOLUTION_MS = 1;

/** How much `work` delays the event loop. */
export async function eventLoopDelay(work: () => Promise<unknown>): Promise<EventLoopDelay> {
  const histogram = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS });
  histogram.enable();
  await work();
  histogram.disable();
  // The histogram holds times between firings, in nanoseconds.
  const late = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - DELAY_RESOLUTION_MS);
  return { median: late(histogram.percentile(50)), p99: late(histogram.percentile(99)), max: late(histogram.max) };
}

/** Calls `each` for all items, `concurrency` at once; stops at the first failure. */
async function forEach<T>(
  items: readonly T[],
  concurrency: number,
  each: (item: T) => Promise<unknown>,
): Promise<void> {
  const queue = items.values();
  let failed = false;
  const worker = async (): Promise<void> => {
    for (const item of queue) {
      if (failed) return;
      await each(item).catch((error: unknown) => {
        failed = true;
        throw error;
      });
    }
  };
  await allOf(Array.from({ length: Math.min(concurrency, items.length) }, worker));
}

/** Waits for all, also after a failure: nothing writes any more when this is over. */
async function allOf(jobs: readonly Promise<unknown>[]): Promise<void> {
  const endings = await Promise.allSettled(jobs);
  for (const ending of endings) if (ending.status === 'rejected') throw ending.reason;
}
