/**
 * A file that appears under its final name complete or not at all: what the native module does for whole files, for
 * output that arrives as a stream.
 */

import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, link, lstat, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { CallsealError, errnoOf } from '../errors.ts';
import { native } from '../native/load.ts';
import { syncDirectory } from '../sync-directory.ts';

/** Names of unfinished outputs, ours and the native module's: hidden, random, removed on any failure. */
export const TEMPORARY_NAME = /^\..*\.[0-9a-f]{16}\.callseal-tmp$/;

const MAX_NAME_BYTES = 255;

export interface AtomicOptions {
  /** Replace an existing regular file. */
  overwrite: boolean;
  /** Sync the file and its directory before it counts as written. */
  sync: boolean;
  /** Permissions before the umask. Default 0600. */
  mode?: number;
}

/**
 * Calls `write` with a fresh file, then gives it its name. When `write` or anything else fails, the file
 * is removed, unless it has its name already: then it is complete, and the error says so.
 *
 * @throws CallsealError ERR_OUTPUT_EXISTS, ERR_IO, and what `write` throws
 */
export async function writeAtomically(
  path: string,
  options: AtomicOptions,
  write: (file: FileHandle) => Promise<void>,
): Promise<void> {
  await checkTarget(path, options.overwrite);
  const { file, temporary } = await createTemporary(path, options.mode ?? 0o600);
  let failed = `cannot write ${path}`;
  try {
    await write(file);
    if (options.sync) await file.sync();
    await publish(temporary, path, options.overwrite);
    failed = `${path} is complete and in place, but its directory cannot be synced`;
    if (options.sync) await syncDirectory(dirname(path));
    failed = `${path} is complete and in place, but its temporary name ${temporary} cannot be removed`;
    await rm(temporary, { force: true });
    failed = `${path} may not be complete: it cannot be closed`;
    await closeWritten(file, options.sync);
  } catch (error) {
    await discard(file, temporary);
    throw error instanceof CallsealError ? error : ioError(failed, path, error);
  }
}

/** What fails now is not said: the reason that counts is known already. */
async function discard(file: FileHandle, temporary: string): Promise<void> {
  await rm(temporary, { force: true }).catch(() => undefined);
  await file.close().catch(() => undefined);
}

/** After a sync nothing can be lost any more; without one, network file systems tell now that there is no space. */
async function closeWritten(file: FileHandle, synced: boolean): Promise<void> {
  await file.close().catch((error: unknown) => {
    if (!synced) throw error;
  });
}

/** A locked file. One that was cleaned up before it was locked, as if its writer were dead, is made anew. */
async function createTemporary(path: string, mode: number): Promise<{ file: FileHandle; temporary: string }> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  const failed = `cannot create a file in ${dirname(path)}`;
  for (;;) {
    const temporary = temporaryName(path);
    const file = await open(temporary, flags, mode).catch((error: unknown) => {
      throw ioError(failed, path, error);
    });
    try {
      if (native().lockFile(file.fd) && (await file.stat()).nlink === 1) return { file, temporary };
    } catch (error) {
      await discard(file, temporary);
      throw error instanceof CallsealError ? error : ioError(failed, path, error);
    }
    await discard(file, temporary);
  }
}

/** @throws CallsealError ERR_OUTPUT_EXISTS */
export async function checkTarget(path: string, overwrite: boolean): Promise<void> {
  const target = await lstat(path).catch(() => undefined);
  if (target === undefined) return;
  if (!target.isFile()) throw existsError(`${path} exists and is not a regular file; it is never replaced`, path);
  if (!overwrite) throw existsError(`${path} exists already`, path);
}

function temporaryName(path: string): string {
  const tail = `.${randomBytes(8).toString('hex')}.callseal-tmp`;
  const name = Buffer.from(`.${basename(path)}`).subarray(0, MAX_NAME_BYTES - tail.length);
  return join(dirname(path), name.toString().replace(/\ufffd+$/, '') + tail);
}

/** A link refuses a name that was taken meanwhile; a rename does not. */
async function publish(temporary: string, path: string, overwrite: boolean): Promise<void> {
  if (overwrite) {
    await rename(temporary, path);
    return;
  }
  try {
    await link(temporary, path);
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') throw existsError(`${path} appeared while it was being written`, path);
    throw error;
  }
}

function existsError(message: string, path: string): CallsealError {
  return new CallsealError('ERR_OUTPUT_EXISTS', message, { path });
}

function ioError(message: string, path: string, cause: unknown): CallsealError {
  const errno = errnoOf(cause);
  const why = errno ?? (cause instanceof Error ? cause.message : String(cause));
  return new CallsealError('ERR_IO', `${message} (${why})`, { path, cause, ...(errno ? { errno } : {}) });
}
