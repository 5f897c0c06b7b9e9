/**
 * One connection to an SQLite file, and what waits for it.
 *
 * Waiting for another process is done here, between attempts, and not in SQLite's busy handler, which would stop the whole
 * process, and with it whatever else in it holds the lock.
 */

import { setTimeout as pause } from 'node:timers/promises';
import { CallsealError } from '../../errors.ts';
import { readRevision } from './queries.ts';
import { SqliteConnection } from './sqlite-connection.ts';
import { isBusy } from './sqlite-errors.ts';
import { examineSqliteFile, type FileIdentity } from './sqlite-file.ts';
import { Turns } from './turns.ts';

/** Milliseconds between two attempts to be alone: at first, and at most. */
const FIRST_PAUSE = 1;
const LONGEST_PAUSE = 25;

/** What the lanes of one store share. */
export class SqliteFile {
  readonly path: string;
  readonly patience: number;
  #closed = false;
  #isOurs = false;

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

  /** From now on, the file may be changed. */
  adopt(): void {
    this.#isOurs = true;
  }

  get isOurs(): boolean {
    return this.#isOurs;
  }

  examine(): FileIdentity {
    const identity = examineSqliteFile(this.path);
    if (identity !== null) return identity;
    throw new CallsealError(
      'ERR_STORE_UNAVAILABLE',
      `sqlite:${this.path}: there is no such file; give the path of the key store, restore it from a backup, ` +
        'or begin it (callseal master create) where there has never been one',
      { path: this.path },
    );
  }

  isReplaced(): CallsealError {
    return new CallsealError(
      'ERR_STORE_UNAVAILABLE',
      `sqlite:${this.path}: another file was put in its place while it was in use; try again`,
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

/** Its connection is opened when it is needed, and again when it failed or another file lies at the path. */
export class Lane {
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
        return this.#attempt(() =>
          within(connection, async () => {
            const result = await work(connection, this.#identity);
            // What is committed to a file that was taken away meanwhile is lost.
            if (this.#file.examine() !== this.#identity) throw this.#file.isReplaced();
            return result;
          }),
        );
      },
      this.#file.patience,
      () => this.#file.isLate(),
    );
  }

  /** Waits for what runs. */
  disconnect(lastWords?: string): Promise<void> {
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
      this.#connection = connect(this.#file);
      this.#identity = identity;
    }
    return this.#connection;
  }

  #drop(): void {
    this.#connection?.close();
    this.#connection = undefined;
  }
}

/** Every commit is on the disk before it is told; nothing deleted is left behind; the file's schema runs no code. */
const SETTINGS = 'pragma synchronous = full; pragma secure_delete = on; pragma trusted_schema = off';
/** Readers go on beside a writer. Stays with the file, but not with every copy of it. */
const CONCURRENCY = 'pragma journal_mode = wal';

function connect({ path, isOurs }: SqliteFile): SqliteConnection {
  const connection = new SqliteConnection(path);
  try {
    connection.execute(SETTINGS);
    if (isOurs) connection.execute(CONCURRENCY);
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
    connection.rollBack();
    throw error;
  }
}

async function within<T>(connection: SqliteConnection, work: () => Promise<T>): Promise<T> {
  try {
    const result = await work();
    connection.execute('commit');
    return result;
  } catch (error) {
    connection.rollBack();
    throw error;
  }
}
