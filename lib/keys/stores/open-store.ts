/** Opens the store that a URL names. What a kind of store needs is loaded with the first one of it. */

import { resolve } from 'node:path';
import { CallsealError } from '../../errors.ts';
import type { KeyStore } from './store.ts';

/** Options of {@link openStore}. */
export interface OpenStoreOptions {
  /** Whether to make the store, or its tables, when there is none. Default true; false never makes one. */
  readonly create?: boolean | undefined;
  /** Milliseconds to wait for a connection to a server. Default 5000. */
  readonly connectTimeout?: number | undefined;
  /**
   * Milliseconds to wait for the transactions of others. Default 30000. A server ends a transaction that holds up others and
   * does nothing for two thirds of that, such as one whose process cannot be reached any more.
   */
  readonly patience?: number | undefined;
}

const CONNECT_TIMEOUT = 5_000;
const PATIENCE = 30_000;
const LONGEST = 3_600_000;

/**
 * Opens a store, and brings its tables up to date.
 *
 * @param url `sqlite:PATH`, a file in a directory that exists; or `postgres://USER@HOST/DATABASE`, see
 *   `parsePostgresUrl`.
 * @throws {CallsealError} `ERR_INVALID_ARGUMENT` for what is no such URL; `ERR_STORE_UNAVAILABLE`; `ERR_IO` for a file
 *   that this user may not use or others may write; `ERR_UNSUPPORTED_VERSION` for a store that a newer release has been at.
 *
 * @example
 * const store = await openStore('sqlite:/var/lib/callseal/keys.db');
 */
export async function openStore(url: string, options: OpenStoreOptions = {}): Promise<KeyStore> {
  const { create = true, connectTimeout = CONNECT_TIMEOUT, patience = PATIENCE } = options;
  for (const [name, value] of Object.entries({ connectTimeout, patience })) assertMilliseconds(name, value);
  const { SqlStore } = await import('./sql-store.ts');
  if (url.startsWith('sqlite:')) {
    const path = sqlitePath(url);
    const { SqliteEngine } = await import('./sqlite-engine.ts');
    return new SqlStore(await SqliteEngine.open(path, { create, patience }));
  }
  if (/^postgres(ql)?:/.test(url)) {
    const { parsePostgresUrl } = await import('../../postgres/url.ts');
    const target = parsePostgresUrl(url);
    const { PostgresEngine } = await import('./postgres-engine.ts');
    return new SqlStore(await PostgresEngine.open(target, { create, connectTimeout, patience }));
  }
  // The URL is not shown: it may hold a password.
  throw new CallsealError(
    'ERR_INVALID_ARGUMENT',
    'a key store is named by `sqlite:PATH` or `postgres://USER@HOST/DATABASE`; this is neither',
  );
}

function assertMilliseconds(name: string, value: number): void {
  if (typeof value === 'number' && value >= 1 && value <= LONGEST) return;
  throw new CallsealError(
    'ERR_INVALID_ARGUMENT',
    `${name} of a key store is 1 to ${LONGEST} milliseconds, not ${value}`,
  );
}

function sqlitePath(url: string): string {
  const path = url.slice('sqlite:'.length);
  if (path === '' || path.includes('\0') || /^\/\/[^/]/.test(path)) {
    throw new CallsealError(
      'ERR_INVALID_ARGUMENT',
      'an SQLite key store is named by `sqlite:PATH`, such as sqlite:/var/lib/callseal/keys.db',
    );
  }
  return resolve(path);
}
