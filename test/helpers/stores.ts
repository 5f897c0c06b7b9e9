/** The kinds of store that the same tests run on. */

import { join } from 'node:path';
import Libsql from 'libsql';
import { afterEach } from 'vitest';
import { type OpenStoreOptions, openStore } from '../../lib/keys/stores/open-store.ts';
import type { KeyStore } from '../../lib/keys/stores/store.ts';
import { type PostgresServer, startPostgres } from './postgres.ts';
import { tempDir } from './temp.ts';

export interface StoreKind {
  readonly name: string;
  /** Once before the tests of a file. */
  prepare(): Promise<void>;
  /** URL of a store that is not there yet. */
  freshUrl(): Promise<string>;
  /** Changes a store behind its back. */
  tamper(url: string, sql: string): Promise<void>;
}

const sqlite: StoreKind = {
  name: 'SQLite',
  prepare: async () => {},
  freshUrl: async () => `sqlite:${join(tempDir(), 'keys.db')}`,
  async tamper(url, sql) {
    const database = new Libsql(url.slice('sqlite:'.length), { timeout: 5 });
    database.exec(sql);
    database.close();
  },
};

let server: PostgresServer;
let database: string;
let schemas = 0;

const postgres: StoreKind = {
  name: 'PostgreSQL',
  async prepare() {
    server = await startPostgres();
    database = await server.createDatabase();
  },
  async freshUrl() {
    schemas += 1;
    return server.url(database, { query: `schema=store_${schemas}` });
  },
  async tamper(url, sql) {
    const schema = new URL(url).searchParams.get('schema');
    await server.query(database, `set search_path to ${schema}; ${sql}`);
  },
};

export const STORE_KINDS: readonly StoreKind[] = [sqlite, postgres];

const opened: KeyStore[] = [];

afterEach(async () => {
  await Promise.all(opened.splice(0).map((store) => store.close()));
});

/** A store that is closed after the test. */
export async function opening(url: string, options?: OpenStoreOptions): Promise<KeyStore> {
  const store = await openStore(url, options);
  opened.push(store);
  return store;
}
