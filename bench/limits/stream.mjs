import { ratios, summarise } from '../../dist/bench/statistics.js';
import { takeTurns } from '../harness/interleave.mjs';
import { KiB } from '../harness/plan.mjs';
import { runLimit } from '../harness/programs.mjs';
import { row } from './row.mjs';

const CHUNK_BYTES = 64 * KiB;
/** What `createEncryptStream` makes unless told otherwise. */
const SEGMENT_BYTES = 64 * KiB;

/** A stream that encrypts against one that does nothing, and against encryption without a stream. */
export async function stream({ plan, callseal }) {
  const load = { chunkBytes: CHUNK_BYTES, chunks: Math.ceil(plan.streamBytes / CHUNK_BYTES) };
  const rate = (seconds) => (load.chunks * CHUNK_BYTES) / 1e9 / seconds;
  const bytes = plan.bufferBytes;
  const turns = await takeTurns(plan.rounds, {
    passThrough: () => callseal.call('throughPassThrough', load).then(rate),
    encrypting: () => callseal.call('throughEncryptStream', load).then(rate),
    bare: () =>
      runLimit('gcm', { bytes, segment: SEGMENT_BYTES, threads: 1, rounds: 5 }).then(
        ({ seconds }) => bytes / 1e9 / summarise(seconds).median,
      ),
  });
  const line = (id, limit, target, limits) =>
    row({
      id,
      work: '`createEncryptStream`, chunks of 64 KiB',
      limit,
      sense: 'at least',
      target,
      unit: 'ratio',
      value: ratios(turns.encrypting, limits),
      figures: [
        { what: 'rate', unit: 'GB/s', own: summarise(turns.encrypting).median, limit: summarise(limits).median },
      ],
    });
  const passing = line(
    'encrypt-stream',
    "Node's `PassThrough`, which hands every chunk on untouched",
    0.6,
    turns.passThrough,
  );
  const encrypting = line(
    'encrypt-stream-gcm',
    'AES-256-GCM of the same module, same segments, bare C loop, which no stream on one thread can pass',
    0.6,
    turns.bare,
  );
  const possible = ratios(turns.bare, turns.passThrough).median.toFixed(2);
  return [{ ...passing, note: `The bare loop itself reaches ${possible} of PassThrough.` }, encrypting];
}
