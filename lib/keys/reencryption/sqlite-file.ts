/**
 * The connection to an application's SQLite file, shared with the application.
 *
 * libsql's prepared statements that fail are not reset and go on holding what they saw, so that BEGIN is never prepared, and a
 * connection on which anything has failed is given up. Waiting for others is done between attempts, so that the process
 * is not stopped by it.
 */

import { setTimeout as pause } from 'node:timers/promises';
import type Libsql from 'libsql';
import { CallsealError } from '../../errors.ts';
import { openSqlite } from '../open-sqlite.ts';
import { CORRUPT, isHeldByOthers, primaryCode } from '../sqlite-codes.ts';

/** Values as SQLite has them. */
export type SqliteValue = bigint | number | string | Uint8Array | null;

/** How long others may hold the file, and how long to wait between two looks, in milliseconds. */
const PATIENCE = 30_000;
const LONGEST_PAUSE = 25;

export class SqliteFile {
  readonly #path: string;
  #connection: Libsql.Database | undefined;
  readonly #prepared = new Map<string, Libsql.Statement>();

  constructor(path: string) {
    this.#path = path;
  }

  /** All rows that a query gives: integers as bigint. */
  all(sql: string, values: readonly SqliteValue[]): Promise<Record<string, unknown>[]> {
    return this.#patiently(() => this.#statement(sql).all(values.map(bound)) as Record<string, unknown>[]);
  }

  /** Runs one statement with each of several lists of values, in one transaction; gives the numbers of rows changed. */
  writeAll(sql: string, lists: readonly (readonly SqliteValue[])[]): Promise<number[]> {
    return this.#patiently(() => {
      this.#open().exec('BEGIN IMMEDIATE');
      const changes = lists.map((values) => Number(this.#statement(sql).run(values.map(bound)).changes));
      this.#open().exec('COMMIT');
      return changes;
    });
  }

  close(): void {
    this.#prepared.clear();
    this.#connection?.close();
    this.#connection = undefined;
  }

  #open(): Libsql.Database {
    this.#connection ??= openSqlite(this.#path);
    return this.#connection;
  }

  #statement(sql: string): Libsql.Statement {
    let statement = this.#prepared.get(sql);
    if (statement === undefined) {
      statement = this.#open().prepare(sql);
      this.#prepared.set(sql, statement);
    }
    return statement;
  }

  /** Tries again while others are in the way. Giving up the connection rolls back what it had begun. */
  async #patiently<T>(work: () => T): Promise<T> {
    const deadline = performance.now() + PATIENCE;
    for (let wait = 1; ; wait = Math.min(2 * wait, LONGEST_PAUSE)) {
      try {
        return work();
      } catch (error) {
        this.close();
        if (!isHeldByOthers(error) || performance.now() > deadline) throw this.#failure(error);
      }
      // Uneven, so that two that met once do not meet again and again.
      await pause(wait * (0.5 + Math.random()));
    }
  }

  #failure(error: unknown): CallsealError {
    const words = error instanceof Error ? error.message : String(error);
    const what =
      primaryCode(error) === CORRUPT ? 'is damaged, or the disk failed to read it; look at the system log' : 'fails';
    return new CallsealError('ERR_IO', `sqlite:${this.#path}: the database ${what} (${words})`, {
      path: this.#path,
      cause: error,
    });
  }
}

/** libsql takes bytes as Buffer. */
function bound(value: SqliteValue): SqliteValue {
  return value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.length) : value;
}
