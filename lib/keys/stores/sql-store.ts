/** The store over any SQL database: what is the same for all of them, on an engine that knows one. */

import type { Kysely } from 'kysely';
import { raiseRevision, SqlReader, SqlWriter } from './queries.ts';
import { Session } from './session.ts';
import type { KeyStore, StoreReader, StoreWriter } from './store.ts';
import type { Tables } from './tables.ts';

/** Work on one connection. */
export type Work<T> = (db: Kysely<Tables>) => Promise<T>;

/** One database. Its errors are CallsealErrors; what `work` throws passes through as it is. */
export interface Engine {
  readonly description: string;
  /** Runs one reading statement; may run it again when the connection turns out to be gone. */
  read<T>(statement: Work<T>): Promise<T>;
  /** Runs `work` in a transaction that is alone in the database. */
  transaction<T>(work: Work<T>): Promise<T>;
  /** Runs `work` on one state of the database. */
  snapshot<T>(work: Work<T>): Promise<T>;
  onChange(listener: () => void): () => void;
  close(): Promise<void>;
}

export class SqlStore extends SqlReader implements KeyStore {
  readonly #engine: Engine;

  constructor(engine: Engine) {
    super((statement) => engine.read(statement));
    this.#engine = engine;
  }

  get description(): string {
    return this.#engine.description;
  }

  transaction<T>(work: (writer: StoreWriter) => Promise<T>): Promise<T> {
    return this.#engine.transaction(async (db) => {
      const session = new Session(db);
      const result = await session.during(() => work(new SqlWriter(session.run)));
      await raiseRevision(db);
      return result;
    });
  }

  snapshot<T>(work: (reader: StoreReader) => Promise<T>): Promise<T> {
    return this.#engine.snapshot((db) => {
      const session = new Session(db);
      return session.during(() => work(new SqlReader(session.run)));
    });
  }

  onChange(listener: () => void): () => void {
    return this.#engine.onChange(listener);
  }

  close(): Promise<void> {
    return this.#engine.close();
  }

  /** For `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
