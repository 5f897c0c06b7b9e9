/**
 * A file that appears under its final name complete or not at all: what the native module does for whole files, for
 * output that arrives as a stream, and for small texts.
 */

import { type FileHandle, link, lstat, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CallsealError, errnoOf } from './errors.ts';
import { createLockedTemporary, discardTemporary } from './locked-temporary.ts';
import { syncDirectory } from './sync-directory.ts';

export interface AtomicOptions {
  /** Replace an existing regular file. */
  overwrite: boolean;
  /** Sync the file and its directory before it counts as written. */
  sync: boolean;
  /** Permissions before the umask. Default 0600. */
  mode?: number;
  /** The permissions are as `mode` says, whatever the umask is. Default false. */
  ignoreUmask?: boolean;
  /**
   * A new name is taken away again when its directory cannot be synced: for files that mean nothing to whoever is told of a
   * failure. Default false.
   */
  withdraw?: boolean;
}

/**
 * Calls `write` with a fresh file, then gives it its name. When `write` or anything else fails, the file
 * is removed, unless it has its name already: then it is complete, and the error says so, or it is withdrawn.
 *
 * @throws CallsealError ERR_OUTPUT_EXISTS, ERR_IO, and what `write` throws
 */
export async function writeAtomically(
  path: string,
  options: AtomicOptions,
  write: (file: FileHandle) => Promise<void>,
): Promise<void> {
  await checkTarget(path, options.overwrite);
  const { name, handle } = await createLockedTemporary(path).catch((error: unknown) => {
    throw error instanceof CallsealError ? error : ioError(`cannot create a file in ${dirname(path)}`, path, error);
  });
  let failed = `cannot write ${path}`;
  try {
    await write(handle);
    if (options.mode !== undefined) await handle.chmod(options.mode & ~(options.ignoreUmask ? 0 : process.umask()));
    if (options.sync) await handle.sync();
    await publish(name, path, options.overwrite);
    failed = `${path} is complete and in place, but its directory cannot be synced`;
    if (options.sync) await syncName(path, handle, options);
    failed = `${path} is complete and in place, but its temporary name ${name} cannot be removed`;
    await rm(name, { force: true });
    failed = `${path} may not be complete: it cannot be closed`;
    await closeWritten(handle, options.sync);
  } catch (error) {
    await discardTemporary({ name, handle });
    throw error instanceof CallsealError ? error : ioError(failed, path, error);
  }
}

async function syncName(path: string, file: FileHandle, { overwrite, withdraw }: AtomicOptions): Promise<void> {
  try {
    await syncDirectory(dirname(path));
  } catch (error) {
    if (!withdraw || overwrite) throw error;
    const [own, named] = await Promise.all([file.stat(), lstat(path)]);
    if (own.ino === named.ino && own.dev === named.dev) await rm(path);
    throw ioError(`cannot sync the directory of ${path}`, path, error);
  }
}

/** After a sync nothing can be lost any more; without one, network file systems tell now that there is no space. */
async function closeWritten(file: FileHandle, synced: boolean): Promise<void> {
  await file.close().catch((error: unknown) => {
    if (!synced) throw error;
  });
}

/** @throws CallsealError ERR_OUTPUT_EXISTS */
export async function checkTarget(path: string, overwrite: boolean): Promise<void> {
  const target = await lstat(path).catch(() => undefined);
  if (target === undefined) return;
  if (!target.isFile()) throw existsError(`${path} exists and is not a regular file; it is never replaced`, path);
  if (!overwrite) throw existsError(`${path} exists already`, path);
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
  return new CallsealError('ERR_IO', `${message} (${why})`, {
    path,
    cause,
    ...(errno ? { errno } : {}),
  });
}
