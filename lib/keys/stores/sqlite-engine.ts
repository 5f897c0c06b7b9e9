/**
 * A store in an SQLite file.
 *
 * libsql is synchronous and a transaction's work is not, so each kind of work has a lane of its own: what reads beside an
 * open transaction sees the state before it.
 */

import { type Kysely, sql } from 'kysely';
import { CallsealError } from '../../errors.ts';
import {
  type MigrationTarget,
  migrate,
  migrationsDone,
  type SchemaState,
  SQLITE_TYPES,
  schemaState,
} from './migrations.ts';
import { readRevision } from './queries.ts';
import type { Engine, Work } from './sql-store.ts';
import { createSqliteFile } from './sqlite-file.ts';
import { Lane, SqliteFile } from './sqlite-lane.ts';
import type { Tables } from './tables.ts';
import { Watcher } from './watcher.ts';

/** Milliseconds between two looks for changes by other processes. */
const POLL_INTERVAL = 500;

export interface SqliteOptions {
  /** Makes the file and its tables when they are not there. */
  readonly create: boolean;
  /** Milliseconds to wait for other transactions. */
  readonly patience: number;
}

export class SqliteEngine implements Engine {
  readonly description: string;
  readonly #file: SqliteFile;
  readonly #reads: Lane;
  readonly #snapshots: Lane;
  readonly #transactions: Lane;
  readonly #watcher = new Watcher(() => this.#version(), POLL_INTERVAL);

  private constructor(path: string, patience: number) {
    this.description = `sqlite:${path}`;
    this.#file = new SqliteFile(path, patience);
    this.#reads = new Lane(this.#file);
    this.#snapshots = new Lane(this.#file);
    this.#transactions = new Lane(this.#file);
  }

  /** @param path absolute. */
  static async open(path: string, { create, patience }: SqliteOptions): Promise<SqliteEngine> {
    if (create) createSqliteFile(path);
    const engine = new SqliteEngine(path, patience);
    try {
      await engine.#prepare(create);
      return engine;
    } catch (error) {
      await engine.close();
      throw error;
    }
  }

  read<T>(statement: Work<T>): Promise<T> {
    return this.#reads.run(({ db }) => statement(db));
  }

  transaction<T>(work: Work<T>): Promise<T> {
    return this.#transactions.run(({ db }) => work(db), 'immediate');
  }

  snapshot<T>(work: Work<T>): Promise<T> {
    return this.#snapshots.run(({ db }) => work(db), 'deferred');
  }

  onChange(listener: () => void): () => void {
    this.#file.assertOpen();
    return this.#watcher.add(listener);
  }

  async close(): Promise<void> {
    this.#watcher.stop();
    this.#file.close();
    await Promise.all([this.#reads.disconnect(), this.#snapshots.disconnect()]);
    // Whoever copies the one file has all that was written.
    await this.#transactions.disconnect('pragma wal_checkpoint(truncate)');
  }

  /** Brings the tables up to date. */
  async #prepare(create: boolean): Promise<void> {
    const target: MigrationTarget = { description: this.description, types: SQLITE_TYPES };
    const state = await this.read((db) => stateOf(db, target));
    if (state === 'empty' && !create) {
      throw new CallsealError('ERR_STORE_UNAVAILABLE', `${this.description}: there is no key store in this file`);
    }
    this.#file.adopt();
    // Opened again as a key store.
    await this.#reads.disconnect();
    if (state === 'current') return;
    await this.transaction(async (db) => {
      // Another process may have been faster.
      if ((await stateOf(db, target)) !== 'current') await migrate(db, target);
    });
  }

  /** Another after any commit by another connection, and when another file lies at the path. */
  #version(): Promise<string> {
    return this.#reads.run(async ({ db }, identity) => {
      const { rows } = await sql<{ data_version: bigint }>`pragma data_version`.execute(db);
      return `${identity} ${rows[0]?.data_version} ${await readRevision(db)}`;
    });
  }
}

async function stateOf(db: Kysely<Tables>, target: MigrationTarget): Promise<SchemaState> {
  const table = sql<{ name: string }>`select name from sqlite_schema where name = 'callseal_migrations'`;
  const { rows } = await table.execute(db);
  return schemaState(rows.length === 0 ? null : await migrationsDone(db), target);
}
