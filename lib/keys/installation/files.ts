/** Small files that appear complete or not at all. */

import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, link, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

import { CallsealError, errnoOf } from '../../errors.ts';
import { native } from '../../native/load.ts';
import { systemReason } from '../../recipients/regular-file.ts';
import { syncDirectory } from '../../sync-directory.ts';

export interface NewFile {
  path: string;
  content: string;
  mode: number;
  /** Whether a file of that name gives way; otherwise `ERR_OUTPUT_EXISTS`. */
  replace: boolean;
}

/** Names that a cleaner has removed before they could be locked: one is rare enough. */
const MOST_ATTEMPTS = 100;

/**
 * Writes a file under a temporary name, syncs it, gives it its name, syncs the directory.
 *
 * @throws {CallsealError} `ERR_OUTPUT_EXISTS`, `ERR_IO`.
 */
export async function writeNewFile(file: NewFile): Promise<void> {
  const { path, content, mode, replace } = file;
  let temporary: Temporary | undefined;
  try {
    temporary = await createLocked(path, mode);
    await temporary.handle.writeFile(content);
    await temporary.handle.chmod(mode); // whatever the umask took away
    await temporary.handle.sync();
    await (replace ? rename : link)(temporary.name, path); // a link refuses a name that is taken
    await syncDirectory(dirname(path));
    await rm(temporary.name, { force: true });
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') {
      throw new CallsealError('ERR_OUTPUT_EXISTS', `${path} exists already; it is never replaced`, { path });
    }
    throw ioError(error, 'cannot write', path);
  } finally {
    if (temporary !== undefined) await discard(temporary);
  }
}

interface Temporary {
  readonly name: string;
  readonly handle: FileHandle;
}

/** A file beside `path`, locked, so that `cleanDirectory` does not take it for that of a dead process. */
async function createLocked(path: string, mode: number): Promise<Temporary> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  for (let attempt = 1; ; attempt++) {
    const name = join(dirname(path), `.${basename(path)}.${randomBytes(8).toString('hex')}.callseal-tmp`);
    const temporary: Temporary = { name, handle: await open(name, flags, mode) };
    try {
      if (await isOwn(temporary.handle)) return temporary;
    } catch (error) {
      await discard(temporary);
      throw error;
    }
    await discard(temporary); // a cleaner was there first
    if (attempt === MOST_ATTEMPTS) throw Object.assign(new Error('no name for it'), { code: 'EBUSY' });
  }
}

async function isOwn(handle: FileHandle): Promise<boolean> {
  return native().lockFile(handle.fd) && (await handle.stat()).nlink === 1;
}

/** What fails now is not said: everything is synced, or the reason that counts is known already. */
async function discard({ name, handle }: Temporary): Promise<void> {
  await rm(name, { force: true }).catch(() => undefined);
  await handle.close().catch(() => undefined);
}

/** A failed system call as `ERR_IO`; a `CallsealError` stays what it is. */
export function ioError(error: unknown, verb: string, path: string): CallsealError {
  if (error instanceof CallsealError) return error;
  const errno = errnoOf(error);
  const details = { cause: error, path, ...(errno === undefined ? {} : { errno }) };
  return new CallsealError('ERR_IO', `${verb} ${path}: ${systemReason(error)}`, details);
}
