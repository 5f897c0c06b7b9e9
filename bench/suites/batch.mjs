/** Many call files, as fast as each can with all cores: what a file costs when it matters. */

import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { summarise } from '../../dist/bench/statistics.js';
import { openCompetitor } from '../harness/competitor.mjs';
import { emptied, makeFiles, settle, sha256 } from '../harness/files.mjs';
import { identities } from '../harness/identities.mjs';
import { interleave } from '../harness/interleave.mjs';
import { runLimit } from '../harness/programs.mjs';
import { BASE } from './matrix.mjs';

/** The bare C program among the peers. */
export const BARE = 'bare C';

/**
 * @typedef {object} BatchFigure
 * @property {string} peer id, or {@link BARE}
 * @property {'encrypt' | 'decrypt'} operation
 * @property {boolean} sync
 * @property {number} files
 * @property {import('../../dist/bench/statistics.js').Summary} [filesPerSecond]
 * @property {import('../../dist/bench/statistics.js').Summary} [cpuSecondsPerFile]
 * @property {string} [failure]
 */

/** @returns {Promise<BatchFigure[]>} */
export async function measureBatch(plan, directory, peers) {
  const recipients = identities(BASE.bits, BASE.recipients);
  const from = join(directory, 'batch');
  const figures = [];
  for (const sync of [false, true]) {
    const inputs = makeFiles(emptied(from), plan.batchFiles, BASE.bytes).map((name) => join(from, name));
    settle(directory);
    const competitors = [];
    for (const peer of peers.filter((each) => each.syncs || !sync)) {
      competitors.push(await openCompetitor(peer, { directory, recipients, sync }));
    }
    figures.push(...(await measureMode({ plan, directory, recipients, inputs, from, sync, competitors })));
    for (const competitor of competitors) await competitor.close();
  }
  emptied(from);
  return figures;
}

async function measureMode({ plan, directory, recipients, inputs, from, sync, competitors }) {
  const sealed = join(directory, 'batch-sealed');
  const opened = join(directory, 'batch-opened');
  const cleared = (path) => {
    emptied(path);
    if (sync) settle(path);
  };
  const samples = await interleave(plan.batchRounds, [BARE, ...competitors], async (competitor, round) => {
    cleared(sealed);
    if (competitor === BARE) {
      const pems = recipients.map(({ publicKey }) => publicKey).join(',');
      const options = { files: inputs.length, threads: availableParallelism(), sync: Number(sync) };
      return { encrypt: await runLimit('callfile', { in: from, out: sealed, recipients: pems, ...options }) };
    }
    const encrypt = await competitor.many('encrypt', inputs, sealed);
    cleared(opened);
    const made = readdirSync(sealed).map((name) => join(sealed, name));
    const decrypt = await competitor.many('decrypt', made, opened);
    if (round === 0) await check(inputs, from, opened);
    return { encrypt, decrypt };
  });
  for (const path of [sealed, opened]) emptied(path);
  return [...samples].flatMap(([competitor, { samples: rounds, error }]) =>
    ['encrypt', 'decrypt'].flatMap((operation) => {
      const common = { peer: competitor.peer?.id ?? competitor, operation, sync, files: inputs.length };
      if (error !== undefined) return [{ ...common, failure: error.message }];
      const costs = rounds.map((round) => round[operation]).filter((cost) => cost !== undefined);
      if (costs.length === 0) return [];
      return [
        {
          ...common,
          filesPerSecond: summarise(costs.map(({ seconds }) => inputs.length / seconds)),
          cpuSecondsPerFile: summarise(costs.map(({ cpuSeconds }) => cpuSeconds / inputs.length)),
        },
      ];
    }),
  );
}

async function check(inputs, from, opened) {
  const names = readdirSync(opened);
  if (names.length !== inputs.length) throw new Error(`${names.length} of ${inputs.length} files came back`);
  for (const name of [names[0], names.at(-1)]) {
    if ((await sha256(join(from, name))) !== (await sha256(join(opened, name)))) {
      throw new Error('what was decrypted is not what was encrypted');
    }
  }
}
