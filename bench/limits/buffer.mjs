import { ratios, summarise } from '../../dist/bench/statistics.js';
import { takeTurns } from '../harness/interleave.mjs';
import { runLimit } from '../harness/programs.mjs';
import { row } from './row.mjs';

const SEGMENT_BYTES = 262_144;
const GIGABYTE = 1e9;

/** FLOE in memory against AES-256-GCM in a bare loop. */
export async function buffer({ plan, cores, callseal }) {
  const bytes = plan.bufferBytes;
  const bare = (threads) => () =>
    runLimit('gcm', { bytes, segment: SEGMENT_BYTES, threads, rounds: 5 }).then(({ seconds }) => rate(bytes, seconds));
  const floe = (threads) => () =>
    callseal
      .call('encryptBuffer', bytes, { segmentLength: SEGMENT_BYTES, threads, rounds: 5 })
      .then((seconds) => rate(bytes, seconds));
  const rates = await takeTurns(plan.rounds, {
    bare: bare(1),
    floe: floe(1),
    floeAll: floe(cores),
    bareAll: bare(cores),
  });
  const figure = (what, own, limit) => ({ what, unit: 'GB/s', own: median(own), limit: median(limit) });
  const scaled = rates.bare.map((each) => each * cores);
  return [
    row({
      id: 'floe-one-thread',
      work: "`encrypt` of a buffer, into the caller's buffer",
      limit: 'AES-256-GCM of the same module, same segments, bare C loop',
      sense: 'at least',
      target: 0.9,
      unit: 'ratio',
      value: ratios(rates.floe, rates.bare),
      figures: [figure('rate', rates.floe, rates.bare)],
    }),
    row({
      id: 'floe-all-cores',
      work: `the same on all ${cores} cores`,
      limit: 'the bare loop on one thread × cores',
      sense: 'at least',
      target: 0.85,
      unit: 'ratio',
      value: ratios(rates.floeAll, scaled),
      figures: [figure('rate', rates.floeAll, scaled)],
      note: `The bare loop itself reaches ${ratios(rates.bareAll, scaled).median.toFixed(2)} of that on ${cores} threads.`,
    }),
  ];
}

const median = (samples) => summarise(samples).median;
const rate = (bytes, seconds) => bytes / GIGABYTE / median(seconds);
