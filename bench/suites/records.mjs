/** Protected records of 1 KiB: what one costs each peer, and what each does with one that was altered or is another's. */

import { join } from 'node:path';
import { summarise } from '../../dist/bench/statistics.js';
import { emptied } from '../harness/files.mjs';
import { identities } from '../harness/identities.mjs';
import { interleave } from '../harness/interleave.mjs';
import { KiB } from '../harness/plan.mjs';
import { Worker } from '../harness/worker.mjs';

const RECORD_BYTES = KiB;
const OPERATIONS = ['protect', 'unprotect'];
/** One call after the other, each awaited; and as fast as it can. */
const MODES = ['single', 'many'];

/**
 * One peer's figures and answers.
 *
 * @typedef {object} RecordResult
 * @property {string} peer id
 * @property {RecordCell[]} [cells]
 * @property {number} [sealedBytes] of a protected record of 1 KiB
 * @property {Trial} [flips] a bit flipped, in every byte of a record
 * @property {Trial} [entities] each component of the entity replaced
 * @property {string} [failure] instead of all that
 *
 * @typedef {object} RecordCell
 * @property {'protect' | 'unprotect'} operation
 * @property {'single' | 'many'} mode
 * @property {import('../../dist/bench/statistics.js').Summary} recordsPerSecond
 * @property {import('../../dist/bench/statistics.js').Summary} cpuSecondsPerRecord
 *
 * @typedef {{ tries: number, refused: number, answer: string }} Trial
 */

/** @returns {Promise<RecordResult[]>} */
export async function measureRecords(plan, directory, peers) {
  const competitors = peers.map((peer) => ({
    peer,
    worker: new Worker(new URL('../harness/record-host.mjs', import.meta.url)),
    sealedBytes: 0,
  }));
  try {
    return await measureAll(plan, directory, competitors);
  } finally {
    for (const { worker } of competitors) await worker.close();
  }
}

async function measureAll({ peerRecords: count, recordMilliseconds, batchRounds }, directory, competitors) {
  const [{ privateKey: installationKey }] = identities(4096, 1);
  // Whoever does not bring back what it was given is not measured.
  const opened = await interleave(1, competitors, async (competitor) => {
    const own = emptied(join(directory, competitor.peer.id));
    const records = { count, bytes: RECORD_BYTES };
    competitor.sealedBytes = await competitor.worker.call(
      'open',
      competitor.peer.id,
      { directory: own, installationKey },
      records,
    );
  });
  const measureEach = async ({ worker }) => {
    const costs = [];
    for (const { operation, mode } of KINDS) {
      costs.push(await worker.call('measure', operation, mode, recordMilliseconds));
    }
    return costs;
  };
  const sound = competitors.filter((competitor) => opened.get(competitor).error === undefined);
  // Not counted: the first thousands of calls of a process are slower.
  await interleave(1, sound, measureEach);
  const measured = await interleave(batchRounds, sound, measureEach);
  const results = [];
  for (const competitor of competitors) {
    const { peer, worker, sealedBytes } = competitor;
    const failure = opened.get(competitor).error ?? measured.get(competitor).error;
    if (failure !== undefined) {
      results.push({ peer: peer.id, failure: failure.message });
      continue;
    }
    const cells = KINDS.map((kind, index) =>
      figures(
        kind,
        measured.get(competitor).samples.map((costs) => costs[index]),
      ),
    );
    const [flips, entities] = [await worker.call('tryFlips'), await worker.call('tryEntities')];
    await worker.call('close');
    results.push({ peer: peer.id, sealedBytes, flips, entities, cells });
  }
  return results;
}

const KINDS = OPERATIONS.flatMap((operation) => MODES.map((mode) => ({ operation, mode })));

function figures(kind, costs) {
  return {
    ...kind,
    recordsPerSecond: summarise(costs.map(({ records, seconds }) => records / seconds)),
    cpuSecondsPerRecord: summarise(costs.map(({ records, cpuSeconds }) => cpuSeconds / records)),
  };
}
