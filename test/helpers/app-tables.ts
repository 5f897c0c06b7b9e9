/** Databases of an application, beside the key store: a table of voice models, as a service has one. */

import { join } from 'node:path';
import Libsql from 'libsql';
import pg from 'pg';
import { type PostgresServer, startPostgres } from './postgres.ts';
import { tempDir } from './temp.ts';

export type Value = string | number | bigint | Uint8Array | null;

/** One database, used as the service uses it. Placeholders are `?`. */
export interface AppDatabase {
  readonly url: string;
  run(sql: string, values?: readonly Value[]): Promise<Record<string, unknown>[]>;
  close(): Promise<void>;
}

export interface AppKind {
  readonly name: string;
  /** How the kind calls a column of bytes. */
  readonly bytes: string;
  /** Once before the tests of a file. */
  prepare(): Promise<void>;
  /** An empty database. */
  create(): Promise<AppDatabase>;
}

class SqliteApp implements AppDatabase {
  readonly url: string;
  readonly #database: Libsql.Database;

  constructor(path: string) {
    this.url = `sqlite:${path}`;
    this.#database = new Libsql(path, { timeout: 10_000 });
    this.#database.exec('pragma journal_mode = wal; pragma synchronous = off');
  }

  async run(sql: string, values: readonly Value[] = []): Promise<Record<string, unknown>[]> {
    if (values.length === 0 && !/^\s*select/i.test(sql)) {
      this.#database.exec(sql);
      return [];
    }
    const statement = this.#database.prepare(sql);
    const bound = values.map((value) => (value instanceof Uint8Array ? Buffer.from(value) : value));
    if (!statement.reader) return [{ changes: statement.run(bound).changes }];
    return (statement.all(bound) as Record<string, unknown>[]).map(withBuffers);
  }

  async close(): Promise<void> {
    this.#database.close();
  }
}

function withBuffers(row: Record<string, unknown>): Record<string, unknown> {
  const plain = (value: unknown): unknown => (value instanceof ArrayBuffer ? Buffer.from(value) : value);
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, plain(value)]));
}

class PostgresApp implements AppDatabase {
  readonly url: string;
  readonly #client: pg.Client;

  constructor(url: string, client: pg.Client) {
    this.url = url;
    this.#client = client;
  }

  async run(sql: string, values: readonly Value[] = []): Promise<Record<string, unknown>[]> {
    let number = 0;
    const text = values.length === 0 ? sql : sql.replace(/\?/g, () => `$${++number}`);
    const bound = values.map((value) => (value instanceof Uint8Array ? Buffer.from(value) : value));
    const result = await this.#client.query(values.length === 0 ? { text } : { text, values: bound });
    return result.rows ?? [];
  }

  async close(): Promise<void> {
    await this.#client.end();
  }
}

let server: PostgresServer;

const sqlite: AppKind = {
  name: 'SQLite',
  bytes: 'BLOB',
  prepare: async () => {},
  create: async () => new SqliteApp(join(tempDir(), 'voice.db')),
};

const postgres: AppKind = {
  name: 'PostgreSQL',
  bytes: 'BYTEA',
  async prepare() {
    server = await startPostgres();
  },
  async create() {
    const database = await server.createDatabase();
    const url = server.url(database);
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    return new PostgresApp(url, client);
  },
};

export const APP_KINDS: readonly AppKind[] = [sqlite, postgres];
