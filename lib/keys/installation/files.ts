/** Small files that appear complete or not at all. */

import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { link, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

import { CallsealError, errnoOf } from '../../errors.ts';
import { systemReason } from '../../recipients/regular-file.ts';
import { syncDirectory } from '../../sync-directory.ts';

export interface NewFile {
  path: string;
  content: string;
  mode: number;
  /** Whether a file of that name gives way; otherwise `ERR_OUTPUT_EXISTS`. */
  replace: boolean;
}

/**
 * Writes a file under a temporary name, syncs it, gives it its name, syncs the directory.
 *
 * @throws {CallsealError} `ERR_OUTPUT_EXISTS`, `ERR_IO`.
 */
export async function writeNewFile(file: NewFile): Promise<void> {
  const { path, content, mode, replace } = file;
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(8).toString('hex')}.callseal-tmp`);
  try {
    await writeSynced(temporary, content, mode);
    await (replace ? rename : link)(temporary, path); // a link refuses a name that is taken
    await syncDirectory(dirname(path));
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') {
      throw new CallsealError('ERR_OUTPUT_EXISTS', `${path} exists already; it is never replaced`, { path });
    }
    throw ioError(error, 'cannot write', path);
  } finally {
    await rm(temporary, { force: true }).catch(() => undefined); // the reason that counts is thrown already
  }
}

async function writeSynced(path: string, content: string, mode: number): Promise<void> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  const handle = await open(path, flags, mode);
  try {
    await handle.writeFile(content);
    await handle.chmod(mode); // whatever the umask took away
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** A failed system call as `ERR_IO`; a `CallsealError` stays what it is. */
export function ioError(error: unknown, verb: string, path: string): CallsealError {
  if (error instanceof CallsealError) return error;
  const errno = errnoOf(error);
  const details = { cause: error, path, ...(errno === undefined ? {} : { errno }) };
  return new CallsealError('ERR_IO', `${verb} ${path}: ${systemReason(error)}`, details);
}
