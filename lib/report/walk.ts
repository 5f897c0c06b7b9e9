/** Every file below some directories, one after the other, whatever their number. */

import type { Dir } from 'node:fs';
import { opendir, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { CallsealError, errnoOf } from '../errors.ts';
import { systemReason } from '../recipients/regular-file.ts';

/** What was met on the way. */
export type Met =
  | { kind: 'file'; path: string; name: string }
  /** A link or a device, which is not followed. */
  | { kind: 'other' }
  /** A directory that cannot be read. */
  | { kind: 'closed'; path: string; message: string };

/** Directory entries asked of the system at once. */
const ENTRIES = 256;

/**
 * @throws {CallsealError} `ERR_IO` when a directory is not there; `ERR_INVALID_ARGUMENT` when one is a file, or lies in
 *   another, so that its files would be counted twice.
 */
export async function checkDirectories(directories: readonly string[]): Promise<void> {
  const real: string[] = [];
  for (const path of directories) {
    const stats = await stat(path).catch((cause: unknown) => {
      const errno = errnoOf(cause);
      const message = `${path}: ${systemReason(cause)}`;
      throw new CallsealError('ERR_IO', message, { path, cause, ...(errno !== undefined && { errno }) });
    });
    if (!stats.isDirectory()) throw new CallsealError('ERR_INVALID_ARGUMENT', `${path}: is not a directory`, { path });
    real.push(await realpath(path));
  }
  for (const [index, path] of real.entries()) {
    const around = real.findIndex(
      (other, at) => at !== index && `${path}/`.startsWith(other === sep ? sep : `${other}/`),
    );
    if (around < 0) continue;
    const message = `${directories[index]} lies in ${directories[around]}: its files would be counted twice`;
    throw new CallsealError('ERR_INVALID_ARGUMENT', message);
  }
}

/** Walks without following links. Directories vanish while they are walked; then they had nothing in them. */
export async function* walk(directories: readonly string[]): AsyncGenerator<Met> {
  const waiting = directories.toReversed();
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    try {
      for await (const entry of await openDirectory(path)) {
        const below = join(path, entry.name);
        if (entry.isDirectory()) waiting.push(below);
        else if (entry.isFile()) yield { kind: 'file', path: below, name: entry.name };
        else yield { kind: 'other' };
      }
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT' || path.includes('\ufffd')) {
        yield { kind: 'closed', path, message: `${path}: ${systemReason(error)}` };
      }
    }
  }
}

function openDirectory(path: string): Promise<Dir> {
  return opendir(path, { bufferSize: ENTRIES });
}
