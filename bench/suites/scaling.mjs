/** Call files a second on one core, two, four and so on: do more cores help? */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { summarise } from '../../dist/bench/statistics.js';
import { openCompetitor } from '../harness/competitor.mjs';
import { emptied, makeFiles, settle } from '../harness/files.mjs';
import { identities } from '../harness/identities.mjs';
import { interleave } from '../harness/interleave.mjs';
import { runLimit } from '../harness/programs.mjs';
import { BARE } from './batch.mjs';
import { BASE } from './matrix.mjs';

/**
 * @typedef {object} ScalingFigure
 * @property {string} peer
 * @property {number} cores
 * @property {number} files
 * @property {import('../../dist/bench/statistics.js').Summary} [filesPerSecond]
 * @property {string} [failure]
 */

/** @returns {Promise<ScalingFigure[]>} */
export async function measureScaling(plan, directory, peers) {
  const recipients = identities(BASE.bits, BASE.recipients);
  const from = join(directory, 'scaling');
  const to = join(directory, 'scaling-sealed');
  const count = plan.batchFiles;
  const inputs = makeFiles(from, count, BASE.bytes).map((name) => join(from, name));
  settle(directory);
  const pems = recipients.map(({ publicKey }) => publicKey).join(',');
  const all = allowedCores();
  const figures = [];
  for (const cores of steps(all.length)) {
    const pinned = { wrapper: ['taskset', '--cpu-list', all.slice(0, cores).join(',')] };
    const competitors = [];
    for (const peer of peers.filter(({ kind }) => kind === 'library')) {
      competitors.push(await openCompetitor(peer, { directory, recipients, sync: false }, pinned));
    }
    const samples = await interleave(plan.batchRounds, [BARE, ...competitors], async (competitor) => {
      emptied(to);
      if (competitor !== BARE) return competitor.many('encrypt', inputs, to);
      return runLimit('callfile', { in: from, out: to, files: count, recipients: pems, threads: cores }, pinned);
    });
    for (const competitor of competitors) await competitor.close();
    for (const [competitor, { samples: costs, error }] of samples) {
      const common = { peer: competitor.peer?.id ?? competitor, cores, files: count };
      if (error !== undefined) figures.push({ ...common, failure: error.message });
      else figures.push({ ...common, filesPerSecond: summarise(costs.map(({ seconds }) => count / seconds)) });
    }
  }
  for (const path of [from, to]) emptied(path);
  return figures;
}

/** 1, 2, 4 … and all. */
function steps(cores) {
  const powers = Array.from({ length: Math.ceil(Math.log2(cores)) }, (_, power) => 2 ** power);
  return [...powers, cores];
}

/** The cores this process may use, by number. */
function allowedCores() {
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync('/proc/self/status', 'latin1'))[1];
  return list.split(',').flatMap((range) => {
    const [first, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}
