import { ratios, summarise } from '../../dist/bench/statistics.js';
import { takeTurns } from '../harness/interleave.mjs';
import { KiB } from '../harness/plan.mjs';
import { row } from './row.mjs';

const CHUNK_BYTES = 64 * KiB;

/** A stream that encrypts against one that does nothing. */
export async function stream({ plan, callseal }) {
  const load = { chunkBytes: CHUNK_BYTES, chunks: Math.ceil(plan.streamBytes / CHUNK_BYTES) };
  const rate = (seconds) => (load.chunks * CHUNK_BYTES) / 1e9 / seconds;
  const turns = await takeTurns(plan.rounds, {
    passThrough: () => callseal.call('throughPassThrough', load).then(rate),
    encrypting: () => callseal.call('throughEncryptStream', load).then(rate),
  });
  return [
    row({
      id: 'encrypt-stream',
      work: '`createEncryptStream`, chunks of 64 KiB',
      limit: "Node's `PassThrough`, which hands every chunk on untouched",
      sense: 'at least',
      target: 0.6,
      unit: 'ratio',
      value: ratios(turns.encrypting, turns.passThrough),
      figures: [
        {
          what: 'rate',
          unit: 'GB/s',
          own: summarise(turns.encrypting).median,
          limit: summarise(turns.passThrough).median,
        },
      ],
    }),
  ];
}
