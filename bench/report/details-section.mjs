/** Memory, damaged files, where Callseal is not ahead, and what was measured with what. */

import { formatBytes, formatNumber } from '../../dist/page/figures.js';
import { escapeHtml, rich, section, table } from '../../dist/page/html.js';
import { BASE } from '../suites/matrix.mjs';
import { countsText, leadOf, placesOf } from './standing.mjs';

const MEBIBYTE = 2 ** 20;
const HIGH_MEMORY_MIB = 300;
const FULL_SHARE = 45;

/** CPU and memory of one run, for every size. */
export function resourcesSection(results) {
  return [
    grid(results, {
      title: 'Memory at the peak',
      text: 'MiB resident. Libraries include Node itself, about 45 MiB.',
      of: ({ peakRssBytes }) => peakRssBytes / MEBIBYTE,
      full: HIGH_MEMORY_MIB,
    }),
    grid(results, {
      title: 'CPU of one run',
      text: 'Milliseconds, user and system, of all threads and helpers; of a whole process for commands.',
      of: ({ cpuSeconds }) => cpuSeconds.median * 1000,
    }),
  ].join('\n');
}

/** A table of peers by sizes; shaded up to `full` where that is given. */
function grid({ matrix, peers }, { title, text, of, full }) {
  const base = matrix.filter(({ recipients, bits }) => recipients === BASE.recipients && bits === BASE.bits);
  const sizes = [...new Set(base.map(({ bytes }) => bytes))].sort((a, b) => a - b);
  const columns = ['encrypt', 'decrypt'].flatMap((operation) => sizes.map((bytes) => ({ operation, bytes })));
  const rows = peers
    .filter(({ kind }) => kind !== 'record')
    .map(({ id, name, kind }) => [
      `<td>${escapeHtml(name)} <span class="note">${kind}</span></td>`,
      ...columns.map(({ operation, bytes }) => {
        const cell = base.find((each) => each.peer === id && each.operation === operation && each.bytes === bytes);
        if (cell?.seconds === undefined) return '<td class="heat soft">–</td>';
        const share = full === undefined ? 0 : Math.min(1, of(cell) / full) * FULL_SHARE;
        return `<td class="heat" style="--c:var(--bad);--share:${share.toFixed(0)}%">${formatNumber(of(cell))}</td>`;
      }),
    ]);
  const head = columns.map(({ operation, bytes }) => `<th class="number">${operation}<br>${formatBytes(bytes)}</th>`);
  return section(title, text, base.length > 0 && table(['', ...head], rows));
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
      "output's name. Libraries that hand out plaintext as it comes leave it to the program around them, here the pipeline of " +
      'their documentation, to take it back.',
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

/** @param {import('./standing.mjs').Standing} found */
export function standingSection(found) {
  const { counts, behind, about } = found;
  const rows = behind.map((group) => [
    `<td>${escapeHtml(group.peer.name)} <span class="note">${group.kind}</span></td>`,
    escapeHtml(group.measure),
    escapeHtml(placesOf(group)),
    `<td class="number">${escapeHtml(leadOf(group))}</td>`,
    escapeHtml(group.why),
  ]);
  const head = ['peer', 'less', 'where', '<th class="number">by</th>', 'why'];
  return section(
    'Where Callseal is not ahead',
    'Time, CPU and memory of the run beside those of every peer of the same kind. Callseal needs less ' +
      `${countsText(found)} comparisons. These are the others, with what explains them.`,
    counts.time.all > 0 && (rows.length > 0 ? table(head, rows) : '<p>Nowhere.</p>'),
    about !== null && `<p class="note">${escapeHtml(about)}</p>`,
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
