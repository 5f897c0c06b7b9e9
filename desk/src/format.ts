/** Numbers, times and names as the page writes them: numbers as the command line does. */

import { daysUntil as wholeDaysUntil } from '../../lib/wording.ts';

export { count, formatBytes as bytes, formatInteger as integer } from '../../lib/wording.ts';

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
  return wholeDaysUntil(new Date(iso), new Date());
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
