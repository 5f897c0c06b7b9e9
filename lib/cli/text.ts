/** Text for people: made safe for a terminal, numbers and dates in one style everywhere. */

import { safe, UNSAFE } from '../safe-text.ts';
import { count, daysUntil, formatBytes, formatInteger } from '../wording.ts';

export { count, daysUntil, formatBytes, formatInteger, safe };

/** Several lines, each safe. Lines after the first are indented, so that none can pass for a message of its own. */
export function safeLines(text: string): string {
  return text.split('\n').map(safe).join('\n  ');
}

/** JSON that is safe on a terminal too: the same characters as `\uXXXX`, which means the same to every parser. */
export function safeJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replace(UNSAFE, (c) => (c === '\n' ? c : escapeUnits(c)));
}

/** Every UTF-16 unit as `\uXXXX`. */
function escapeUnits(text: string): string {
  return text.replace(/[\s\S]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** `815 bytes`, `35.2 kB (35,211 bytes)`. */
export function formatBytesExactly(bytes: number): string {
  return bytes < 1000 ? formatBytes(bytes) : `${formatBytes(bytes)} (${formatInteger(bytes)} bytes)`;
}

/** `2026-11-21 20:35:07 UTC`. */
export function formatTime(date: Date): string {
  return `${date.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** `expires 2027-11-21 (in 365 days)`, `expired 2024-01-01 (41 days ago)`, `valid from 2027-01-01 (in 3 days)`. */
export function formatValidity(notBefore: Date, notAfter: Date, now: Date): string {
  const day = (date: Date): string => date.toISOString().slice(0, 10);
  const days = (date: Date): string => count(Math.abs(daysUntil(date, now)), 'day');
  if (notAfter < now) return `expired ${day(notAfter)} (${days(notAfter)} ago)`;
  if (notBefore > now) return `valid from ${day(notBefore)} (in ${days(notBefore)}) to ${day(notAfter)}`;
  return `expires ${day(notAfter)} (in ${days(notAfter)})`;
}

/** `about 40 s left`, `about 3 min left`, `about 2.5 h left`. */
export function formatTimeLeft(seconds: number): string {
  if (seconds < 90) return `about ${Math.ceil(seconds)} s left`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `about ${minutes} min left` : `about ${(minutes / 60).toFixed(1)} h left`;
}
