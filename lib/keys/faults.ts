/** The sentences of errors that several parts of the hierarchy raise. */

import { CallsealError } from '../errors.ts';
import { hex } from '../hex.ts';
import type { WorkingRow } from './stores/store.ts';

export const STORE_ROW = "the store's own row";

export function masterName(id: Uint8Array): string {
  return `the row of master key ${hex(id)}`;
}

export function workingName(row: Pick<WorkingRow, 'id' | 'area' | 'version'>): string {
  return `the row of working key ${hex(row.id)} (area ${row.area}, version ${row.version})`;
}

export function auditName(sequence: number): string {
  return `audit entry ${sequence}`;
}

/** A row that is not what was written. `row` names it; `why` completes "it …". */
export function substituted(row: string, why: string, cause?: unknown): CallsealError {
  return new CallsealError(
    'ERR_KEY_SUBSTITUTED',
    `${row} in the key store ${why}; nothing is done with this store until the row is put right or a sound backup is restored`,
    { cause },
  );
}

/** A store or row that is older than what this host has seen. */
export function behind(row: string, why: string): CallsealError {
  return new CallsealError(
    'ERR_KEY_SUBSTITUTED',
    `${row} in the key store ${why}; if an administrator restored a backup on purpose, ` +
      'accept it on this host with `callseal store accept-restore`',
  );
}

export function masterDisabled(id: Uint8Array): CallsealError {
  return new CallsealError(
    'ERR_KEY_DISABLED',
    `master key ${hex(id)} is disabled: nothing under it encrypts or decrypts until it is enabled ` +
      '(`callseal master enable`), or another becomes current (`callseal master rotate`)',
  );
}

/** @param kind `master key` or `working key` */
export function unknownKey(kind: string, id: string): CallsealError {
  return new CallsealError(
    'ERR_KEY_UNKNOWN',
    `the store has no ${kind} ${id}; list them with \`callseal ${kind.split(' ')[0]} list\``,
  );
}

export function removedKey(kind: string, id: string): CallsealError {
  return new CallsealError('ERR_KEY_UNKNOWN', `${kind} ${id} was removed; what it protected cannot be read any more`);
}
