/** One large file, streams and buffers: what a byte costs. */

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { DEFAULT_SEGMENT_LENGTH } from '../../callfile/format.ts';
import { makeFile } from '../files.ts';
import { decryptFiles, encryptBuffer, encryptFiles, throughEncryptStream, throughPassThrough } from '../loads.ts';
import { ratios, type Summary, summarise } from '../statistics.ts';
import { copyFile, type ThreadRates } from './limits.ts';
import { inRounds, type Pace, share } from './rounds.ts';
import type { Workplace } from './workplace.ts';

const SMALLEST_BYTES = 32 << 20;
const LARGEST_BYTES = 256 << 20;
/** Copies of the file in a round: plain, copied, encrypted, decrypted, and as much again left to others. */
const SPACE_FACTOR = 8;
const ROUNDS = 3;
const STREAM_CHUNK_BYTES = 65_536;
const STREAM_CHUNKS = 512;
const BUFFER_BYTES = 32 << 20;

/** Bytes a second, and the share of the limit measured right before. */
export interface Throughput {
  readonly bytesPerSecond: Summary;
  readonly shareOfLimit: Summary;
}

export interface LargeFile {
  readonly bytes: number;
  readonly copyBytesPerSecond: Summary;
  readonly encrypt: Throughput;
  readonly decrypt: Throughput;
  readonly peakRssBytes: number;
}

/** A file in the page cache: copied, encrypted and decrypted in turns. Nobody waits for the disk. */
export async function largeFile(pace: Pace, place: Workplace): Promise<LargeFile> {
  const path = (name: string): string => join(place.directory, name);
  const [plain, copy, sealed, opened] = [path('large'), path('large.copy'), path('large.sealed'), path('large.opened')];
  const remove = (): void => {
    for (const file of [copy, sealed, opened]) rmSync(file, { force: true });
  };
  makeFile(plain, SMALLEST_BYTES);
  const bytes = lengthFor(SMALLEST_BYTES / copyFile(plain, copy), pace.seconds, place.freeBytes);
  if (bytes !== SMALLEST_BYTES) makeFile(plain, bytes);
  const options = { sync: false, concurrency: 1, signal: pace.signal };
  const turns = await inRounds(pace, async () => {
    remove();
    const copying = copyFile(plain, copy);
    const encrypting = await encryptFiles([{ input: plain, output: sealed }], place.recipients, options);
    const decrypting = await decryptFiles([{ input: sealed, output: opened }], place.keys, options);
    return { copying, encrypting, decrypting };
  });
  remove();
  rmSync(plain);
  const rates = (seconds: readonly number[]): number[] => seconds.map((each) => bytes / each);
  const copies = rates(turns.map(({ copying }) => copying));
  const figure = (own: number[]): Throughput => ({ bytesPerSecond: summarise(own), shareOfLimit: ratios(own, copies) });
  return {
    bytes,
    copyBytesPerSecond: summarise(copies),
    encrypt: figure(rates(turns.map(({ encrypting }) => encrypting.seconds))),
    decrypt: figure(rates(turns.map(({ decrypting }) => decrypting.seconds))),
    peakRssBytes: Math.max(
      ...turns.flatMap(({ encrypting, decrypting }) => [encrypting.peakRssBytes, decrypting.peakRssBytes]),
    ),
  };
}

/** As large as a few rounds of copy, encryption and decryption have time for, and the file system has space. */
function lengthFor(copyBytesPerSecond: number, seconds: number, freeBytes: number): number {
  const byTime = (copyBytesPerSecond * seconds) / (3 * ROUNDS);
  const most = Math.min(byTime, freeBytes / SPACE_FACTOR, LARGEST_BYTES);
  return Math.max(1, Math.floor(most / SMALLEST_BYTES)) * SMALLEST_BYTES;
}

export interface StreamFigure extends Throughput {
  readonly passThroughBytesPerSecond: Summary;
}

/** An encrypting stream, and one that hands on what it gets, in turns. */
export async function streams(pace: Pace, { recipients }: Workplace): Promise<StreamFigure> {
  const load = { chunkBytes: STREAM_CHUNK_BYTES, chunks: STREAM_CHUNKS };
  const rate = (seconds: number): number => (STREAM_CHUNK_BYTES * STREAM_CHUNKS) / seconds;
  await throughEncryptStream(load, recipients);
  const turns = await inRounds(pace, async () => ({
    passing: rate(await throughPassThrough(load)),
    encrypting: rate(await throughEncryptStream(load, recipients)),
  }));
  const passing = turns.map((turn) => turn.passing);
  const encrypting = turns.map((turn) => turn.encrypting);
  return {
    bytesPerSecond: summarise(encrypting),
    shareOfLimit: ratios(encrypting, passing),
    passThroughBytesPerSecond: summarise(passing),
  };
}

/** Bytes a second of AES-256-GCM in the module, as the segments of a file in memory. */
export async function inMemory(pace: Pace, cores: number, { recipients }: Workplace): Promise<ThreadRates> {
  const bytes = new Uint8Array(BUFFER_BYTES).fill(0x5a);
  const rate = async (threads: number): Promise<number> => {
    const load = { segmentLength: DEFAULT_SEGMENT_LENGTH, threads, rounds: ROUNDS };
    const turns = await inRounds(share(pace, 0.5), () => encryptBuffer(bytes, recipients, load));
    return BUFFER_BYTES / summarise(turns.flat()).median;
  };
  return { oneThread: await rate(1), allCores: await rate(cores) };
}
