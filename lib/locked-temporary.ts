/** Unfinished files beside the place where they will be: locked, so that no cleaner takes them for a dead process's. */

import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { nameWithTail } from './name-with-tail.ts';
import { native } from './native/load.ts';

/** Names of unfinished files, ours and the native module's: hidden, random, removed on any failure. */
export const TEMPORARY_NAME = /^\..*\.[0-9a-f]{16}\.callseal-tmp$/;

/** Names that a cleaner has removed before they could be locked: one is rare, but somebody may clean without a pause. */
const MOST_ATTEMPTS = 1000;

export interface LockedTemporary {
  readonly name: string;
  readonly handle: FileHandle;
}

/**
 * Creates an empty file beside `path`, open for writing, mode 0600: that tells a cleaner that it is unfinished, and not
 * somebody's file that was moved aside. Other modes are for when all is written. One that was cleaned up before it was
 * locked is made anew.
 *
 * @throws {Error} The system's; `CallsealError` where it cannot be locked.
 */
export async function createLockedTemporary(path: string): Promise<LockedTemporary> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  for (let attempt = 1; ; attempt++) {
    const name = temporaryName(path);
    const handle = await open(name, flags, 0o600);
    const temporary = { name, handle };
    try {
      if (native().lockFile(handle.fd) && (await handle.stat()).nlink === 1) return temporary;
    } catch (error) {
      await discardTemporary(temporary);
      throw error;
    }
    await discardTemporary(temporary);
    if (attempt === MOST_ATTEMPTS) throw Object.assign(new Error('no name for it'), { code: 'EBUSY' });
  }
}

/** Removes and closes it. What fails now is not said: the reason that counts is known already. */
export async function discardTemporary({ name, handle }: LockedTemporary): Promise<void> {
  await rm(name, { force: true }).catch(() => undefined);
  await handle.close().catch(() => undefined);
}

function temporaryName(path: string): string {
  const tail = `.${randomBytes(8).toString('hex')}.callseal-tmp`;
  return join(dirname(path), nameWithTail(`.${basename(path)}`, tail));
}
