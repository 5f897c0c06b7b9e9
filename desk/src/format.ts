/** Numbers, times and names as the page writes them. */

const UNITS = ['kB', 'MB', 'GB', 'TB'];
const DAY = 86_400_000;

/** `1,234,567`. */
export function integer(value: number): string {
  return value.toLocaleString('en-US');
}

/** `1 file`, `2,000 files`. */
export function count(number: number, singular: string, plural = `${singular}s`): string {
  return `${integer(number)} ${number === 1 ? singular : plural}`;
}

/** `815 bytes`, `35.2 kB`: powers of 1000. */
export function bytes(value: number): string {
  if (value < 1000) return count(value, 'byte');
  let [scaled, unit] = [value / 1000, 0];
  for (; scaled >= 999.95 && unit < UNITS.length - 1; unit++) scaled /= 1000;
  return `${scaled.toFixed(1)} ${UNITS[unit]}`;
}

/** `2026-11-22`. */
export function day(iso: string): string {
  return iso.slice(0, 10);
}

/** `2026-11-22 20:35 UTC`. */
export function time(iso: string): string {
  return `${iso.slice(0, 16).replace('T', ' ')} UTC`;
}

/** Whole days from now; negative for what has passed. */
export function daysUntil(iso: string): number {
  return Math.trunc((Date.parse(iso) - Date.now()) / DAY);
}

/** `3:07`, `1:02:03`. */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const shown = parts[0] === 0 ? parts.slice(1) : parts;
  return shown.map((part, index) => (index === 0 ? String(part) : String(part).padStart(2, '0'))).join(':');
}

/** What people call the holder of a certificate: the common name of its subject, or all of it. */
export function holder(subject: string): string {
  const name = /(?:^|,)CN=((?:\\.|[^,\\])+)/.exec(subject)?.[1];
  return name === undefined ? subject : name.replace(/\\(.)/g, '$1');
}

/** The first digits of a fingerprint, in groups. */
export function shortId(hex: string): string {
  return hex.slice(0, 8).replace(/(.{4})(?=.)/g, '$1 ');
}
