/** Where Callseal stands among its peers, cell by cell: ahead, or not and why. */

import { formatBytes, formatNumber } from '../../dist/bench/page/figures.js';
import { BASE } from '../suites/matrix.mjs';
import { reasonFor } from './reasons.mjs';

/** The place of a batch. */
export const MANY = 'many at once';

/** Callseal's own entry among the peers of a kind. */
export const OWN = { library: 'callseal', command: 'callseal-command' };

/**
 * One of Callseal's figures beside the same figure of one peer of the same kind.
 *
 * @typedef {object} Comparison
 * @property {'time' | 'CPU' | 'memory'} measure less is better in all of them
 * @property {'library' | 'command'} kind
 * @property {'encrypt' | 'decrypt'} operation
 * @property {string} place size and keys, or how many at once
 * @property {boolean} start whether the cost of a process is paid for one file alone
 * @property {import('../peers/index.mjs').Peer} peer as the results list it
 * @property {Figure} own
 * @property {Figure} theirs
 * @property {number} factor theirs by ours; below 1 Callseal is behind
 *
 * @typedef {{ median: number, min: number, max: number, runs: number }} Figure
 */

/** @returns {Comparison[]} all there are */
export function comparisons(results) {
  const all = [...ofMatrix(results), ...ofBatch(results), ...ofScaling(results)];
  return Object.entries(OWN).flatMap(([kind, own]) => {
    const rivals = results.peers.filter((peer) => peer.kind === kind && peer.id !== own);
    const mine = new Map(all.filter(({ id }) => id === own).map((cell) => [keyOf(cell), cell]));
    return rivals.flatMap((peer) =>
      all
        .filter(({ id }) => id === peer.id)
        .flatMap(({ figure: theirs, id: _, ...cell }) => {
          const own = mine.get(keyOf(cell))?.figure;
          return own === undefined ? [] : [{ ...cell, kind, peer, own, theirs, factor: theirs.median / own.median }];
        }),
    );
  });
}

const keyOf = ({ measure, operation, place }) => `${measure} ${operation} ${place}`;

function ofMatrix({ matrix }) {
  return matrix
    .filter(({ seconds }) => seconds !== undefined)
    .flatMap(({ peer: id, operation, bytes, recipients, bits, seconds, cpuSeconds, peakRssBytes }) => {
      const isBase = recipients === BASE.recipients && bits === BASE.bits;
      const place = `${formatBytes(bytes)}${isBase ? '' : ` for ${recipients} × RSA-${bits}`}`;
      const cell = { id, operation, place, start: true };
      return [
        { ...cell, measure: 'time', figure: seconds },
        { ...cell, measure: 'CPU', figure: cpuSeconds },
        { ...cell, measure: 'memory', figure: once(peakRssBytes) },
      ];
    });
}

function ofBatch({ batch }) {
  return batch
    .filter(({ filesPerSecond }) => filesPerSecond !== undefined)
    .flatMap(({ peer: id, operation, sync, filesPerSecond, cpuSecondsPerFile }) => {
      const cell = { id, operation, place: `${MANY}${sync ? ', synced' : ''}`, start: false };
      return [
        { ...cell, measure: 'time', figure: inverse(filesPerSecond) },
        { ...cell, measure: 'CPU', figure: cpuSecondsPerFile },
      ];
    });
}

function ofScaling({ scaling }) {
  return scaling
    .filter(({ filesPerSecond }) => filesPerSecond !== undefined)
    .map(({ peer: id, cores, filesPerSecond }) => {
      const place = `${MANY}, pinned to ${cores} ${cores === 1 ? 'core' : 'cores'}`;
      return { id, operation: 'encrypt', place, start: false, measure: 'time', figure: inverse(filesPerSecond) };
    });
}

const once = (value) => ({ median: value, min: value, max: value, runs: 1 });
const inverse = ({ median, min, max, runs }) => ({ median: 1 / median, min: 1 / max, max: 1 / min, runs });

/**
 * Cells in which a peer is ahead for the same reason.
 *
 * @typedef {object} Behind
 * @property {Comparison['measure']} measure
 * @property {Comparison['kind']} kind
 * @property {Comparison['peer']} peer
 * @property {Comparison[]} cells
 * @property {string} why
 * @property {Comparison[]} measured all of the same measure and peer, whoever is ahead
 *
 * @typedef {object} Standing
 * @property {number} all comparisons with peers that encrypt
 * @property {number} ahead
 * @property {Behind[]} behind with peers that only copy, too
 */

const sameRow = (cell) => (other) => other.measure === cell.measure && other.peer === cell.peer;

/** @returns {Standing} */
export function standing(results) {
  const all = comparisons(results);
  const groups = new Map();
  for (const cell of all.filter(({ factor }) => factor < 1)) {
    const why = reasonFor(cell, all, results);
    const { measure, kind, peer } = cell;
    const key = [kind, peer.id, measure, why].join('\n');
    if (!groups.has(key)) groups.set(key, { measure, kind, peer, cells: [], why, measured: all.filter(sameRow(cell)) });
    groups.get(key).cells.push(cell);
  }
  const real = all.filter(({ peer }) => !peer.copies);
  return {
    all: real.length,
    ahead: real.filter(({ factor }) => factor >= 1).length,
    behind: [...groups.values()].sort(byKindAndMeasure),
  };
}

const MEASURES = ['time', 'CPU', 'memory'];
const byKindAndMeasure = (a, b) =>
  Object.keys(OWN).indexOf(a.kind) - Object.keys(OWN).indexOf(b.kind) ||
  MEASURES.indexOf(a.measure) - MEASURES.indexOf(b.measure);

/** `encrypt 4 KiB, 64 KiB; decrypt everything`. */
export function placesOf({ cells, measured }) {
  const places = ['encrypt', 'decrypt'].flatMap((operation) => {
    const [some, every] = [cells, measured].map((each) => each.filter((cell) => cell.operation === operation));
    if (some.length === 0) return [];
    const names = some.length === every.length ? 'everything' : some.map(({ place }) => place).join(', ');
    return [`${operation} ${names}`];
  });
  return places.join('; ');
}

/** Why a peer takes less time in a cell; undefined when it does not. */
export function whyFaster({ behind }, peer, operation, place) {
  const group = behind.find(
    ({ measure, peer: { id }, cells }) =>
      measure === 'time' && id === peer && cells.some((cell) => cell.operation === operation && cell.place === place),
  );
  return group?.why;
}

/** By how much a group's peer is ahead: `2 to 5.1 ×`. */
export function leadOf({ cells }) {
  const leads = cells.map(({ factor }) => 1 / factor);
  const [least, most] = [Math.min(...leads), Math.max(...leads)].map((lead) => lead.toFixed(lead < 10 ? 2 : 0));
  return `${least === most ? least : `${least} to ${most}`} ×`;
}

/** @param {Standing} standing */
export function formatStanding({ all, ahead, behind }) {
  if (all === 0) return 'No comparison with peers was measured';
  const lines = behind.map(
    (group) =>
      `  ${group.peer.name} (${group.kind}), less ${group.measure}, ${leadOf(group)}: ${placesOf(group)}: ${group.why}`,
  );
  return [`Callseal is ahead in ${formatNumber(ahead)} of ${formatNumber(all)} comparisons with a peer`, ...lines].join(
    '\n',
  );
}

export function sameCell(a, b) {
  return a.operation === b.operation && a.bytes === b.bytes && a.recipients === b.recipients && a.bits === b.bits;
}
