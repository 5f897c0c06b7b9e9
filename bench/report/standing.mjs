/** Where Callseal stands among its peers, cell by cell: ahead, or not and why. */

import { formatBytes } from '../../dist/page/figures.js';
import { BASE } from '../suites/matrix.mjs';
import { aboutStart, reasonFor } from './reasons.mjs';

const MEASURES = ['time', 'CPU', 'memory'];
/** The place of a batch. */
export const MANY = 'many at once';

/** The place of a record. */
export const PLACES = { single: 'one call after the other', many: MANY };

/** Callseal's own entry among the peers of a kind. */
export const OWN = { library: 'callseal', command: 'callseal-command', record: 'callseal-records' };

/**
 * One of Callseal's figures beside the same figure of one peer of the same kind.
 *
 * @typedef {object} Comparison
 * @property {'time' | 'CPU' | 'memory'} measure less is better in all of them
 * @property {'library' | 'command' | 'record'} kind
 * @property {'encrypt' | 'decrypt' | 'protect' | 'unprotect'} operation
 * @property {string} place size and keys, or how many at once
 * @property {number} files that a process, or a call, is for; figures are of one; 0 for records
 * @property {import('../peers/index.mjs').Peer} peer as the results list it
 * @property {Figure} own
 * @property {Figure} theirs
 * @property {number} factor theirs by ours; below 1 Callseal is behind
 *
 * @typedef {{ median: number, min: number, max: number, runs: number }} Figure
 */

/** @returns {Comparison[]} all there are */
export function comparisons(results) {
  const all = [...ofMatrix(results), ...ofBatch(results), ...ofScaling(results), ...ofRecords(results)];
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
      const cell = { id, operation, place, files: 1 };
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
    .flatMap(({ peer: id, operation, sync, files, filesPerSecond, cpuSecondsPerFile }) => {
      const cell = { id, operation, place: `${MANY}${sync ? ', synced' : ''}`, files };
      return [
        { ...cell, measure: 'time', figure: inverse(filesPerSecond) },
        { ...cell, measure: 'CPU', figure: cpuSecondsPerFile },
      ];
    });
}

function ofScaling({ scaling }) {
  return scaling
    .filter(({ filesPerSecond }) => filesPerSecond !== undefined)
    .map(({ peer: id, cores, files, filesPerSecond }) => {
      const place = `${MANY}, pinned to ${cores} ${cores === 1 ? 'core' : 'cores'}`;
      return { id, operation: 'encrypt', place, files, measure: 'time', figure: inverse(filesPerSecond) };
    });
}

function ofRecords({ records = [] }) {
  return records
    .flatMap(({ peer, cells = [] }) => cells.map((cell) => ({ id: peer, ...cell })))
    .flatMap(({ id, operation, mode, recordsPerSecond, cpuSecondsPerRecord }) => {
      const cell = { id, operation, place: PLACES[mode], files: 0 };
      return [
        { ...cell, measure: 'time', figure: inverse(recordsPerSecond) },
        { ...cell, measure: 'CPU', figure: cpuSecondsPerRecord },
      ];
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
 * @property {Record<Comparison['measure'], { all: number, ahead: number }>} counts of comparisons with peers that encrypt
 * @property {Behind[]} behind with peers that only copy, too
 * @property {string | null} about what a reason means
 */

const sameRow = (cell) => (other) => other.measure === cell.measure && other.peer === cell.peer;

/** @returns {Standing} */
export function standing(results) {
  const all = comparisons(results);
  const groups = new Map();
  for (const cell of all.filter(({ factor }) => factor < 1)) {
    const why = reasonFor(cell, all);
    const { measure, kind, peer } = cell;
    const key = [kind, peer.id, measure, why].join('\n');
    if (!groups.has(key)) groups.set(key, { measure, kind, peer, cells: [], why, measured: all.filter(sameRow(cell)) });
    groups.get(key).cells.push(cell);
  }
  const real = all.filter(({ peer }) => !peer.copies);
  const count = (measure) => {
    const cells = real.filter((cell) => cell.measure === measure);
    return { all: cells.length, ahead: cells.filter(({ factor }) => factor >= 1).length };
  };
  const behind = [...groups.values()].sort(byKindAndMeasure);
  return {
    counts: Object.fromEntries(MEASURES.map((measure) => [measure, count(measure)])),
    behind,
    about: aboutStart({ behind }, all, results),
  };
}

/** `time in 80 of 90, CPU in 70 of 90, memory in 60 of 80`. */
export function countsText({ counts }) {
  return MEASURES.map((measure) => `${measure} in ${counts[measure].ahead} of ${counts[measure].all}`).join(', ');
}

const byKindAndMeasure = (a, b) =>
  Object.keys(OWN).indexOf(a.kind) - Object.keys(OWN).indexOf(b.kind) ||
  MEASURES.indexOf(a.measure) - MEASURES.indexOf(b.measure);

/** `encrypt 4 KiB, 64 KiB; decrypt everything`. */
export function placesOf({ cells, measured }) {
  if (cells.length === measured.length) return 'everything';
  const places = ['encrypt', 'decrypt', 'protect', 'unprotect'].flatMap((operation) => {
    const [some, every] = [cells, measured].map((each) => each.filter((cell) => cell.operation === operation));
    if (some.length === 0) return [];
    if (some.length === every.length) return [`${operation} everything`];
    const [single, singles] = [some, every].map((each) => each.filter(({ files }) => files === 1));
    const whole = single.length === singles.length;
    const rest = (whole ? some.filter(({ files }) => files !== 1) : some).map(({ place }) => place);
    return [`${operation} ${[...(whole && single.length > 0 ? ['every single file'] : []), ...rest].join(', ')}`];
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
export function formatStanding(found) {
  const { counts, behind, about } = found;
  if (counts.time.all === 0) return 'No comparison with peers was measured';
  const lines = behind.map(
    (group) =>
      `  ${group.peer.name} (${group.kind}), less ${group.measure}, ${leadOf(group)}: ${placesOf(group)}: ${group.why}`,
  );
  return [
    `Callseal is ahead of a peer: ${countsText(found)} comparisons`,
    ...lines,
    ...(about === null ? [] : [`  ${about}`]),
  ].join('\n');
}

export function sameCell(a, b) {
  return a.operation === b.operation && a.bytes === b.bytes && a.recipients === b.recipients && a.bits === b.bits;
}
