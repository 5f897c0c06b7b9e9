/** Figures as people read them. */

const UNITS: readonly (readonly [unit: string, factor: number])[] = [
  ['GiB', 2 ** 30],
  ['MiB', 2 ** 20],
  ['KiB', 2 ** 10],
];

/** 65536 → 64 KiB. */
export function formatBytes(bytes: number): string {
  const [unit, factor] = UNITS.find(([, each]) => bytes >= each) ?? ['B', 1];
  return `${formatNumber(bytes / factor)} ${unit}`;
}

/** Three digits that count. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  if (size >= 1000) return Math.round(value).toLocaleString('en-US');
  return String(Number(value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3)));
}

export function formatSeconds(seconds: number): string {
  if (seconds >= 1) return `${formatNumber(seconds)} s`;
  if (seconds >= 1e-3) return `${formatNumber(seconds * 1e3)} ms`;
  return `${formatNumber(seconds * 1e6)} µs`;
}

/** A rate in bytes a second: 1.5e9 → 1.5 GB/s. */
export function formatRate(bytesPerSecond: number): string {
  if (bytesPerSecond >= 1e9) return `${formatNumber(bytesPerSecond / 1e9)} GB/s`;
  return `${formatNumber(bytesPerSecond / 1e6)} MB/s`;
}

/** Columns, the first ones left, those of `right` (indices) right aligned. */
export function formatTable(rows: readonly (readonly string[])[], right: readonly number[] = []): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => length(row[column]))));
  const pad = (text: string, column: number): string => {
    const space = ' '.repeat((widths[column] ?? 0) - length(text));
    return right.includes(column) ? space + text : text + space;
  };
  return rows.map((row) => row.map(pad).join('  ').trimEnd()).join('\n');
}

/** Characters, not UTF-16 units. */
const length = (text = ''): number => [...text].length;
