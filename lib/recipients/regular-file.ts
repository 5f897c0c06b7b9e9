/** Opening files that people name: regular files only, and operating-system errors in the package's own form. */

import { type BigIntStats, constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

import { CallsealError, type ErrorCode, errnoOf } from '../errors.ts';

/** An open regular file and what the system knew of it at that moment. */
export interface RegularFile {
  handle: FileHandle;
  stats: BigIntStats;
}

/**
 * Opens a regular file for reading. The caller closes the handle.
 *
 * Nothing but a regular file is opened in earnest: a FIFO would wait for its writer, a device has no end.
 *
 * @throws {CallsealError} `ERR_IO`; `ERR_INVALID_ARGUMENT` for anything but a regular file.
 */
export async function openRegularFile(path: string): Promise<RegularFile> {
  let handle: FileHandle;
  try {
    handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch (error) {
    throw systemError(error, 'cannot open', path);
  }
  try {
    const stats = await handle.stat({ bigint: true });
    if (!stats.isFile()) throw notRegular(path, stats.isDirectory());
    return { handle, stats };
  } catch (error) {
    await closeRead(handle);
    throw systemError(error, 'cannot examine', path);
  }
}

/** Closes a file that was read. Nothing is lost when that fails, so nothing is said. */
export function closeRead(handle: FileHandle): Promise<void> {
  return handle.close().catch(() => undefined);
}

function notRegular(path: string, directory: boolean): CallsealError {
  const message = directory ? `${path} is a directory; name the files in it` : `${path} is not a regular file`;
  return new CallsealError('ERR_INVALID_ARGUMENT', message, { path });
}

/** Reads from `position` until `into` is full or the file ends; returns the number of bytes read. */
export async function readAt(handle: FileHandle, into: Uint8Array, position: number, path: string): Promise<number> {
  let filled = 0;
  try {
    while (filled < into.length) {
      const { bytesRead } = await handle.read(into, filled, into.length - filled, position + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
  } catch (error) {
    throw systemError(error, 'cannot read', path);
  }
  return filled;
}

const PLAIN_WORDS: Record<string, string> = {
  EACCES: 'permission denied',
  EIO: 'the device reports a read or write error',
  EISDIR: 'it is a directory',
  ELOOP: 'too many symbolic links',
  EMFILE: 'too many open files',
  ENAMETOOLONG: 'the name is too long',
  EDQUOT: 'the disk quota is used up',
  ENOENT: 'no such file or directory',
  ENOSPC: 'no space is left on the device',
  ENOTDIR: 'a part of the path is not a directory',
  ENXIO: 'no such device',
  EPERM: 'operation not permitted',
};

/** What the system said, in words: `no such file or directory (ENOENT)`. */
export function systemReason(error: unknown): string {
  const errno = errnoOf(error);
  if (errno === undefined) return error instanceof Error ? error.message : String(error);
  const words = PLAIN_WORDS[errno];
  return words === undefined ? errno : `${words} (${errno})`;
}

/** A failed system call as a `CallsealError`; one that already is, stays what it is. */
export function systemError(error: unknown, verb: string, path: string, code: ErrorCode = 'ERR_IO'): CallsealError {
  if (error instanceof CallsealError) return error;
  const errno = errnoOf(error);
  const details = { cause: error, path, ...(errno === undefined ? {} : { errno }) };
  return new CallsealError(code, `${verb} ${path}: ${systemReason(error)}`, details);
}
