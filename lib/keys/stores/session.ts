/** Keeps what is done in one transaction or snapshot inside it. */

import type { Kysely } from 'kysely';
import { CallsealError } from '../../errors.ts';
import type { Run } from './queries.ts';
import type { Tables } from './tables.ts';

/**
 * A connection while one piece of work has it. After the work it belongs to others, so a reader or writer that was kept is
 * refused; and a transaction that goes on after a failed statement is not committed, because PostgreSQL would have
 * dropped all of it and SQLite only the statement.
 */
export class Session {
  readonly #db: Kysely<Tables>;
  #ended = false;
  #failure: unknown = null;
  readonly #pending = new Set<Promise<unknown>>();

  constructor(db: Kysely<Tables>) {
    this.#db = db;
  }

  readonly run: Run = async (statement) => {
    if (this.#ended) {
      throw new CallsealError('ERR_INVALID_ARGUMENT', 'this transaction or snapshot of the key store has ended');
    }
    if (this.#failure !== null) throw this.#failure;
    const pending = statement(this.#db);
    this.#pending.add(pending);
    try {
      return await pending;
    } catch (error) {
      this.#failure ??= error;
      throw error;
    } finally {
      this.#pending.delete(pending);
    }
  };

  /** Runs `work`, and throws when one of its statements failed, even when `work` did not mind or did not wait for it. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    let result: T;
    try {
      result = await work();
    } finally {
      this.#ended = true;
      await Promise.allSettled(this.#pending);
    }
    if (this.#failure !== null) throw this.#failure;
    return result;
  }
}
