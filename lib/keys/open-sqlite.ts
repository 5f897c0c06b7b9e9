/** Opens an SQLite file: libsql, on SQLite's own file layer. */

import { resolve } from 'node:path';
import Libsql from 'libsql';

/**
 * libsql's default file layer (of SQLite3MultipleCiphers) drops the errors of reads of files that it does not encrypt, so that
 * SQLite takes what lay in the buffer for the page: a read that fails while the log is written back ruins the database,
 * and nobody is told (utelle/SQLite3MultipleCiphers, pull request 272). `vfs=unix` leaves that layer out.
 *
 * @returns A connection that gives integers as bigint.
 */
export function openSqlite(path: string): Libsql.Database {
  const database = new Libsql(`file:${resolve(path).split('/').map(encoded).join('/')}?vfs=unix`);
  database.defaultSafeIntegers(true);
  return database;
}

/** Halves of surrogate pairs become what Node's own calls make of them in the names of files. */
function encoded(name: string): string {
  return encodeURIComponent(Buffer.from(name).toString());
}
