/**
 * One connection to an SQLite file: libsql under Kysely.
 *
 * Two habits of libsql's are met here. A prepared statement that fails is not reset and pins the state that the connection
 * sees, so that BEGIN, which fails whenever another process is faster, is never prepared, and a connection on which anything but a
 * constraint has failed is given up. Bytes come as ArrayBuffer, integers as bigint where asked for.
 */

import { Kysely, SqliteDialect } from 'kysely';
import type Libsql from 'libsql';
import { openSqlite } from '../open-sqlite.ts';
import { isConstraint, toSqliteError } from './sqlite-errors.ts';
import type { Tables } from './tables.ts';

export class SqliteConnection {
  readonly db: Kysely<Tables>;
  readonly #path: string;
  readonly #libsql: Libsql.Database;
  /** By their text, of which there are few; libsql frees one only when the garbage collector finds it. */
  readonly #statements = new Map<string, Libsql.Statement>();
  #isBroken = false;

  constructor(path: string) {
    this.#path = path;
    this.#libsql = this.#guarded(() => openSqlite(path));
    this.db = new Kysely<Tables>({
      dialect: new SqliteDialect({
        database: { prepare: (sql) => this.#prepare(sql), close: () => this.close() },
      }),
    });
  }

  /** Whether something failed that may have left it in a state of its own. */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  /** Runs statements that take nothing and give nothing. A failure leaves the connection usable. */
  execute(sql: string): void {
    try {
      this.#libsql.exec(sql);
    } catch (error) {
      throw toSqliteError(error, this.#path);
    }
  }

  /** Ends a transaction, if there is one: SQLite has ended it by itself after some errors. */
  rollBack(): void {
    try {
      this.#libsql.exec('rollback');
    } catch {
      if (this.#libsql.inTransaction) this.#isBroken = true;
    }
  }

  close(): void {
    this.#statements.clear();
    this.#libsql.close();
  }

  #prepare(sql: string) {
    const statement = this.#statements.get(sql) ?? this.#guarded(() => this.#libsql.prepare(sql));
    this.#statements.set(sql, statement);
    const executed = <T>(work: () => T): T => {
      try {
        return this.#guarded(work);
      } catch (error) {
        this.#statements.delete(sql);
        throw error;
      }
    };
    return {
      reader: statement.reader,
      all: (values: readonly unknown[]) => executed(() => statement.all(values)),
      run: (values: readonly unknown[]) => executed(() => statement.run(values)),
      iterate: (values: readonly unknown[]) => statement.iterate(values),
    };
  }

  #guarded<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (!isConstraint(error)) this.#isBroken = true;
      throw toSqliteError(error, this.#path);
    }
  }
}
