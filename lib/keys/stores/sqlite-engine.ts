/**
 * A store in an SQLite file.
 *
 * libsql is synchronous and a transaction's work is not, so each kind of work has a connection of its own: what reads
 * beside an open transaction sees the state before it. Waiting for another process is done here, between attempts, and not in
 * SQLite's busy handler, which would stop the whole process, and with it whatever else in it holds the lock.
 */

import { setTimeout as pause } from 'node:timers/promises';
import { sql } from 'kysely';
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
import { SqliteConnection } from './sqlite-connection.ts';
import { isBusy } from './sqlite-errors.ts';
import { createSqliteFile, examineSqliteFile, type FileIdentity } from './sqlite-file.ts';
import { Turns } from './turns.ts';
import { Watcher } from './watcher.ts';

/** Milliseconds between two looks for changes by other processes. */
const POLL_INTERVAL = 500;
/** Milliseconds between two attempts to be alone: at first, and at most. */
const FIRST_PAUSE = 1;
const LONGEST_PAUSE = 25;

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
    return this.#transactions.run(async (connection) => work(connection.db), 'immediate');
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
    await Promise.all([this.#transactions.close(), this.#snapshots.close()]);
    await this.#reads.close('pragma wal_checkpoint(truncate)');
  }

  /** Brings the tables up to date. */
  async #prepare(create: boolean): Promise<void> {
    const target: MigrationTarget = { description: this.description, types: SQLITE_TYPES };
    const state = await this.read((db) => stateOf(db, target));
    if (state === 'current') return;
    if (state === 'empty' && !create) {
      throw new CallsealError('ERR_STORE_UNAVAILABLE', `${this.description}: there is no key store in this file`);
    }
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

async function stateOf(db: SqliteConnection['db'], target: MigrationTarget): Promise<SchemaState> {
  const table = sql<{ name: string }>`select name from sqlite_schema where name = 'callseal_migrations'`;
  const { rows } = await table.execute(db);
  return schemaState(rows.length === 0 ? null : await migrationsDone(db), target);
}

/** What the lanes of one store share. */
class SqliteFile {
  readonly path: string;
  readonly patience: number;
  #closed = false;

  constructor(path: string, patience: number) {
    this.path = path;
    this.patience = patience;
  }

  assertOpen(): void {
    if (this.#closed) throw new CallsealError('ERR_INVALID_ARGUMENT', `sqlite:${this.path}: this key store was closed`);
  }

  close(): void {
    this.#closed = true;
  }

  examine(): FileIdentity {
    const identity = examineSqliteFile(this.path);
    if (identity !== null) return identity;
    throw new CallsealError(
      'ERR_STORE_UNAVAILABLE',
      `sqlite:${this.path}: there is no such file; give the path of the key store, or restore it from a backup`,
      { path: this.path },
    );
  }

  isLate(): CallsealError {
    const seconds = this.patience / 1000;
    return new CallsealError(
      'ERR_STORE_UNAVAILABLE',
      `sqlite:${this.path}: another transaction of this process holds the key store for more than ${seconds} s`,
      { path: this.path },
    );
  }
}

type Mode = 'immediate' | 'deferred';

/** One connection, and what waits for it. Opened when it is needed, and again when it or the file is another. */
class Lane {
  readonly #file: SqliteFile;
  readonly #turns = new Turns();
  #connection: SqliteConnection | undefined;
  #identity: FileIdentity = '';

  constructor(file: SqliteFile) {
    this.#file = file;
  }

  /** @param mode of the transaction around `work`; without, it must be one statement and may be run again. */
  async run<T>(work: (connection: SqliteConnection, identity: FileIdentity) => Promise<T>, mode?: Mode): Promise<T> {
    this.#file.assertOpen();
    return this.#turns.run(
      async () => {
        if (mode === undefined) return this.#patiently((connection) => work(connection, this.#identity));
        const connection = await this.#patiently((candidate) => begin(candidate, mode));
        return this.#attempt(() => within(connection, () => work(connection, this.#identity)));
      },
      this.#file.patience,
      () => this.#file.isLate(),
    );
  }

  /** Waits for what runs. */
  close(lastWords?: string): Promise<void> {
    const end = async () => {
      try {
        if (lastWords !== undefined) this.#connection?.execute(lastWords);
      } catch {
        // Another process still uses the file; it will do the same in the end.
      }
      this.#drop();
    };
    return this.#turns.run(end, Number.POSITIVE_INFINITY, () => this.#file.isLate());
  }

  /** Tries until no other process is in the way, or patience ends. */
  async #patiently<T>(work: (connection: SqliteConnection) => Promise<T>): Promise<T> {
    const deadline = performance.now() + this.#file.patience;
    for (let wait = FIRST_PAUSE; ; wait = Math.min(2 * wait, LONGEST_PAUSE)) {
      try {
        return await this.#attempt(() => work(this.#open()));
      } catch (error) {
        if (!isBusy(error) || performance.now() > deadline) throw error;
      }
      // Uneven, so that processes that met once do not meet again and again.
      await pause(wait * (0.5 + Math.random()));
    }
  }

  async #attempt<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } finally {
      if (this.#connection?.isBroken) this.#drop();
    }
  }

  #open(): SqliteConnection {
    const identity = this.#file.examine();
    if (identity !== this.#identity) this.#drop();
    if (this.#connection === undefined) {
      this.#connection = connect(this.#file.path);
      this.#identity = identity;
    }
    return this.#connection;
  }

  #drop(): void {
    this.#connection?.close();
    this.#connection = undefined;
  }
}

/** WAL, so that readers go on beside a writer; every commit on the disk before it is told; nothing deleted left behind. */
function connect(path: string): SqliteConnection {
  const connection = new SqliteConnection(path);
  try {
    connection.execute(
      'pragma journal_mode = wal; pragma synchronous = full; pragma secure_delete = on; pragma trusted_schema = off',
    );
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}

async function begin(connection: SqliteConnection, mode: Mode): Promise<SqliteConnection> {
  connection.execute(`begin ${mode}`);
  if (mode === 'immediate') return connection;
  try {
    // The state is the one of the first statement, which may find another process in the way, unlike the following.
    await readRevision(connection.db);
    return connection;
  } catch (error) {
    rollBack(connection);
    throw error;
  }
}

async function within<T>(connection: SqliteConnection, work: () => Promise<T>): Promise<T> {
  try {
    const result = await work();
    connection.execute('commit');
    return result;
  } catch (error) {
    rollBack(connection);
    throw error;
  }
}

/** SQLite has rolled back by itself after some errors. */
function rollBack(connection: SqliteConnection): void {
  try {
    connection.execute('rollback');
  } catch {}
}
