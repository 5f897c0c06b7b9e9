/** Callseal against every peer: how many times faster, for every size; and what a file costs. */

import { formatBytes, formatNumber, formatSeconds } from '../../dist/page/figures.js';
import { escapeHtml, section, table } from '../../dist/page/html.js';
import { barChart, lineChart } from '../../dist/page/svg.js';
import { BARE } from '../suites/batch.mjs';
import { BASE } from '../suites/matrix.mjs';
import { colourOf } from './colours.mjs';
import { MANY, OWN, sameCell, whyFaster } from './standing.mjs';

const KINDS = [
  { kind: 'library', title: 'Inside Node: libraries' },
  { kind: 'command', title: 'As a command: one process a file' },
];
const OPERATIONS = ['encrypt', 'decrypt'];
/** A factor at which the shading is full. */
const FULL_FACTOR = 30;
const FULL_SHARE = 55;

const isBase = ({ recipients, bits }) => recipients === BASE.recipients && bits === BASE.bits;
const sizesOf = (results) =>
  [...new Set(results.matrix.filter(isBase).map(({ bytes }) => bytes))].sort((a, b) => a - b);

/** The table of factors. */
export function factorsSection(results, found) {
  const sizes = sizesOf(results);
  const batched = results.batch.length > 0;
  const columns = OPERATIONS.flatMap((operation) => [
    ...sizes.map((bytes) => ({ operation, bytes })),
    ...(batched ? [{ operation, batch: true }] : []),
  ]);
  const parts = KINDS.map(({ kind, title }) => {
    const peers = results.peers.filter((peer) => peer.kind === kind && peer.id !== OWN[kind]);
    if (peers.length === 0 || columns.length === 0) return '';
    const head = [
      'peer',
      ...columns.map(({ operation, bytes, batch }) => {
        return `<th class="number">${operation}<br>${batch ? 'many' : formatBytes(bytes)}</th>`;
      }),
    ];
    const rows = peers.map((peer) => [
      `<td>${escapeHtml(peer.name)}</td>`,
      ...columns.map((column) => factorCell(results, found, peer, column)),
    ]);
    return `<h3>${title}</h3>${table(head, rows)}${reasonsBelow(found, kind)}`;
  });
  return section(
    'Against every peer',
    'How many times as long each peer takes as Callseal, for one file of each size and for many call files at once on all ' +
      'cores; two recipients with RSA-2048. Below 1 it is faster than Callseal, and why is said below. Point at a cell for its times.',
    ...parts,
  );
}

/** Why cells are below 1, for peers that encrypt. */
function reasonsBelow({ behind, about }, kind) {
  const groups = behind.filter((group) => group.kind === kind && group.measure === 'time' && !group.peer.copies);
  const reasons = [...new Set(groups.map(({ why }) => why))].map((why) => {
    const peers = [...new Set(groups.filter((group) => group.why === why).map(({ peer }) => peer.name))];
    return `<p class="note">Below 1 (${escapeHtml(peers.join(', '))}): ${escapeHtml(why)}.</p>`;
  });
  const more = kind === 'command' && about !== null ? `<p class="note">${escapeHtml(about)}</p>` : '';
  return reasons.join('') + more;
}

function factorCell(results, found, peer, { operation, bytes, batch }) {
  const own = OWN[peer.kind];
  const pick = (id) => {
    if (batch) {
      const figure = results.batch.find((each) => each.peer === id && each.operation === operation && !each.sync);
      return figure?.filesPerSecond === undefined ? figure : { ...figure, time: 1 / figure.filesPerSecond.median };
    }
    const cell = results.matrix.find((each) => each.peer === id && sameCell(each, { operation, bytes, ...base }));
    return cell?.seconds === undefined ? cell : { ...cell, time: cell.seconds.median };
  };
  const base = { recipients: BASE.recipients, bits: BASE.bits };
  const [ours, theirs] = [pick(own), pick(peer.id)];
  if (theirs?.failure !== undefined) return `<td class="heat soft" title="${escapeHtml(theirs.failure)}">failed</td>`;
  if (ours?.time === undefined || theirs?.time === undefined) return '<td class="heat soft">–</td>';
  const factor = theirs.time / ours.time;
  const why = whyFaster(found, peer.id, operation, batch ? MANY : formatBytes(bytes));
  const title = `${peer.name} ${formatSeconds(theirs.time)}, Callseal ${formatSeconds(ours.time)}${batch ? ' a file' : ''}${why === undefined ? '' : `. It is faster: ${why}`}`;
  const share = peer.copies ? 0 : Math.min(1, Math.abs(Math.log(factor)) / Math.log(FULL_FACTOR)) * FULL_SHARE;
  const style = `--c:var(--${factor >= 1 ? 'good' : 'bad'});--share:${share.toFixed(0)}%`;
  return `<td class="heat" style="${style}" title="${escapeHtml(title)}">${formatFactor(factor)}</td>`;
}

const formatFactor = (factor) => factor.toFixed(factor >= 10 ? 0 : factor >= 1 ? 1 : 2);

/** What one call file costs when many are done. */
export function costSection(results) {
  const names = new Map(results.peers.map(({ id, name }) => [id, name]));
  const charts = OPERATIONS.flatMap((operation) =>
    [
      {
        title: `CPU for each file, ${operation}`,
        of: ({ cpuSecondsPerFile }) => cpuSecondsPerFile.median,
        label: formatSeconds,
      },
      {
        title: `files a second, ${operation}`,
        of: ({ filesPerSecond }) => filesPerSecond.median,
        label: formatNumber,
        descending: true,
      },
    ].map(({ title, of, label, descending }) => {
      const bars = results.batch
        .filter((figure) => figure.operation === operation && !figure.sync && figure.filesPerSecond !== undefined)
        .map((figure) => ({
          name: names.get(figure.peer) ?? 'bare C program',
          colour: colourOf(figure.peer),
          value: of(figure),
          label: label(of(figure)),
          strong: figure.peer.startsWith('callseal'),
        }))
        .sort((a, b) => (descending ? b.value - a.value : a.value - b.value));
      return barChart({ title, bars });
    }),
  );
  const synced = results.batch.filter(({ sync, filesPerSecond }) => sync && filesPerSecond !== undefined);
  const rows = synced.map(({ peer, operation, filesPerSecond, cpuSecondsPerFile }) => [
    escapeHtml(names.get(peer) ?? 'bare C program'),
    operation,
    `<td class="number">${formatNumber(filesPerSecond.median)}</td>`,
    `<td class="number">${formatSeconds(cpuSecondsPerFile.median)}</td>`,
  ]);
  return section(
    'What a call file costs',
    'Files of 64 KiB, two RSA-2048 recipients, a fresh key each, as many at once as each can on all cores. Commands run a ' +
      'process a file, but for `callseal`, which takes them all. Nobody waits for the disk here.',
    charts.some(Boolean) && `<div class="pair">${charts.join('')}</div>`,
    rows.length > 0 &&
      `<details><summary>waiting until every file is on the disk</summary>${table(
        ['', 'operation', '<th class="number">files/s</th>', '<th class="number">CPU a file</th>'],
        rows,
      )}</details>`,
  );
}

/** Throughput over size. */
export function sizesSection(results) {
  const sizes = sizesOf(results);
  const charts = KINDS.flatMap(({ kind, title }) =>
    OPERATIONS.map((operation) =>
      lineChart({
        title: `${title.split(':')[0]}: ${operation}`,
        unit: 'MB/s',
        places: sizes.map(formatBytes),
        series: results.peers
          .filter((peer) => peer.kind === kind)
          .map((peer) => ({
            ...face(peer),
            points: sizes.flatMap((bytes, index) => {
              const cell = results.matrix.find(
                (each) => each.peer === peer.id && isBase(each) && each.bytes === bytes && each.operation === operation,
              );
              return cell?.seconds === undefined ? [] : [[index, bytes / 1e6 / cell.seconds.median]];
            }),
          })),
      }),
    ),
  );
  return section(
    'By size',
    'One file at a time. At the left the cost of a file and of a process shows, at the right that of a byte.',
    charts.some(Boolean) && `<div class="pair">${charts.join('')}</div>`,
  );
}

/** Cores, recipients, key lengths. */
export function scalingSection(results) {
  const cores = [...new Set(results.scaling.map((figure) => figure.cores))];
  const coresText = (count) => `${count} ${count === 1 ? 'core' : 'cores'}`;
  const scaled = [
    { id: BARE, name: 'bare C', kind: 'limit' },
    ...results.peers.filter(({ kind }) => kind === 'library'),
  ].map((peer) => ({
    ...face(peer),
    dashed: peer.id === BARE,
    points: results.scaling
      .filter((figure) => figure.peer === peer.id && figure.filesPerSecond !== undefined)
      .map((figure) => [cores.indexOf(figure.cores), figure.filesPerSecond.median]),
  }));
  const byCores = lineChart({
    title: 'Call files a second, by cores',
    unit: 'files/s',
    linear: true,
    places: cores.map(coresText),
    series: scaled,
  });
  const sets = results.matrix.filter(({ bytes }) => bytes === BASE.bytes);
  const keys = [...new Set(sets.map(({ bits, recipients }) => `${bits}/${recipients}`))]
    .map((text) => text.split('/').map(Number))
    .sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const byKeys = OPERATIONS.map((operation) =>
    lineChart({
      title: `A 64 KiB file, ${operation}: recipients × RSA bits`,
      unit: 'ms',
      places: keys.map(([bits, recipients]) => `${recipients} × ${bits}`),
      gap: Math.max(
        0,
        keys.findIndex(([bits]) => bits !== keys[0][0]),
      ),
      series: results.peers
        .filter(({ kind }) => kind === 'library')
        .map((peer) => ({
          ...face(peer),
          points: keys.flatMap(([bits, recipients], index) => {
            const cell = sets.find(
              (each) =>
                each.peer === peer.id &&
                each.operation === operation &&
                each.bits === bits &&
                each.recipients === recipients,
            );
            return cell?.seconds === undefined ? [] : [[index, cell.seconds.median * 1000]];
          }),
        })),
    }),
  );
  const gain = lineChart({
    title: 'The same, in multiples of one core',
    unit: 'times one core',
    linear: true,
    places: cores.map(coresText),
    series: scaled.map(({ points, ...peer }) => ({
      ...peer,
      points: points.map(([place, value]) => [place, value / points[0][1]]),
    })),
  });
  const charts = [byCores, cores.length > 1 && gain, ...byKeys];
  return section(
    'By cores, recipients and keys',
    'Encrypting pays one public-key operation a recipient, decrypting one private-key operation, which grows with the key.',
    charts.some(Boolean) && `<div class="pair">${charts.filter(Boolean).join('')}</div>`,
  );
}

function face({ id, name }) {
  return { name, colour: colourOf(id), strong: id.startsWith('callseal') };
}
