/** Memory, damaged files, where Callseal is not ahead, and what was measured with what. */

import { formatBytes, formatNumber } from '../../dist/bench/page/figures.js';
import { escapeHtml, rich, section, table } from '../../dist/bench/page/html.js';
import { BASE } from '../suites/matrix.mjs';
import { ABOUT_START, standing } from './standing.mjs';

const HIGH_MEMORY = 300 * 2 ** 20;
const FULL_SHARE = 45;

export function memorySection({ matrix, peers }) {
  const base = matrix.filter(({ recipients, bits }) => recipients === BASE.recipients && bits === BASE.bits);
  const sizes = [...new Set(base.map(({ bytes }) => bytes))].sort((a, b) => a - b);
  const columns = ['encrypt', 'decrypt'].flatMap((operation) => sizes.map((bytes) => ({ operation, bytes })));
  const rows = peers.map(({ id, name, kind }) => [
    `<td>${escapeHtml(name)} <span class="note">${kind}</span></td>`,
    ...columns.map(({ operation, bytes }) => {
      const cell = base.find((each) => each.peer === id && each.operation === operation && each.bytes === bytes);
      if (cell?.peakRssBytes === undefined) return '<td class="heat soft">–</td>';
      const share = Math.min(1, cell.peakRssBytes / HIGH_MEMORY) * FULL_SHARE;
      return `<td class="heat" style="--c:var(--bad);--share:${share.toFixed(0)}%">${formatNumber(cell.peakRssBytes / 2 ** 20)}</td>`;
    }),
  ]);
  return section(
    'Memory at the peak',
    'MiB resident. Libraries include Node itself, about 45 MiB.',
    base.length > 0 &&
      table(
        ['', ...columns.map(({ operation, bytes }) => `<th class="number">${operation}<br>${formatBytes(bytes)}</th>`)],
        rows,
      ),
  );
}

export function damageSection({ damage, peers }) {
  const kinds = [...new Set(damage.map((trial) => trial.damage))];
  const rows = peers
    .filter(({ id }) => damage.some(({ peer }) => peer === id))
    .map(({ id, name, kind }) => [
      `<td>${escapeHtml(name)} <span class="note">${kind}</span></td>`,
      ...kinds.map((each) => outcome(damage.find((trial) => trial.peer === id && trial.damage === each))),
    ]);
  const titles = {
    'flipped bit': 'a bit flipped in the middle of 8 MiB',
    truncated: 'cut in the middle',
    empty: 'an empty file',
  };
  return section(
    'Damaged files',
    'What each does with a file that somebody changed, found by trying: what it answers, and what it leaves under the ' +
      "output's name.",
    rows.length > 0 && table(['', ...kinds.map((each) => titles[each])], rows),
  );
}

/** @param {import('../suites/damage.mjs').Trial} [trial] */
function outcome(trial) {
  if (trial === undefined) return '';
  const { damage, refused, answer, releasedBytes, releasedAltered } = trial;
  const safe = damage === 'empty' ? answer === 'accepts it' : refused && releasedBytes === 0;
  const left =
    releasedBytes === 0
      ? ''
      : `leaves ${formatBytes(releasedBytes)}${releasedAltered ? ' of altered plaintext' : ' of the plaintext'}`;
  const said = damage === 'empty' ? answer.replace(/^accepts it$/, 'comes back empty') : refused ? 'refuses' : answer;
  const text =
    [said, left].filter(Boolean).join(', ') + (refused && left === '' && damage !== 'empty' ? ', leaves nothing' : '');
  return `<td class="verdict" style="--c:var(--${safe ? 'good' : 'bad'})" title="${escapeHtml(answer)}">${escapeHtml(text)}</td>`;
}

export function standingSection(results) {
  const all = standing(results);
  const behind = all.filter(({ factor }) => factor < 1);
  const rows = behind.map(({ kind, what, rival, factor, why }) => [
    escapeHtml(what),
    escapeHtml(kind),
    `${escapeHtml(rival)} is ${formatNumber(1 / factor)} times as fast`,
    escapeHtml(why),
  ]);
  return section(
    'Where Callseal is not ahead',
    `It is ahead of every peer of its kind in ${all.length - behind.length} of ${all.length} comparisons.`,
    all.length > 0 && (rows.length > 0 ? table(['what', 'kind', 'fastest peer', 'why'], rows) : '<p>Nowhere.</p>'),
    behind.some(({ kind }) => kind === 'command') && `<p class="note">${escapeHtml(ABOUT_START)}</p>`,
  );
}

export function machineSection({ machine, peers, missing, plan, started, seconds }) {
  const facts = [
    ['machine', `${machine.cpu}, ${machine.cores} cores, ${formatBytes(machine.memoryBytes)}; Linux ${machine.kernel}`],
    ['Node', machine.node],
    [
      'crypto module',
      `${machine.module.name} ${machine.module.version}, FIPS ${machine.module.fips}; ${machine.libcrypto}`,
    ],
    ['file system', `${machine.fileSystem}; files in the page cache`],
    ['run', `${plan}, begun ${started}, ${formatNumber(seconds / 60)} minutes`],
    ...peers.map(({ name, version, settings }) => [name, `${version}: ${settings}`]),
    ...missing.map((name) => [name, 'not installed; left out']),
  ];
  return section(
    'Measured with',
    'Competitors take turns, round after round, so that whatever happens to the machine happens to all. Figures are medians; ' +
      'every result was checked to come back as it went in. How to read and repeat this: `bench/README.md`.',
    table(
      ['', ''],
      facts.map(([name, text]) => [escapeHtml(name), rich(text)]),
    ),
  );
}
