/**
 * Values of single columns, from the database and to it. One way in and out for both databases: SQLite gives integers as
 * bigint and bytes as ArrayBuffer, PostgreSQL gives bigint and Buffer.
 */

import type { Insertable } from 'kysely';
import { CallsealError } from '../../errors.ts';
import type { Tables } from './tables.ts';

/** Longest text that a column takes, in UTF-16 units: a bound on what a reader has to take in. */
const MAX_TEXT = 1 << 20;
const MAX_BYTES = 1 << 16;

/** What one column holds, and how that is told from what it cannot hold. */
export interface Column<T> {
  /** Such as `16 bytes`. */
  readonly expected: string;
  readonly read: (value: unknown) => T | Unfit;
}

/** What a {@link Column} gives for a value that it cannot hold. */
const UNFIT = Symbol('unfit');
export type Unfit = typeof UNFIT;

/** Bytes of one of the given lengths; of any up to 64 KiB without. */
export function bytes(...lengths: number[]): Column<Uint8Array> {
  return {
    expected: lengths.length === 0 ? 'bytes' : `${lengths.join(' or ')} bytes`,
    read(value) {
      const found = asBytes(value);
      if (found === null || found.length > MAX_BYTES) return UNFIT;
      return lengths.length === 0 || lengths.includes(found.length) ? found : UNFIT;
    },
  };
}

function asBytes(value: unknown): Uint8Array | null {
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  // Not a view of what may be the driver's buffer, and no Buffer, whose methods differ.
  return value instanceof Uint8Array ? new Uint8Array(value) : null;
}

/** A whole number from `least` to 2^53 - 1. */
export function whole(least = 0): Column<number> {
  return {
    expected: `a whole number from ${least} below 2^53`,
    read(value) {
      const number = typeof value === 'bigint' ? Number(value) : value;
      if (typeof number !== 'number' || !Number.isSafeInteger(number) || number < least) return UNFIT;
      return number;
    },
  };
}

/** Text that both databases keep as it is: without NUL and without lone surrogates. */
export function text(): Column<string> {
  return {
    expected: 'text without NUL characters, of at most 2^20',
    read(value) {
      if (typeof value !== 'string' || value.length > MAX_TEXT) return UNFIT;
      return value.includes('\0') || !isWellFormed(value) ? UNFIT : value;
    },
  };
}

function isWellFormed(value: string): boolean {
  return !/[\ud800-\udfff]/u.test(value);
}

export function oneOf<T extends string>(...choices: readonly T[]): Column<T> {
  return {
    expected: choices.join(', '),
    read: (value) => choices.find((choice) => choice === value) ?? UNFIT,
  };
}

export function nullable<T>(column: Column<T>): Column<T | null> {
  return {
    expected: `${column.expected}, or null`,
    read: (value) => (value === null ? null : column.read(value)),
  };
}

/** One table's rows: how a field is called in the table, and what it holds. */
export interface RowShape<Row, Table extends keyof Tables> {
  readonly table: Table;
  /** For messages: which row it is, such as `id 0f3a…`. */
  readonly nameOf: (row: Record<string, unknown>) => string;
  readonly fields: { readonly [Field in keyof Row]: readonly [column: string, holds: Column<Row[Field]>] };
}

/**
 * A row as the database gave it, checked.
 *
 * @throws {CallsealError} `ERR_KEY_SUBSTITUTED` when somebody else must have written it.
 */
export function readRow<Row>(shape: RowShape<Row, keyof Tables>, row: Record<string, unknown>): Row {
  const read: Partial<Row> = {};
  for (const field of fieldsOf(shape)) {
    const [column, holds] = shape.fields[field];
    const value = holds.read(row[column]);
    if (value === UNFIT) {
      throw new CallsealError(
        'ERR_KEY_SUBSTITUTED',
        `${shape.table}, row ${shape.nameOf(row)}: ${column} is not ${holds.expected}; ` +
          'the row was altered outside Callseal. Restore the store from a backup, and find out who changed it',
      );
    }
    read[field] = value;
  }
  return read as Row;
}

/**
 * A row as the tables want it.
 *
 * @throws {CallsealError} `ERR_INVALID_ARGUMENT` when it could not be read back.
 */
export function columnsOf<Row, Table extends keyof Tables>(
  shape: RowShape<Row, Table>,
  row: Row,
): Insertable<Tables[Table]> {
  const columns: Record<string, unknown> = {};
  for (const field of fieldsOf(shape)) {
    const [column, holds] = shape.fields[field];
    const value = holds.read(row[field]);
    if (value === UNFIT) {
      throw new CallsealError(
        'ERR_INVALID_ARGUMENT',
        `${shape.table}: ${String(field)} must be ${holds.expected}; the row was not written`,
      );
    }
    columns[column] = value;
  }
  return columns as Insertable<Tables[Table]>;
}

function fieldsOf<Row>(shape: RowShape<Row, keyof Tables>): (keyof Row)[] {
  return Object.keys(shape.fields) as (keyof Row)[];
}
