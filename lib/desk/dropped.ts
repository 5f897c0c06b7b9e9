/** Files that come from the browser: encrypted bytes, kept for as long as the desk is open, in files without a name. */

import { type FileHandle, mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CallsealError } from '../errors.ts';
import { systemError } from '../recipients/regular-file.ts';
import { safe } from '../safe-text.ts';
import { DroppedFile } from './sealed-file.ts';

const MAX_NAME_LENGTH = 1024;

/**
 * Takes the body of a request into a file that has lost its name before anything is written to it.
 *
 * @param name As the browser calls it, with the folders that it was dropped with.
 * @throws {CallsealError} `ERR_INVALID_ARGUMENT`, `ERR_IO` (such as a full disk), `ERR_ABORTED` when the browser breaks off
 */
export async function receiveDropped(request: IncomingMessage, name: string): Promise<DroppedFile> {
  const safely = safeName(name);
  const handle = await unnamedFile();
  try {
    await writeFile(handle, request);
    return new DroppedFile(safely, handle);
  } catch (error) {
    await handle.close();
    if (request.complete) throw systemError(error, 'cannot keep', safely);
    throw new CallsealError('ERR_ABORTED', `${safely} was not received in full`, { cause: error });
  }
}

/** Mode 0600, in a directory that only this user may enter, and without a name. */
async function unnamedFile(): Promise<FileHandle> {
  let directory: string | undefined;
  try {
    directory = await mkdtemp(join(tmpdir(), 'callseal-desk-'));
    return await open(join(directory, 'dropped'), 'wx+', 0o600);
  } catch (error) {
    throw systemError(error, 'cannot make a file in', directory ?? tmpdir());
  } finally {
    if (directory !== undefined) await rm(directory, { recursive: true, force: true });
  }
}

/**
 * A relative path that stays where it is put: `Save all` writes below its directory by that name.
 *
 * @throws {CallsealError} `ERR_INVALID_ARGUMENT`
 */
function safeName(name: string): string {
  const parts = name.split('/');
  const bad = parts.some((part) => part === '' || part === '.' || part === '..' || safe(part) !== part);
  if (bad || name.length > MAX_NAME_LENGTH) {
    throw new CallsealError('ERR_INVALID_ARGUMENT', `${safe(name).slice(0, 80)} is no name that a file can have here`);
  }
  return name;
}
