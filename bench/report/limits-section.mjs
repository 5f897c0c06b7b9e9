/** How near to the limits, and how far below the bounds. */

import { formatNumber } from '../../dist/page/figures.js';
import { share as barOf, escapeHtml, rich, section, table } from '../../dist/page/html.js';
import { formatValue } from '../harness/text.mjs';

/** @param {Awaited<ReturnType<typeof import('../limits/index.mjs').measureLimits>>} measured */
export function limitsSection({ rows, failures }) {
  const ratios = rows.filter(({ unit }) => unit === 'ratio');
  const bounds = rows.filter(({ unit }) => unit !== 'ratio');
  return [
    ...failures.map(
      ({ group, message }) => `<p class="warning">not measured: ${escapeHtml(group)}: ${escapeHtml(message)}</p>`,
    ),
    section(
      'How near to the limit',
      'Each bar is the share of the limit that Callseal reaches: a full bar is as fast, or as cheap, as the bare program named ' +
        'below it, measured in the same run. The mark is the target.',
      ratios.length > 0 && reachTable(ratios, ['work, and its limit', '', '', 'Callseal', 'limit']),
    ),
    section(
      'Bounds',
      'Each bar is what is used of the bound, which is the mark: short is good. Where more is better (≥), it is the time that is used.',
      bounds.length > 0 && reachTable(bounds, ['work', '', '', 'measured', 'compare']),
    ),
  ].join('\n');
}

function reachTable(rows, [work, ...head]) {
  return table(
    [work, ...head.map((text) => `<th class="number">${text}</th>`)],
    rows.map((row) => [
      `<td>${rich(row.work)}<div class="note">${row.unit === 'ratio' ? rich(row.limit) : ''}</div></td>`,
      track(row),
      verdict(row),
      ...figures(row),
    ]),
    { className: 'reach' },
  );
}

/** For ratios the share of the limit, for bounds the part used; whichever way they are written. */
function track(row) {
  const { value, target, unit, sense, met } = row;
  const inverted = (unit === 'ratio') === (sense === 'at most');
  const share = inverted ? 1 / value.median : value.median;
  const wanted = inverted ? 1 / target : target;
  const full = unit === 'ratio' ? 1 : 1.5 * wanted;
  const title =
    value.runs > 1
      ? `median of ${value.runs}, ${formatValue(value.min, unit)} to ${formatValue(value.max, unit)}`
      : 'measured once';
  const bar = barOf(share / full, { colour: met ? 'good' : 'bad', mark: wanted / full });
  return `<td title="${escapeHtml(title)}">${bar}</td>`;
}

function verdict({ met, value, target, unit, sense }) {
  const suffix = unit === 'ratio' && sense === 'at most' ? ' ×' : '';
  const bound = `${sense === 'at least' ? '≥' : '≤'} ${formatValue(target, unit)}${suffix}`;
  return (
    `<td class="verdict number" style="--c:var(--${met ? 'good' : 'bad'})">${formatValue(value.median, unit)}${suffix}` +
    `<div class="note">${met ? '' : 'target '}${bound}</div></td>`
  );
}

function figures({ figures: [figure], note }) {
  const text = (value) => (value === undefined ? '' : `${formatNumber(value)} ${escapeHtml(figure.unit)}`);
  const hint = note === undefined ? '' : ` title="${escapeHtml(note)}"`;
  return [
    `<td class="number"${hint}>${text(figure.own)}</td>`,
    `<td class="number soft"${hint}>${text(figure.limit)}</td>`,
  ];
}
