import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { summarise } from '../../dist/bench/statistics.js';
import { formatBytes } from '../../dist/page/figures.js';
import { freshDirectory, makeFiles, makeSparseFile, release } from '../harness/files.mjs';
import { KiB } from '../harness/plan.mjs';
import { withCallseal } from './context.mjs';
import { row, toSealed } from './row.mjs';

const MEGABYTE = 1e6;
const FILE_BYTES = 64 * KiB;
const DESCRIPTORS = 4096;

/** Memory must not grow with a file. In a process of its own, which has done nothing before. */
export async function memory({ plan, directory, recipients }) {
  const [plain, sealed, output] = ['huge', 'huge.sealed', 'huge.out'].map((name) => join(directory, name));
  makeSparseFile(plain, plan.memoryBytes);
  const rows = await withCallseal(recipients, async (worker) => {
    const encrypt = await memoryOf(worker, 'encrypt', { input: plain, output: sealed }, plan);
    rmSync(plain);
    return [encrypt, await memoryOf(worker, 'decrypt', { input: sealed, output }, plan)];
  });
  for (const file of [sealed, output]) rmSync(file, { force: true });
  return rows;
}

async function memoryOf(worker, operation, pair, { memoryBytes }) {
  const idle = await worker.call('idleRss');
  const { peakRssBytes } = await worker.call(`${operation}Files`, [pair], { sync: false, concurrency: 1 });
  return row({
    id: `memory-${operation}`,
    work: `\`${operation}File\`, ${formatBytes(memoryBytes)}: memory above idle`,
    limit: 'a bound',
    sense: 'at most',
    target: 100,
    unit: 'MB',
    value: summarise([(peakRssBytes - idle) / MEGABYTE]),
    figures: [{ what: 'memory at the peak', unit: 'MB', own: peakRssBytes / MEGABYTE, limit: idle / MEGABYTE }],
  });
}

/**
 * Nor with a queue: a queued file may cost what remembers it, a few kilobytes, but neither the buffers of a running one
 * nor a descriptor. The process may open no more files than many systems allow.
 */
export async function queue({ plan, directory, recipients }) {
  const [few, many] = plan.queued;
  const from = join(directory, 'queue');
  const names = makeFiles(from, many, FILE_BYTES);
  const options = { sync: false, concurrency: Number.POSITIVE_INFINITY };
  const growth = (count) =>
    withCallseal(
      recipients,
      async (worker) => {
        await worker.call('encryptFiles', toSealed(from, names.slice(0, 20), freshDirectory(directory)), options);
        const idle = await worker.call('idleRss');
        const to = freshDirectory(directory);
        const { peakRssBytes } = await worker.call('encryptFiles', toSealed(from, names.slice(0, count), to), options);
        release(to);
        return peakRssBytes - idle;
      },
      { wrapper: ['prlimit', `--nofile=${DESCRIPTORS}`] },
    );
  const growths = [await growth(few), await growth(many)];
  release(from);
  const queued = row({
    id: 'memory-queue',
    work: `${many} files of 64 KiB queued at once: memory per queued file`,
    limit: `against ${few} queued`,
    sense: 'at most',
    target: 8,
    unit: 'KiB',
    value: summarise([(growths[1] - growths[0]) / (many - few) / KiB]),
    figures: [{ what: 'memory above idle', unit: 'MB', own: growths[1] / MEGABYTE, limit: growths[0] / MEGABYTE }],
  });
  return [queued];
}
