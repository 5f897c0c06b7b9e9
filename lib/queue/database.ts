/** The database of the queue: pg-boss holds the jobs, three tables of ours what became of the files. */

import type { Socket } from 'node:net';
import pg from 'pg';
import PgBoss from 'pg-boss';
import { CallsealError } from '../errors.ts';
import { clientConfig } from '../postgres/client.ts';
import { explainFailure, plainCause } from '../postgres/failures.ts';
import { parsePostgresUrl } from '../postgres/url.ts';

/** The queue of pg-boss that all jobs are in. */
export const QUEUE = 'files';

/** Seconds after which a job is given to another worker, unless the one that has it says that it is alive. */
export const DEFAULT_LEASE = 20;

/** The same for a worker that has taken a job and not yet said for how long. */
const FIRST_LEASE = 5;

/** So often a job is given out again whose workers died over it. */
const MOST_RETRIES = 10;
/** Jobs that nobody has taken are kept so long. */
const RETENTION_DAYS = 365;
const MOST_CONNECTIONS = 6;
const CONNECT_TIMEOUT = 10_000;
const QUERY_TIMEOUT = 60_000;
/** Seconds between looks for jobs whose worker has died. */
const MAINTENANCE = 3;

const DEFAULT_SCHEMA = 'callseal_queue';

type Row = Record<string, unknown>;

/** Where statements go: the pool, or one transaction. */
export interface Statements {
  executeSql(text: string, values?: unknown[]): Promise<{ rows: Row[] }>;
}

export class QueueDatabase implements Statements {
  readonly description: string;
  readonly boss: PgBoss;
  /** Of all tables. */
  readonly schema: string;
  readonly #pool: pg.Pool;
  #failure: CallsealError | null = null;

  private constructor(url: string, supervise: boolean) {
    const target = parsePostgresUrl(url);
    this.description = target.description;
    this.schema = target.schema === 'public' ? DEFAULT_SCHEMA : target.schema;
    const settings = { target, connectTimeout: CONNECT_TIMEOUT, unavailable: 'ERR_QUEUE_UNAVAILABLE' } as const;
    const sockets = new Set<Socket>();
    this.#pool = new pg.Pool({
      ...clientConfig(settings, sockets),
      query_timeout: QUERY_TIMEOUT,
      max: MOST_CONNECTIONS,
    });
    this.#pool.on('error', () => {}); // an idle connection that breaks is replaced when one is needed
    this.#pool.on('connect', (client) => client.on('error', () => {})); // one in use tells by its statement
    this.boss = new PgBoss({
      db: this as PgBoss.Db,
      schema: this.schema,
      supervise,
      schedule: false,
      maintenanceIntervalSeconds: MAINTENANCE,
      deleteAfterDays: RETENTION_DAYS,
    });
    this.boss.on('error', () => {}); // what fails in the background fails in the foreground, too
  }

  /**
   * Connects, and makes the tables where there are none.
   *
   * @param supervise Whether this process looks for jobs whose worker has died.
   * @throws {CallsealError} `ERR_QUEUE_UNAVAILABLE`; `ERR_INVALID_ARGUMENT` for a URL that is none.
   */
  static async open(url: string, supervise = false): Promise<QueueDatabase> {
    const database = new QueueDatabase(url, supervise);
    try {
      await database.boss.start();
      await database.boss.createQueue(QUEUE);
      await database.transaction((statements) => makeTables(statements, database.schema));
      return database;
    } catch (error) {
      await database.close();
      throw database.#unavailable(error);
    }
  }

  /** Connects and makes nothing, to look at what there is. @throws {CallsealError} `ERR_INVALID_ARGUMENT`. */
  static look(url: string): QueueDatabase {
    return new QueueDatabase(url, false);
  }

  async close(): Promise<void> {
    await this.boss.stop({ graceful: false }).catch(() => {});
    await this.#pool.end().catch(() => {});
  }

  async executeSql(text: string, values?: unknown[]): Promise<{ rows: Row[] }> {
    const client = await this.#connect();
    try {
      const result = await client.query(text, values);
      client.release();
      this.#failure = null;
      return result;
    } catch (error) {
      client.release(true); // pg-boss sends whole transactions, which an error leaves open
      throw this.#noted(error);
    }
  }

  /** All or nothing. */
  async transaction<T>(work: (statements: Statements) => Promise<T>): Promise<T> {
    const client = await this.#connect();
    try {
      await client.query('begin');
      const result = await work({ executeSql: (text, values) => client.query(text, values) });
      await client.query('commit');
      client.release();
      return result;
    } catch (error) {
      client.release(true);
      throw this.#noted(error);
    }
  }

  /** What pg-boss has kept to itself: a fetch that fails looks like an empty queue. */
  throwFailure(): void {
    const failure = this.#failure;
    this.#failure = null;
    if (failure !== null) throw failure;
  }

  async #connect(): Promise<pg.PoolClient> {
    try {
      return await this.#pool.connect();
    } catch (error) {
      throw this.#noted(error);
    }
  }

  #noted(error: unknown): unknown {
    const failure = this.#unavailable(error);
    if (failure instanceof CallsealError) this.#failure = failure;
    // pg-boss recognises by their words what another process did at the same time.
    return plainCause(error).message.includes('already exists') ? error : failure;
  }

  #unavailable(error: unknown): unknown {
    if (error instanceof CallsealError) return error;
    const cause = plainCause(error);
    const why = explainFailure(cause) ?? 'the job queue cannot be used';
    return new CallsealError('ERR_QUEUE_UNAVAILABLE', `${this.description}: ${why} (${cause.message})`, { cause });
  }
}

/** For {@link PgBoss.insert}. */
export function jobOf(data: object, startAfter = 0): PgBoss.JobInsert {
  return {
    name: QUEUE,
    data,
    retryLimit: MOST_RETRIES,
    expireInSeconds: FIRST_LEASE,
    keepUntil: new Date(Date.now() + RETENTION_DAYS * 86_400_000).toISOString(),
    ...(startAfter > 0 && { startAfter: String(startAfter) }),
  };
}

async function makeTables({ executeSql }: Statements, schema: string): Promise<void> {
  await executeSql(`select pg_advisory_xact_lock(hashtextextended($1, 0))`, [`callseal queue ${schema}`]);
  await executeSql(`
    create table if not exists ${schema}.callseal_batch (
      id uuid primary key,
      change jsonb not null,
      description text not null,
      host text not null,
      created_on timestamptz not null default now(),
      files bigint not null default 0,
      filled boolean not null default false,
      problem text
    );
    create table if not exists ${schema}.callseal_result (
      job uuid primary key,
      batch uuid not null references ${schema}.callseal_batch on delete cascade,
      host text not null,
      changed int not null,
      unchanged int not null,
      passed_over int not null,
      refused int not null,
      finished_on timestamptz not null default now()
    );
    create index if not exists callseal_result_batch on ${schema}.callseal_result (batch, finished_on);
    create table if not exists ${schema}.callseal_failure (
      batch uuid not null references ${schema}.callseal_batch on delete cascade,
      path text not null,
      code text not null,
      message text not null,
      host text not null,
      attempts int not null,
      final boolean not null,
      primary key (batch, path)
    );`);
}
