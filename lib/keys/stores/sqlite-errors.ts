/** SQLite's result codes, in words; https://www.sqlite.org/rescode.html. */

import { CallsealError, errnoOf } from '../../errors.ts';
import { BUSY, CONSTRAINT, CORRUPT, isHeldByOthers, LOCKED, primaryCode, resultCode } from '../sqlite-codes.ts';

/** An extended code: a full disk is not told as such while SQLite makes its shared memory. */
const IOERR_SHMSIZE = 4874;

interface Meaning {
  readonly code: 'ERR_STORE_UNAVAILABLE' | 'ERR_IO' | 'ERR_INVALID_ARGUMENT';
  readonly words: string;
  readonly errno?: string;
}

const unavailable = (words: string): Meaning => ({ code: 'ERR_STORE_UNAVAILABLE', words });
const permission = (words: string): Meaning => ({ code: 'ERR_IO', words, errno: 'EACCES' });

/** By primary result code. */
const MEANINGS: Readonly<Record<number, Meaning>> = {
  3: permission('the system refuses access to the key store or its -wal and -shm files'),
  [BUSY]: unavailable('another process holds the key store'),
  [LOCKED]: unavailable('another process holds the key store'),
  8: permission('the key store, or the directory it is in, may not be written'),
  10: unavailable('the disk failed to read or write the key store; look at the system log'),
  // Also when the disk answered EIO: SQLite takes that for damage.
  [CORRUPT]: unavailable(
    'the key store is damaged, or the disk failed to read it; look at the system log, and restore a backup of a damaged one',
  ),
  13: { code: 'ERR_IO', words: 'there is no space for the key store', errno: 'ENOSPC' },
  14: permission('the key store, or its -wal and -shm files, cannot be opened'),
  [CONSTRAINT]: { code: 'ERR_INVALID_ARGUMENT', words: 'the key store does not take the row' },
  26: unavailable('this is not an SQLite database; give the path of a key store, or restore it from a backup'),
};

const NO_SHARED_MEMORY = unavailable(
  'there is no space for the -shm file of the key store, or the disk failed; look at the disk and the system log',
);

/** What failed, in Callseal's words, with SQLite's as cause. */
export function toSqliteError(error: unknown, path: string): CallsealError {
  if (error instanceof CallsealError) return error;
  const { code, words, errno } = meaningOf(resultCode(error)) ?? unavailable('the key store cannot be used');
  return new CallsealError(code, `${path}: ${words} (${wordsOf(error)})`, {
    cause: error,
    path,
    ...(errno !== undefined && { errno }),
  });
}

export function isConstraint(error: unknown): boolean {
  return primaryCode(error) === CONSTRAINT;
}

/** Whether another process was in the way, which passes. */
export function isBusy(error: unknown): boolean {
  return error instanceof CallsealError && isHeldByOthers(error.cause);
}

function meaningOf(result = 0): Meaning | undefined {
  return result === IOERR_SHMSIZE ? NO_SHARED_MEMORY : MEANINGS[result & 0xff];
}

function wordsOf(error: unknown): string {
  return errnoOf(error) ?? (error instanceof Error ? error.message : String(error));
}
