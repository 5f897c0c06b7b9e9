/** Protected records: how many a second, what each costs, and what is refused. */

import { formatBytes, formatNumber, formatSeconds } from '../../dist/page/figures.js';
import { escapeHtml, section, table } from '../../dist/page/html.js';
import { barChart } from '../../dist/page/svg.js';
import { colourOf } from './colours.mjs';
import { PLACES } from './standing.mjs';

const RECORD_BYTES = 1024;
const OPERATIONS = ['protect', 'unprotect'];
const MODES = Object.keys(PLACES);

/** @param {{ records: import('../suites/records.mjs').RecordResult[] }} results */
export function recordsSection({ records = [], peers }) {
  const results = records.map((result) => ({ ...result, name: peers.find(({ id }) => id === result.peer).name }));
  const charts = OPERATIONS.flatMap((operation) => MODES.map((mode) => rateChart(results, operation, mode)));
  return section(
    'Records of a service',
    'Records of 1 KiB, each with its entity, keys at hand, one thread of JavaScript: one call after the other, and many as fast ' +
      'as each can. Callseal alone keeps its keys in a signed store, counts there what each may encrypt, and works in a FIPS module.',
    charts.some(Boolean) && `<div class="pair">${charts.join('')}</div>`,
    results.length > 0 && table(head(), results.map(line)),
  );
}

const cellOf = ({ cells = [] }, operation, mode) =>
  cells.find((cell) => cell.operation === operation && cell.mode === mode);

function rateChart(results, operation, mode) {
  const bars = results
    .filter((result) => cellOf(result, operation, mode) !== undefined)
    .map((result) => ({ result, value: cellOf(result, operation, mode).recordsPerSecond.median }))
    .map(({ result: { peer, name }, value }) => ({
      name,
      colour: colourOf(peer),
      value,
      label: formatNumber(value),
      strong: peer.startsWith('callseal'),
    }))
    .sort((a, b) => b.value - a.value);
  return barChart({ title: `records a second, ${operation}, ${PLACES[mode]}`, bars });
}

function head() {
  const cpu = OPERATIONS.flatMap((operation) =>
    MODES.map((mode) => `<th class="number">CPU, ${operation}<br>${PLACES[mode]}</th>`),
  );
  return ['', ...cpu, '<th class="number">1 KiB becomes</th>', 'a bit flipped', 'for another entity'];
}

function line(result) {
  const name = `<td>${escapeHtml(result.name)}</td>`;
  if (result.failure !== undefined) return [name, `<td colspan="7" class="soft">${escapeHtml(result.failure)}</td>`];
  const cpu = OPERATIONS.flatMap((operation) =>
    MODES.map((mode) => {
      const { cpuSecondsPerRecord } = cellOf(result, operation, mode);
      return `<td class="number">${formatSeconds(cpuSecondsPerRecord.median)}</td>`;
    }),
  );
  const size = `<td class="number">${formatBytes(RECORD_BYTES)} + ${result.sealedBytes - RECORD_BYTES}</td>`;
  return [name, ...cpu, size, verdict(result.flips), verdict(result.entities)];
}

function verdict({ tries, refused, answer }) {
  const good = refused === tries;
  const text = good ? 'refuses' : refused === 0 ? 'accepts it' : `refuses ${refused} of ${tries}`;
  return `<td class="verdict" style="--c:var(--${good ? 'good' : 'bad'})" title="${escapeHtml(answer)}">${text}</td>`;
}
