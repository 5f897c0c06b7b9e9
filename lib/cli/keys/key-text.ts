/** How keys are named and described to people. */

import { CallsealError } from '../../errors.ts';
import type { MasterKeyInfo } from '../../keys/masters.ts';
import type { WorkingKeyInfo } from '../../keys/working.ts';
import { count, daysUntil, formatInteger } from '../text.ts';

/** Digits of an id that are enough when no other begins with them. */
const LEAST_DIGITS = 8;

/**
 * The key with an id, or with one that begins like that.
 *
 * @throws {CallsealError} `ERR_INVALID_ARGUMENT`, `ERR_KEY_UNKNOWN`
 */
export function findById<K extends { readonly id: string }>(keys: readonly K[], text: string, kind: string): K {
  if (!/^[0-9a-f]+$/.test(text) || text.length < LEAST_DIGITS) {
    throw new CallsealError(
      'ERR_INVALID_ARGUMENT',
      `"${text}" is no id of a ${kind}, which has 32 lower-case hexadecimal digits; give them, or the first ${LEAST_DIGITS} or more`,
    );
  }
  const found = keys.filter(({ id }) => id.startsWith(text));
  if (found.length === 1) return found[0]!;
  const list = `callseal ${kind.split(' ')[0]} list`;
  if (found.length === 0)
    throw new CallsealError('ERR_KEY_UNKNOWN', `the store has no ${kind} ${text}; ${list} shows all`);
  throw new CallsealError(
    'ERR_INVALID_ARGUMENT',
    `${found.length} ids of a ${kind} begin with ${text}; give more digits`,
  );
}

export function masterState({ state, current }: MasterKeyInfo): string {
  return current ? `${state}, current` : state;
}

/** `encrypts`, `decrypts`, or why neither. */
export function workingState(key: WorkingKeyInfo): string {
  if (key.state === 'removed') return 'removed';
  if (key.encrypts) return 'encrypts';
  return key.decrypts ? 'decrypts' : 'disabled';
}

/** `2026-11-21 (3 days)`. */
export function ageOf(date: Date, now: Date): string {
  return `${date.toISOString().slice(0, 10)} (${count(Math.max(0, daysUntil(now, date)), 'day')})`;
}

/** The cells below STRENGTH and APPROVED. */
export function assessmentCells({ strength, approved }: MasterKeyInfo['assessment']): string[] {
  return [`${strength.chain} bits`, approved ? 'yes' : 'no'];
}

/** `65,536 of 4,294,967,296 messages (0.0 %)`. */
export function budgetText({ reserved, limit, unit }: WorkingKeyInfo['budget']): string {
  const share = ((100 * reserved) / limit).toFixed(1);
  return `${formatInteger(reserved)} of ${formatInteger(limit)} ${unit} (${share} %)`;
}
