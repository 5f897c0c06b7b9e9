/** Connections to one PostgreSQL database: `pg` under Kysely. */

import type { Socket } from 'node:net';
import type { PostgresPool, PostgresPoolClient } from 'kysely';
import pg from 'pg';
import type { CallsealError } from '../../errors.ts';
import { type ConnectionSettings, clientConfig } from '../../postgres/client.ts';
import { ConnectionLost, toPostgresError } from './postgres-errors.ts';

/** At most so many connections a store, beside the one that listens. */
export const MAX_CONNECTIONS = 5;

/** Milliseconds for a connection to say goodbye. */
const FAREWELL = 1_000;

/** A pool for Kysely's dialect. A connection on which something other than a statement failed is not used again. */
export class Connections implements PostgresPool {
  readonly #pool: pg.Pool;
  readonly #sockets = new Set<Socket>();
  readonly #description: string;
  readonly #timeoutOf: (statement: string) => number;
  #inUse = 0;
  #unused: (() => void) | undefined;

  /** @param timeoutOf how long to wait for the answer to a statement, in milliseconds. */
  constructor(settings: ConnectionSettings, timeoutOf: (statement: string) => number) {
    this.#description = settings.target.description;
    this.#timeoutOf = timeoutOf;
    this.#pool = new pg.Pool({
      ...clientConfig(settings, this.#sockets),
      max: MAX_CONNECTIONS,
      // An idle connection keeps no process alive.
      allowExitOnIdle: true,
    });
    // An idle connection that breaks is taken out of the pool, and nobody need know.
    this.#pool.on('error', () => {});
  }

  async connect(): Promise<PostgresPoolClient> {
    this.#inUse += 1;
    try {
      const client = await this.#pool.connect();
      return new Connection(client, this.#description, this.#timeoutOf, () =>
        this.#leave(),
      ) as unknown as PostgresPoolClient;
    } catch (error) {
      this.#leave();
      throw toPostgresError(error, this.#description, 'connecting');
    }
  }

  /** Waits for what is in use. */
  async end(): Promise<void> {
    if (this.#inUse > 0) {
      await new Promise<void>((resolve) => {
        this.#unused = resolve;
      });
    }
    // A server that cannot be reached does not say goodbye.
    const timer = setTimeout(() => {
      for (const socket of this.#sockets) socket.destroy();
    }, FAREWELL);
    await this.#pool.end();
    clearTimeout(timer);
  }

  #leave(): void {
    this.#inUse -= 1;
    if (this.#inUse === 0) this.#unused?.();
  }
}

/** What a statement gets in a transaction that an earlier one has spoilt. */
const SPOILT = '25P02';

/** A connection while one user of the pool has it. */
class Connection {
  readonly #client: pg.PoolClient;
  readonly #description: string;
  readonly #timeoutOf: (statement: string) => number;
  readonly #leave: () => void;
  /** Why the connection is of no use any more. */
  #ending: unknown = null;
  #lastFailure: CallsealError | null = null;

  constructor(client: pg.PoolClient, description: string, timeoutOf: (statement: string) => number, leave: () => void) {
    this.#client = client;
    this.#description = description;
    this.#timeoutOf = timeoutOf;
    this.#leave = leave;
    client.on('error', this.#onError);
  }

  async query(text: string, values: readonly unknown[]): Promise<pg.QueryResult> {
    try {
      if (this.#ending !== null) throw this.#ending;
      const query_timeout = this.#timeoutOf(text);
      return await this.#client.query({ text, values: [...values], query_timeout } as pg.QueryConfig);
    } catch (error) {
      throw this.#failureFrom(error);
    }
  }

  release(): void {
    this.#client.off('error', this.#onError);
    this.#client.release(this.#ending !== null);
    this.#leave();
  }

  readonly #onError = (error: unknown) => {
    this.#ending ??= error;
  };

  #failureFrom(error: unknown): CallsealError {
    if (this.#lastFailure !== null && (error as { code?: unknown }).code === SPOILT) return this.#lastFailure;
    // Why the server ended the connection says more than that it is gone.
    const failure = toPostgresError(this.#ending ?? error, this.#description, 'connected');
    if (failure instanceof ConnectionLost) this.#ending ??= failure;
    this.#lastFailure = failure;
    return failure;
  }
}
