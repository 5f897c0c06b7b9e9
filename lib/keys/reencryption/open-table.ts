/** The door to tables of the application's: the only place that knows every kind of database. */

import { CallsealError } from '../../errors.ts';
import type { ApplicationTable, TableLayout } from './application-table.ts';

/**
 * Opens the table that a layout names, after looking whether it fits.
 *
 * @param url `sqlite:PATH` or `postgres://USER@HOST/DATABASE`.
 * @throws {CallsealError} `ERR_INVALID_ARGUMENT` when there is no such table or column, or when they do not fit; `ERR_IO`.
 */
export async function openApplicationTable(url: string, layout: TableLayout): Promise<ApplicationTable> {
  if (layout.key.includes(layout.column)) {
    throw new CallsealError('ERR_INVALID_ARGUMENT', `${layout.column} cannot be both the key and the protected column`);
  }
  if (url.startsWith('sqlite:')) {
    const { SqliteTable } = await import('./sqlite-table.ts');
    return SqliteTable.open(url.slice('sqlite:'.length), layout);
  }
  if (/^postgres(?:ql)?:/.test(url)) {
    const { PostgresTable } = await import('./postgres-table.ts');
    return PostgresTable.open(url, layout);
  }
  // The URL is not shown: it may hold a password.
  throw new CallsealError(
    'ERR_INVALID_ARGUMENT',
    'the database of the table is named by `sqlite:PATH` or `postgres://USER@HOST/DATABASE`; this is neither',
  );
}
