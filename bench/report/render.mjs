/** One page that shows a whole run, without anything from outside. By hand: node bench/report/render.mjs IN.json OUT.html */

import { readFileSync, writeFileSync } from 'node:fs';
import { formatNumber, formatSeconds } from '../../dist/page/figures.js';
import { escapeHtml, page, tiles } from '../../dist/page/html.js';
import { damageSection, machineSection, resourcesSection, standingSection } from './details-section.mjs';
import { limitsSection } from './limits-section.mjs';
import { costSection, factorsSection, scalingSection, sizesSection } from './peers-section.mjs';
import { recordsSection } from './records-section.mjs';
import { standing } from './standing.mjs';

/** @returns {string} HTML */
export function renderReport(results) {
  const { machine, started, plan } = results;
  const found = standing(results);
  const body = [
    '<h1>Callseal, measured</h1>',
    `<div class="facts">${escapeHtml(`${started.slice(0, 10)} · ${machine.cpu}, ${machine.cores} cores · ${machine.module.name} ${machine.module.version} · Node ${machine.node}`)}</div>`,
    plan === 'smoke'
      ? '<p class="warning">A trial run with tiny files: it shows that everything works. Its figures mean nothing.</p>'
      : '',
    headline(results),
    tiles(highlights(results, found)),
    limitsSection(results.limits),
    factorsSection(results, found),
    costSection(results),
    sizesSection(results),
    scalingSection(results),
    damageSection(results),
    recordsSection(results),
    standingSection(found),
    resourcesSection(results),
    machineSection(results),
  ];
  return page(`Callseal, measured ${started.slice(0, 10)}`, body);
}

const limitRow = ({ limits }, id) => limits.rows.find((row) => row.id === id);

const batchRate = ({ batch }, peer) =>
  batch.find((figure) => figure.peer === peer && figure.operation === 'encrypt' && !figure.sync)?.filesPerSecond
    ?.median;

/** The rate and its limit from the table of limits, which takes more files; peers from the batch. */
function headline(results) {
  const measured = limitRow(results, 'call-files-unsynced')?.figures[0];
  const inBatch = batchRate(results, 'callseal');
  const own = measured?.own ?? inBatch;
  if (own === undefined) return '';
  const rivals = results.peers
    .filter(({ id, copies }) => !copies && !id.startsWith('callseal'))
    .map(({ id, name }) => ({ name, rate: batchRate(results, id) }))
    .filter(({ rate }) => rate !== undefined)
    .sort((a, b) => b.rate - a.rate);
  const parts = [
    measured && `${Math.round((100 * own) / measured.limit)} % of what a bare C program reaches`,
    rivals.length > 0 &&
      `<b>${formatNumber(inBatch / rivals[0].rate)} times</b> as many as ${escapeHtml(rivals[0].name)}, the fastest peer`,
  ].filter(Boolean);
  const compared = parts.length === 0 ? '' : `: ${parts.join(' and ')}`;
  return `<p class="headline">Callseal encrypts <b>${formatNumber(own)} call files a second</b> here${compared}.</p>`;
}

function highlights(results, { counts: { time } }) {
  const row = (id) => limitRow(results, id);
  const met = results.limits.rows.filter((each) => each.met).length;
  const bulk = row('encrypt-file');
  const floe = row('floe-all-cores');
  const host = row('recording-host');
  const files = row('call-files-unsynced-cpu');
  const found = [
    results.limits.rows.length > 0 && [`${met} of ${results.limits.rows.length}`, 'targets reached'],
    time.all > 0 && [`${time.ahead} of ${time.all}`, 'times shorter than the same time of a peer'],
    files && [formatSeconds(files.figures[0].own / 1e6), 'of CPU for a call file of 64 KiB and two recipients'],
    host && [`${formatNumber(host.value.median)} %`, 'of one core for the recordings of 5,000 channels, 333 files/s'],
    bulk && [`${formatNumber(bulk.value.median)} ×`, 'the time of a plain copy to encrypt one big file'],
    floe && [`${formatNumber(floe.figures[0].own)} GB/s`, 'in memory on all cores'],
  ];
  return found.filter(Boolean);
}

if (process.argv[1] === import.meta.filename) {
  const [input, output] = process.argv.slice(2);
  writeFileSync(output, renderReport(JSON.parse(readFileSync(input, 'utf8'))));
}
