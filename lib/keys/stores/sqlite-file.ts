/** The file of an SQLite store: who may have it, before SQLite sees it. */

import { closeSync, openSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { CallsealError, errnoOf } from '../../errors.ts';

const PERMISSIONS = 0o777;
const OTHERS_WRITE = 0o022;

/** SQLite's write-ahead log and its index lie beside the database, and have its permissions. */
const COMPANIONS = ['-wal', '-shm'];

/** Tells one file from another that was put at the same path. */
export type FileIdentity = string;

/** Makes an empty file for this user alone, in a directory that exists. One that is there already is left alone. */
export function createSqliteFile(path: string): void {
  try {
    // Never opened when it exists: closing any descriptor of it would drop the locks that SQLite holds in this process.
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return;
    if (errnoOf(error) === 'ENOENT') {
      throw ioError(
        path,
        error,
        `the directory ${dirname(path)} does not exist; make it first, for the service's user alone`,
      );
    }
    throw ioError(path, error, 'the key store cannot be created there');
  }
}

/**
 * Looks at the file and at what SQLite keeps beside it.
 *
 * @returns null when there is no file.
 * @throws {CallsealError} `ERR_IO` when others could write it, or this user should not.
 */
export function examineSqliteFile(path: string): FileIdentity | null {
  const stats = examine(path);
  if (stats === null) return null;
  for (const companion of COMPANIONS) examine(path + companion);
  return `${stats.dev}:${stats.ino}`;
}

function examine(path: string): Stats | null {
  const stats = statOrNull(path);
  if (stats === null) return null;
  if (!stats.isFile()) throw new CallsealError('ERR_IO', `${path}: a key store must be a regular file`, { path });
  const user = process.geteuid?.() ?? 0;
  if (stats.uid !== user) {
    throw new CallsealError(
      'ERR_IO',
      `${path}: this file of a key store belongs to user ${stats.uid}, and this process runs as user ${user}; ` +
        "run it as the store's own user, such as with `sudo -u`",
      { path },
    );
  }
  if ((stats.mode & OTHERS_WRITE) !== 0) {
    const mode = (stats.mode & PERMISSIONS).toString(8).padStart(4, '0');
    throw new CallsealError(
      'ERR_IO',
      `${path}: other users may write this file of a key store (permissions ${mode}); ` +
        `run \`chmod 600 ${path}\`, and \`callseal audit verify\``,
      { path },
    );
  }
  return stats;
}

function statOrNull(path: string): Stats | null {
  try {
    return statSync(path);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT' || errno === 'ENOTDIR') return null;
    throw ioError(path, error, 'the key store cannot be looked at');
  }
}

function ioError(path: string, error: unknown, what: string): CallsealError {
  const errno = errnoOf(error);
  return new CallsealError('ERR_IO', `${path}: ${what} (${errno ?? String(error)})`, {
    cause: error,
    path,
    ...(errno !== undefined && { errno }),
  });
}
