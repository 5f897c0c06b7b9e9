/**
 * A store in a PostgreSQL database. A transaction is alone because it first takes an advisory lock that belongs to the
 * schema, and lasts as long as the transaction; the server ends transactions that hold it and do nothing.
 */

import { CompiledQuery, Kysely, PostgresAdapter, PostgresDialect, sql } from 'kysely';
import { CallsealError } from '../../errors.ts';
import type { ConnectionSettings } from '../../postgres/client.ts';
import type { PostgresTarget } from '../../postgres/url.ts';
import { type MigrationTarget, migrate, migrationsDone, POSTGRES_TYPES, schemaState } from './migrations.ts';
import { Connections, MAX_CONNECTIONS } from './postgres-connections.ts';
import { ConnectionLost } from './postgres-errors.ts';
import { channelOf, Listener } from './postgres-listener.ts';
import type { Engine, Work } from './sql-store.ts';
import type { Tables } from './tables.ts';
import { Turns } from './turns.ts';
import { Watcher } from './watcher.ts';

/** Milliseconds between two looks for changes that no notification told of. */
const POLL_INTERVAL = 1_000;
/** Milliseconds for one statement, once nobody is in the way; less for who has less patience, but not below the second. */
const LONGEST_STATEMENT = 10_000;
const SHORTEST_TIMEOUT = 1_000;
/** Milliseconds more than the server has, so that it is the one to say what happened. */
const GRACE = 2_000;

export interface PostgresOptions {
  /** Makes the schema and its tables when they are not there. */
  readonly create: boolean;
  /** Milliseconds to wait for a connection. */
  readonly connectTimeout: number;
  /** Milliseconds to wait for other transactions. */
  readonly patience: number;
}

export class PostgresEngine implements Engine {
  readonly description: string;
  readonly #schema: string;
  readonly #patience: number;
  readonly #timeouts: Timeouts;
  readonly #beginAlone: string;
  readonly #kysely: Kysely<Tables>;
  readonly #transactions = new Turns();
  readonly #snapshots = new Turns();
  readonly #listener: Listener;
  readonly #watcher: Watcher;
  #isClosed = false;

  private constructor(settings: ConnectionSettings, patience: number) {
    const { description, schema } = settings.target;
    this.description = description;
    this.#schema = schema;
    this.#patience = patience;
    this.#timeouts = timeoutsFor(patience);
    this.#beginAlone = beginAlone(schema, this.#timeouts);
    const pool = new Connections(
      settings,
      (statement) => GRACE + this.#timeouts[statement === this.#beginAlone ? 'lock' : 'statement'],
    );
    this.#kysely = new Kysely<Tables>({ dialect: new Dialect({ pool }) });
    this.#listener = new Listener(settings, () => this.#watcher.lookNow());
    this.#watcher = new Watcher(() => this.#listener.readRevision(), POLL_INTERVAL);
  }

  static async open(target: PostgresTarget, options: PostgresOptions): Promise<PostgresEngine> {
    const { create, connectTimeout, patience } = options;
    const engine = new PostgresEngine({ target, connectTimeout }, patience);
    try {
      await engine.#prepare(create);
      return engine;
    } catch (error) {
      await engine.close();
      throw error;
    }
  }

  read<T>(statement: Work<T>): Promise<T> {
    this.#assertOpen();
    return this.#connected(() => statement(this.#kysely.withSchema(this.#schema)));
  }

  async transaction<T>(work: Work<T>): Promise<T> {
    this.#assertOpen();
    const notify = sql`select pg_notify(${channelOf(this.#schema)}, '')`;
    const alone = () =>
      this.#within(this.#beginAlone, async (db) => {
        const result = await work(db);
        await notify.execute(db);
        return result;
      });
    return this.#transactions.run(alone, this.#patience, () => this.#isLate());
  }

  async snapshot<T>(work: Work<T>): Promise<T> {
    this.#assertOpen();
    const begin = 'begin isolation level repeatable read read only';
    return this.#snapshots.run(
      () => this.#within(begin, work),
      this.#patience,
      () => this.#isLate(),
    );
  }

  onChange(listener: () => void): () => void {
    this.#assertOpen();
    const remove = this.#watcher.add(listener);
    return () => {
      remove();
      if (!this.#watcher.isNeeded) this.#listener.close();
    };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#watcher.stop();
    this.#listener.close();
    const waiting = [this.#transactions, this.#snapshots].map((turns) =>
      turns.run(
        async () => {},
        Number.POSITIVE_INFINITY,
        () => this.#isLate(),
      ),
    );
    await Promise.all(waiting);
    await this.#kysely.destroy();
  }

  /** Brings the tables up to date. */
  async #prepare(create: boolean): Promise<void> {
    const target: MigrationTarget = { description: this.description, types: POSTGRES_TYPES, schema: this.#schema };
    const stateOf: Work<ReturnType<typeof schemaState>> = async (db) => {
      const { rows } = await sql`select to_regclass(${`${this.#schema}.callseal_migrations`})::text as name`.execute(
        db,
      );
      const isThere = (rows as { name: string | null }[])[0]?.name != null;
      return schemaState(isThere ? await migrationsDone(db) : null, target);
    };
    const state = await this.read(stateOf);
    if (state === 'current') return;
    if (state === 'empty' && !create) {
      throw new CallsealError(
        'ERR_STORE_UNAVAILABLE',
        `${this.description}: there is no key store in this database; name the right one, ` +
          'or begin it (callseal master create) where there has never been one',
      );
    }
    await this.transaction(async (db) => {
      // Another process may have been faster.
      if ((await stateOf(db)) !== 'current') await migrate(db, target);
    });
  }

  /** Runs `work` on one connection in a transaction. Begins again, but never works again, when a connection is gone. */
  #within<T>(begin: string, work: Work<T>): Promise<T> {
    let begun = false;
    const once = () =>
      this.#kysely.connection().execute(async (connection) => {
        const execute = (statement: string) => connection.executeQuery(CompiledQuery.raw(statement));
        let result: T;
        try {
          await execute(begin);
          begun = true;
          result = await work(connection.withSchema(this.#schema));
        } catch (error) {
          // A connection that cannot even do this is given up with its transaction.
          await execute('rollback').catch(() => {});
          throw error;
        }
        await execute('commit').catch((error: unknown) => {
          throw this.#uncertain(error);
        });
        return result;
      });
    return this.#connected(once, () => !begun);
  }

  /** Tries again when a connection of the pool turns out to have been cut since its last use. */
  async #connected<T>(work: () => Promise<T>, mayRepeat = () => true): Promise<T> {
    for (let connections = 1; ; connections += 1) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof ConnectionLost) || error.isSlow || !mayRepeat()) throw error;
        if (connections > MAX_CONNECTIONS) throw error;
      }
    }
  }

  #assertOpen(): void {
    if (this.#isClosed)
      throw new CallsealError('ERR_INVALID_ARGUMENT', `${this.description}: this key store was closed`);
  }

  #uncertain(error: unknown): unknown {
    if (!(error instanceof ConnectionLost)) return error;
    return new CallsealError(
      'ERR_STORE_UNAVAILABLE',
      `${this.description}: the connection was lost while a change was being made; look whether it was made`,
      { cause: error.cause },
    );
  }

  #isLate(): CallsealError {
    const seconds = this.#patience / 1000;
    return new CallsealError(
      'ERR_STORE_UNAVAILABLE',
      `${this.description}: another transaction of this process holds the key store for more than ${seconds} s`,
    );
  }
}

/** Migrations run under the lock of our own transactions. */
class Adapter extends PostgresAdapter {
  override async acquireMigrationLock(): Promise<void> {}
  override async releaseMigrationLock(): Promise<void> {}
}

class Dialect extends PostgresDialect {
  override createAdapter(): PostgresAdapter {
    return new Adapter();
  }
}

/** In milliseconds. */
interface Timeouts {
  /** Waiting for other transactions. */
  readonly lock: number;
  /** Each statement. */
  readonly statement: number;
  /** Holding the lock and doing nothing: less than others wait for it. */
  readonly idle: number;
}

function timeoutsFor(patience: number): Timeouts {
  return {
    lock: Math.max(1, Math.ceil(patience)),
    statement: Math.max(SHORTEST_TIMEOUT, Math.min(LONGEST_STATEMENT, Math.ceil(patience))),
    idle: Math.max(SHORTEST_TIMEOUT, Math.ceil((patience * 2) / 3)),
  };
}

/** One round trip. Read committed, so that what the lock's last holder has changed is seen. */
function beginAlone(schema: string, { lock, statement, idle }: Timeouts): string {
  return [
    'begin isolation level read committed read write',
    `set local lock_timeout = ${lock}`,
    `set local idle_in_transaction_session_timeout = ${idle}`,
    `select pg_advisory_xact_lock(hashtextextended('callseal ${schema}', 0))`,
    `set local statement_timeout = ${statement}`,
  ].join('; ');
}
