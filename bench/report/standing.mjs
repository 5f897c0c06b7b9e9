/** Where Callseal stands among its peers: ahead, or not and why. */

import { formatBytes, formatNumber, formatSeconds } from '../../dist/bench/page/figures.js';

const WORK = 'the work itself is slower';
const OWN = { library: 'callseal', command: 'callseal-command' };

/** What the start of the command consists of, and what to do about it. */
export const ABOUT_START =
  'A process starts with Node itself and with the self-tests that a FIPS module must run before it does anything. One process ' +
  'takes any number of files, and a service that uses the API starts once.';

/**
 * One comparison with the fastest peer of the same kind.
 *
 * @typedef {object} Standing
 * @property {'library' | 'command'} kind
 * @property {string} what
 * @property {string} rival name of the fastest peer
 * @property {number} factor how many times faster Callseal is; below 1 it is slower
 * @property {string} [why] it is slower
 */

/** @returns {Standing[]} */
export function standing(results) {
  return Object.entries(OWN).flatMap(([kind, own]) => [
    ...ofMatrix(results, kind, own),
    ...ofBatch(results, kind, own),
  ]);
}

function rivalsOf(results, kind, own) {
  return results.peers.filter((peer) => peer.kind === kind && peer.id !== own && !peer.copies);
}

function ofMatrix(results, kind, own) {
  const rivals = rivalsOf(results, kind, own);
  return results.matrix
    .filter(({ peer, seconds }) => peer === own && seconds !== undefined)
    .flatMap((cell) => {
      const same = results.matrix.filter((other) => sameCell(other, cell) && other.seconds !== undefined);
      const best = fastest(rivals, same, ({ seconds }) => seconds.median);
      if (best === null) return [];
      const factor = best.value / cell.seconds.median;
      const what = `${cell.operation} ${formatBytes(cell.bytes)}, ${cell.recipients} × RSA-${cell.bits}`;
      return [
        {
          kind,
          what,
          rival: best.name,
          factor,
          ...(factor < 1 ? { why: reason(results, own, cell.operation, cell.seconds.median) } : {}),
        },
      ];
    });
}

function ofBatch(results, kind, own) {
  const rivals = rivalsOf(results, kind, own);
  return results.batch
    .filter(({ peer, filesPerSecond }) => peer === own && filesPerSecond !== undefined)
    .flatMap((figure) => {
      const same = results.batch.filter(
        (other) =>
          other.operation === figure.operation && other.sync === figure.sync && other.filesPerSecond !== undefined,
      );
      const best = fastest(rivals, same, ({ filesPerSecond }) => 1 / filesPerSecond.median);
      if (best === null) return [];
      const factor = best.value * figure.filesPerSecond.median;
      const what = `${figure.operation} ${figure.files} call files${figure.sync ? ', synced' : ''}`;
      return [
        {
          kind,
          what,
          rival: best.name,
          factor,
          ...(factor < 1
            ? { why: reason(results, own, figure.operation, figure.files / figure.filesPerSecond.median) }
            : {}),
        },
      ];
    });
}

export function sameCell(a, b) {
  return a.operation === b.operation && a.bytes === b.bytes && a.recipients === b.recipients && a.bits === b.bits;
}

function fastest(rivals, figures, secondsOf) {
  const times = rivals.flatMap(({ id, name }) => {
    const figure = figures.find(({ peer }) => peer === id);
    return figure === undefined ? [] : [{ name, value: secondsOf(figure) }];
  });
  return times.sort((a, b) => a.value - b.value)[0] ?? null;
}

/**
 * A process pays for its start before it does anything: Node's, and the self-tests that a FIPS module must run. The smallest
 * file shows how much that is.
 */
function reason({ matrix }, own, operation, seconds) {
  if (own !== OWN.command) return WORK;
  const times = matrix.filter(
    (cell) => cell.peer === own && cell.operation === operation && cell.seconds !== undefined,
  );
  const start = Math.min(seconds, ...times.map((cell) => cell.seconds.median));
  const share = start / seconds;
  if (times.length === 0 || share < 0.3) return WORK;
  return `${formatSeconds(start)} of ${formatSeconds(seconds)} (${Math.round(100 * share)} %) is the start of the process`;
}

/** @param {Standing[]} all */
export function formatStanding(all) {
  if (all.length === 0) return 'No comparison with peers was measured';
  const behind = all.filter(({ factor }) => factor < 1);
  const lines = [`Callseal is ahead of every peer in ${all.length - behind.length} of ${all.length} comparisons`];
  for (const { kind, what, rival, factor, why } of behind) {
    lines.push(`  ${what} (${kind}): ${rival} is ${formatNumber(1 / factor)} times as fast: ${why}`);
  }
  if (behind.some(({ kind }) => kind === 'command')) lines.push(`  ${ABOUT_START}`);
  return lines.join('\n');
}
