/** The table of limits as text. */

import { formatNumber, formatTable } from '../../dist/page/figures.js';

/** A value of the limit table with its unit. */
export function formatValue(value, unit) {
  if (unit === 'ratio') return value.toFixed(value < 10 ? 2 : 1);
  return `${formatNumber(value)} ${unit}`;
}

/** The limit table. @param {Awaited<ReturnType<typeof import('../limits/index.mjs').measureLimits>>} measured */
export function formatLimits({ rows, failures }) {
  const head = ['', 'work', 'measured', 'target', 'spread', 'Callseal', 'limit'];
  const lines = rows.map(({ work, value, sense, target, unit, met, figures: [figure] }) => [
    met ? 'ok' : 'SHORT',
    work,
    formatValue(value.median, unit),
    `${sense === 'at least' ? '≥' : '≤'} ${formatValue(target, unit)}`,
    value.runs > 1 ? `${formatValue(value.min, unit)} … ${formatValue(value.max, unit)}` : '',
    `${formatNumber(figure.own)} ${figure.unit}`,
    figure.limit === undefined ? '' : `${formatNumber(figure.limit)} ${figure.unit}`,
  ]);
  const failed = failures.map(({ group, message }) => `FAILED ${group}: ${message}`);
  return [formatTable([head, ...lines], [2, 3, 5, 6]), ...failed].join('\n');
}
