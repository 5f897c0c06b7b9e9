/** Figures as people read them. */

const UNITS = [
  ['GiB', 2 ** 30],
  ['MiB', 2 ** 20],
  ['KiB', 2 ** 10],
];

/** 65536 → 64 KiB. */
export function formatBytes(bytes) {
  const [unit, factor] = UNITS.find(([, each]) => bytes >= each) ?? ['B', 1];
  return `${formatNumber(bytes / factor)} ${unit}`;
}

/** Three digits that count. */
export function formatNumber(value) {
  if (!Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  if (size >= 1000) return Math.round(value).toLocaleString('en-US');
  return String(Number(value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3)));
}

export function formatSeconds(seconds) {
  if (seconds >= 1) return `${formatNumber(seconds)} s`;
  if (seconds >= 1e-3) return `${formatNumber(seconds * 1e3)} ms`;
  return `${formatNumber(seconds * 1e6)} µs`;
}

/** A value of the limit table with its unit. */
export function formatValue(value, unit) {
  if (unit === 'ratio') return value.toFixed(value < 10 ? 2 : 1);
  return `${formatNumber(value)} ${unit}`;
}

/** Columns, the first ones left, those of `right` (indices) right aligned. */
export function formatTable(rows, right = []) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => [...row[column]].length)));
  const pad = (text, column) => {
    const space = ' '.repeat(widths[column] - [...text].length);
    return right.includes(column) ? space + text : text + space;
  };
  return rows.map((row) => row.map(pad).join('  ').trimEnd()).join('\n');
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
