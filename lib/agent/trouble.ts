/** What a failure is about, and so what has to wait for it to end. */

import { constants } from 'node:fs';
import { access, lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { CallsealError } from '../errors.ts';
import type { Directory } from './directory.ts';

export type Trouble =
  /** The file is not there any more: no failure. */
  | { about: 'nothing' }
  /** Somebody still writes to the file: no failure. */
  | { about: 'unfinished' }
  /** It is a call file under a plaintext's name. */
  | { about: 'call-file' }
  /** This file alone. */
  | { about: 'file' }
  /** Every file of its directory. */
  | { about: 'directory'; alarm: 'disk-full' | 'output'; remedy: string }
  /** Every file. */
  | { about: 'everything'; alarm: 'crypto' | 'resources'; remedy: string };

const FULL = new Set(['ENOSPC', 'EDQUOT']);
const FORBIDDEN = new Set(['EACCES', 'EPERM', 'EROFS']);
const EXHAUSTED = new Set(['EMFILE', 'ENFILE', 'ENOMEM']);

/** Finds out what an error of sealing the file `name` is about. */
export async function troubleOf(error: CallsealError, directory: Directory, name: string): Promise<Trouble> {
  switch (error.code) {
    case 'ERR_INPUT_BUSY':
    case 'ERR_INPUT_CHANGED':
      return { about: 'unfinished' };
    case 'ERR_ALREADY_ENCRYPTED':
      return { about: 'call-file' };
    case 'ERR_CRYPTO':
    case 'ERR_CRYPTO_NOT_ISOLATED':
    case 'ERR_FIPS_UNAVAILABLE':
    case 'ERR_NATIVE_UNAVAILABLE':
    case 'ERR_NOT_APPROVED':
      return { about: 'everything', alarm: 'crypto', remedy: 'run callseal doctor; nothing is encrypted meanwhile' };
    case 'ERR_IO':
      return ioTrouble(error, directory, name);
    default:
      return { about: 'file' };
  }
}

async function ioTrouble(error: CallsealError, directory: Directory, name: string): Promise<Trouble> {
  const { errno = '' } = error;
  if (FULL.has(errno)) return { about: 'directory', alarm: 'disk-full', remedy: 'make room there' };
  if (EXHAUSTED.has(errno)) {
    return { about: 'everything', alarm: 'resources', remedy: 'raise the limits of the agent’s process' };
  }
  if (error.path === directory.output) {
    return { about: 'directory', alarm: 'output', remedy: 'make it a directory that the agent’s user may write to' };
  }
  const path = join(directory.path, name);
  if (errno === 'ENOENT' || errno === 'ENOTDIR') {
    const isThere = await lstat(path).then(
      () => true,
      () => false,
    );
    if (!isThere) return { about: 'nothing' };
    return { about: 'directory', alarm: 'output', remedy: 'make that directory' };
  }
  const mayWrite = (await isWritable(directory.path)) && (await isWritable(directory.output));
  if (FORBIDDEN.has(errno) && !mayWrite) {
    return { about: 'directory', alarm: 'output', remedy: 'let the agent’s user write there' };
  }
  return { about: 'file' };
}

async function isWritable(path: string): Promise<boolean> {
  return access(path, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** Whatever was thrown, as an error of ours. */
export function callsealError(error: unknown, path: string): CallsealError {
  if (error instanceof CallsealError) return error;
  const message = `${path}: ${error instanceof Error ? error.message : String(error)}`;
  return new CallsealError('ERR_IO', message, { path, cause: error });
}
