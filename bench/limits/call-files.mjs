import { join } from 'node:path';
import { ratios, summarise } from '../../dist/bench/statistics.js';
import { freshDirectory, makeFiles, release, settle } from '../harness/files.mjs';
import { takeTurns } from '../harness/interleave.mjs';
import { KiB } from '../harness/plan.mjs';
import { runLimit } from '../harness/programs.mjs';
import { row, toSealed } from './row.mjs';

const FILE_BYTES = 64 * KiB;
/** Operations under way at once. */
const CONCURRENCY = 64;

/** Call files of 64 KiB, a fresh key each, for two recipients, against a C program that does nothing else. */
export async function callFiles({ plan, directory, cores, recipients, callseal }) {
  const from = join(directory, 'calls');
  const names = makeFiles(from, plan.files, FILE_BYTES);
  const pems = recipients.map(({ publicKey }) => publicKey).join(',');

  const inNew = async (sync, work) => {
    const to = freshDirectory(directory);
    if (sync) settle(to);
    const cost = await work(to);
    release(to);
    return cost;
  };
  const bare = (sync, files) => () =>
    inNew(sync, (to) =>
      runLimit('callfile', { in: from, out: to, files, recipients: pems, threads: cores, sync: Number(sync) }),
    );
  const own = (sync, files) => () =>
    inNew(sync, (to) =>
      callseal.call('encryptFiles', toSealed(from, names.slice(0, files), to), { sync, concurrency: CONCURRENCY }),
    );
  // Not counted: the first files of a process are slower.
  await own(false, Math.min(200, plan.files))();

  const rows = [];
  for (const sync of [false, true]) {
    const files = sync ? plan.syncedFiles : plan.files;
    const turns = await takeTurns(plan.rounds, { bare: bare(sync, files), own: own(sync, files) });
    rows.push(...compared(turns, files, cores, sync ? 'synced' : 'unsynced'));
  }
  release(from);
  return rows;
}

function compared(turns, files, cores, how) {
  const rate = (costs) => costs.map(({ seconds }) => files / seconds);
  const cpu = (costs) => costs.map(({ cpuSeconds }) => (cpuSeconds / files) * 1e6);
  const common = { limit: `bare C program, same system calls and cryptography, ${cores} threads`, unit: 'ratio' };
  const figure = (what, unit, of) => ({
    what,
    unit,
    own: summarise(of(turns.own)).median,
    limit: summarise(of(turns.bare)).median,
  });
  return [
    row({
      id: `call-files-${how}`,
      work: `64 KiB call files, two RSA-2048 recipients, ${how}: files/s`,
      ...common,
      sense: 'at least',
      target: 0.85,
      value: ratios(rate(turns.own), rate(turns.bare)),
      figures: [figure('rate', 'files/s', rate)],
    }),
    row({
      id: `call-files-${how}-cpu`,
      work: `the same, ${how}: CPU per file`,
      ...common,
      sense: 'at most',
      target: 1.2,
      value: ratios(cpu(turns.own), cpu(turns.bare)),
      figures: [figure('CPU per file', 'µs', cpu)],
    }),
  ];
}
