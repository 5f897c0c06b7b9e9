/** A table of the application's that holds protected records, in whichever database. */

import { CallsealError } from '../../errors.ts';
import type { Entity } from '../entity.ts';
import type { EntityColumns } from './entity-columns.ts';

/** Which table, and where in it everything is. */
export interface TableLayout {
  /** The table's name, with its schema before it or without. */
  readonly table: readonly string[];
  /** The columns that tell rows apart: together unique, never NULL. */
  readonly key: readonly string[];
  /** The column with the protected records: BYTEA, BLOB. */
  readonly column: string;
  readonly entity: EntityColumns;
}

/** One row, as it was read. */
export interface TableRow {
  /** For people: the values of the key columns, such as `41` or `acme, 41`. */
  readonly key: string;
  /** Where it stands in the order of keys; opaque to all but its table. */
  readonly position: string;
  /** Null where the column is NULL. */
  readonly record: Uint8Array | null;
  /** @throws {CallsealError} `ERR_INVALID_ARGUMENT` when the row gives none. */
  entity(): Entity;
}

/** A row as it was read, and the record that is to take the old one's place. */
export interface RowReplacement {
  readonly kept: TableRow;
  readonly record: Uint8Array;
}

/**
 * Every method may throw `ERR_IO` when the database fails. Rows are taken in ascending order of their keys, each page from
 * behind the last row of the page before: what others insert, change or delete meanwhile moves nothing.
 */
export interface ApplicationTable {
  /** One text for one database, table, key and column, without credentials: the name under which a job is continued. */
  readonly source: string;
  /** Rows behind a position; all with null. */
  count(after: string | null): Promise<number>;
  /** At most `limit` rows behind a position; fewer mean that there are no more. */
  page(after: string | null, limit: number): Promise<TableRow[]>;
  /** The row as it is now; null when it is gone. */
  reread(row: TableRow): Promise<TableRow | null>;
  /**
   * Writes each record where the old one still is. False where somebody has changed or deleted the row. Never waits for a
   * row of the application's while it holds another.
   */
  replaceAll(replacements: readonly RowReplacement[]): Promise<boolean[]>;
  /** Gives up the connection. */
  close(): Promise<void>;
  /** For `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** What {@link ApplicationTable.source} is made of. */
export function sourceName(database: string, { table, key, column }: TableLayout): string {
  return `${database} ${table.map(quoted).join('.')}(${key.map(quoted).join(',')}).${quoted(column)}`;
}

/** Bare where that is unmistakable. */
function quoted(name: string): string {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? name : JSON.stringify(name);
}

/** For a table that does not fit the layout. */
export function unfitTable({ table }: TableLayout, why: string): CallsealError {
  return new CallsealError('ERR_INVALID_ARGUMENT', `table ${table.join('.')}: ${why}`);
}

/** A column that is not there. Names are not folded, which is the usual reason. */
export function noSuchColumn(layout: TableLayout, column: string, there: readonly string[]): CallsealError {
  const other = there.find((name) => name.toLowerCase() === column.toLowerCase());
  const hint = other === undefined ? `it has ${there.join(', ')}` : `its name is spelled ${other}`;
  return unfitTable(layout, `there is no column ${column}; ${hint}`);
}

/** The key columns must tell rows apart, or a page might begin in the middle of equal keys. */
export function notUnique(layout: TableLayout): CallsealError {
  return unfitTable(
    layout,
    `nothing makes ${layout.key.join(', ')} unique and not NULL; name the columns of the primary key or of a unique index`,
  );
}

/** Protected records are bytes; as text they would have to be decoded and encoded in a way that only the service knows. */
export function notBytes(layout: TableLayout, type: string, wanted: string): CallsealError {
  return unfitTable(
    layout,
    `column ${layout.column} is ${type}, but protected records are bytes; keep them in a column of type ${wanted}`,
  );
}
