/**
 * What this host can do at best, with nothing but Node and the crypto module: figures that Callseal's own cannot exceed
 * where they count the same work.
 */

import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { NativePrivateKey } from '../../native/binding.ts';
import { native } from '../../native/load.ts';
import { syncDirectory } from '../../sync-directory.ts';
import { inRounds, type Pace, perSecond, share } from './rounds.ts';

const COPY_BLOCK_BYTES = 1 << 20;
const MEMORY_BYTES = 64 << 20;
/** RSA operations of one native call, so that calls do not count. */
const WRAPS = 64;
const PRELUDE_BYTES = 32;
const LEAST_SEGMENT_BYTES = 1024;

/** Bytes a second of copying within memory, one thread. */
export async function memoryCopy(pace: Pace): Promise<number[]> {
  const from = new Uint8Array(MEMORY_BYTES).fill(0x5a);
  const to = new Uint8Array(MEMORY_BYTES);
  to.set(from);
  return inRounds(pace, () => {
    const started = performance.now();
    to.set(from);
    return (MEMORY_BYTES * 1000) / (performance.now() - started);
  });
}

/** A rate on one thread of the pool, and on as many as there are cores. */
export interface ThreadRates {
  readonly oneThread: number;
  readonly allCores: number;
}

/** RSA public-key operations (OAEP, as for a recipient of a file) a second. */
export async function rsaPublic(pace: Pace, cores: number, key: NativePrivateKey): Promise<ThreadRates> {
  const bytes = Math.ceil(key.bits / 8);
  const label = Uint8Array.of(0);
  const template = new (native().EnvelopeTemplate)({
    recipients: new Uint8Array(WRAPS * bytes),
    wraps: Array.from({ length: WRAPS }, (_, index) => ({ publicKey: key.publicKey, offset: index * bytes })),
    bodyLabel: label,
    macLabel: label,
  });
  const prelude = new Uint8Array(PRELUDE_BYTES);
  const rates = await onThreads(pace, cores, () => template.start(prelude, LEAST_SEGMENT_BYTES));
  return { oneThread: rates.oneThread * WRAPS, allCores: rates.allCores * WRAPS };
}

/** RSA private-key operations (OAEP) a second. */
export async function rsaPrivate(pace: Pace, cores: number, key: NativePrivateKey): Promise<ThreadRates> {
  const content = native().SecretKey.generate('content');
  const wrapped = await key.publicKey.wrap(content);
  content.destroy();
  return onThreads(pace, cores, async () => (await key.unwrap(wrapped)).destroy());
}

async function onThreads(pace: Pace, cores: number, work: () => Promise<unknown>): Promise<ThreadRates> {
  const half = share(pace, 0.5);
  return { oneThread: await perSecond(half, 1, work), allCores: await perSecond(half, cores, work) };
}

/** Seconds of a plain copy of a file, block by block. `to` must not exist. */
export function copyFile(from: string, to: string): number {
  const block = new Uint8Array(COPY_BLOCK_BYTES);
  const started = performance.now();
  const [input, output] = [openSync(from, 'r'), openSync(to, 'wx', 0o600)];
  try {
    for (let length = readSync(input, block); length > 0; length = readSync(input, block)) {
      writeSync(output, block, 0, length);
    }
  } finally {
    closeSync(input);
    closeSync(output);
  }
  return (performance.now() - started) / 1000;
}

/** Writes of a block, each followed by fsync, a second, one after the other. */
export async function syncedWrites(pace: Pace, path: string, blockBytes: number): Promise<number> {
  const block = new Uint8Array(blockBytes);
  const file = await open(path, 'wx', 0o600);
  try {
    return await perSecond(pace, 1, async () => {
      await file.write(block, 0, blockBytes, 0);
      await file.sync();
    });
  } finally {
    await file.close();
  }
}

/** A file written aside and renamed, as a careful program does; with `sync` on the disk before that, and its directory after. */
export async function writeFileAside(path: string, bytes: Uint8Array, sync: boolean): Promise<void> {
  const aside = `${path}.new`;
  const file = await open(aside, 'wx', 0o600);
  try {
    await file.writeFile(bytes);
    if (sync) await file.sync();
  } finally {
    await file.close();
  }
  await rename(aside, path);
  if (sync) await syncDirectory(dirname(path));
}
