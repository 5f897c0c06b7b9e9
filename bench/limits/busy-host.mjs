import { join } from 'node:path';
import { summarise } from '../../dist/bench/statistics.js';
import { formatBytes } from '../../dist/page/figures.js';
import { freshDirectory, makeFiles, release, settle } from '../harness/files.mjs';
import { KiB } from '../harness/plan.mjs';
import { runLimit } from '../harness/programs.mjs';
import { withCallseal } from './context.mjs';
import { row, toSealed } from './row.mjs';

/** 5,000 channels, a file every 15 seconds each. */
const FILES_PER_SECOND = 333;
const BIG_FILES = 8;

/** What a host that does other work notices of encryption. */
export async function busyHost(context) {
  return [...(await eventLoop(context)), ...(await recordingHost(context))];
}

/** The event loop, while big and while small files keep all cores busy. */
async function eventLoop({ plan, directory, cores, callseal }) {
  const rows = [];
  for (const { id, bytes, count, text } of [
    {
      id: 'event-loop-bulk',
      bytes: plan.bulkBytes / 16,
      count: BIG_FILES,
      text: `files of ${formatBytes(plan.bulkBytes / 16)}`,
    },
    { id: 'event-loop-small', bytes: 64 * KiB, count: plan.files, text: 'files of 64 KiB' },
  ]) {
    const from = join(directory, id);
    const names = makeFiles(from, count, bytes);
    const samples = [];
    let idle;
    const end = performance.now() + (plan.busySeconds * 1000) / 2;
    do {
      const options = { sync: false, concurrency: 4 * cores, idleSeconds: samples.length === 0 ? 1 : 0.01 };
      const to = freshDirectory(directory);
      const delay = await callseal.call('eventLoopDelay', toSealed(from, names, to), options);
      release(to);
      idle ??= delay.idle;
      samples.push(delay.busy.p99);
    } while (performance.now() < end);
    release(from);
    rows.push(
      row({
        id,
        work: `event loop while all cores encrypt ${text}: delay, 99th percentile`,
        limit: 'a bound',
        sense: 'at most',
        target: 10,
        unit: 'ms',
        value: summarise(samples),
        figures: [{ what: '99th percentile (and idle)', unit: 'ms', own: summarise(samples).median, limit: idle.p99 }],
      }),
    );
  }
  return rows;
}

/** CPU of a process that does nothing but encrypt the recordings of 5,000 channels as they end. */
async function recordingHost({ plan, directory, cores, recipients }) {
  const count = FILES_PER_SECOND * plan.busySeconds;
  const from = join(directory, 'host');
  const distinct = makeFiles(from, Math.min(count, 1000), 64 * KiB);
  const pairsTo = (to) =>
    Array.from({ length: count }, (_, index) => ({
      input: join(from, distinct[index % distinct.length]),
      output: join(to, `${index}.sealed`),
    }));
  const rows = await withCallseal(recipients, async (worker) => {
    // Not counted: the first files of a process are slower.
    await worker.call('encryptFiles', toSealed(from, distinct.slice(0, 200), freshDirectory(directory)), {
      sync: false,
      concurrency: 4,
    });
    const found = [];
    for (const sync of [false, true]) {
      const [bareTo, to] = [freshDirectory(directory), freshDirectory(directory)];
      settle(directory);
      const options = { files: count, inputs: distinct.length, 'per-second': FILES_PER_SECOND, threads: cores };
      const pems = recipients.map(({ publicKey }) => publicKey).join(',');
      const bare = await runLimit('callfile', {
        in: from,
        out: bareTo,
        recipients: pems,
        sync: Number(sync),
        ...options,
      });
      release(bareTo);
      settle(directory);
      const own = await worker.call('encryptAtRate', pairsTo(to), { sync, filesPerSecond: FILES_PER_SECOND });
      release(to);
      found.push(hostRow(own, bare, count, sync));
    }
    return found;
  });
  release(from);
  return rows;
}

function hostRow(own, bare, count, sync) {
  const perFile = ({ cpuSeconds }) => (1e6 * cpuSeconds) / count;
  return row({
    id: sync ? 'recording-host-synced' : 'recording-host',
    work:
      `${FILES_PER_SECOND} files/s of 64 KiB (5,000 channels), two RSA-2048 recipients, ` +
      `${sync ? 'synced' : 'unsynced'}: CPU of one core`,
    limit: 'one core; the bare C program at the same rate beside it',
    sense: 'at most',
    target: 8,
    unit: '%',
    value: summarise([(100 * own.cpuSeconds) / own.seconds]),
    figures: [{ what: 'CPU per file', unit: 'µs', own: perFile(own), limit: perFile(bare) }],
    note: `The last of ${count} files was ${(own.lateSeconds * 1000).toFixed(0)} ms behind the schedule.`,
  });
}
