/** Numbers, lengths and days in words, in one style everywhere. */

const DAY = 86_400_000;

/** `1,234,567`. */
export function formatInteger(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `1 file`, `2,000 files`. */
export function count(number: number, singular: string, plural = `${singular}s`): string {
  return `${formatInteger(number)} ${number === 1 ? singular : plural}`;
}

/** `815 bytes`, `35.2 kB`, `5.4 GB`: powers of 1000. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return count(bytes, 'byte');
  const units = ['kB', 'MB', 'GB', 'TB'];
  let value = bytes / 1000;
  let unit = 0;
  while (value >= 999.95 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value.toFixed(1)} ${units[unit]}`;
}

/** Whole days from `now` to `date`, rounded towards zero; negative once it has passed. */
export function daysUntil(date: Date, now: Date): number {
  return Math.trunc((date.getTime() - now.getTime()) / DAY);
}
