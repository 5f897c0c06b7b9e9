/** Where a file of a batch is on this host. Paths come from a database: none may lead out of the root. */

import { realpath } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { CallsealError, errnoOf } from '../errors.ts';

/** Longest path that Linux takes. */
const MAX_PATH_BYTES = 4095;

/**
 * The path below the root under which every host finds the file.
 *
 * @throws {CallsealError} `ERR_INVALID_ARGUMENT` for one that is not below it.
 */
export function pathBelow(root: string, path: string): string {
  const below = relative(resolve(root), resolve(path));
  if (isBelow(below)) return below;
  throw new CallsealError('ERR_INVALID_ARGUMENT', `${path} is not below ${root}; give the --root that it is below`, {
    path,
  });
}

/**
 * The file on this host. A file itself that is a link is refused by who changes it.
 *
 * @param root Resolved: no part of it is a link.
 * @throws {CallsealError} `ERR_INVALID_ARGUMENT` for a path that is not below the root, or that a link leads out of it;
 *   `ERR_IO` when its directory is not there.
 */
export async function placeOf(root: string, path: unknown): Promise<string> {
  if (typeof path !== 'string' || !isBelow(path)) {
    const shown = JSON.stringify(path)?.slice(0, 200);
    throw new CallsealError('ERR_INVALID_ARGUMENT', `the queue names ${shown}, which is no path below the root`);
  }
  const place = join(root, path);
  const directory = await realpath(dirname(place)).catch((error: unknown) => {
    throw unreachable(place, error);
  });
  if (directory === root || directory.startsWith(root.endsWith(sep) ? root : root + sep)) return place;
  throw new CallsealError('ERR_INVALID_ARGUMENT', `${place} leads out of ${root} through a link`, { path: place });
}

function isBelow(path: string): boolean {
  if (path === '' || path.includes('\0') || Buffer.byteLength(path) > MAX_PATH_BYTES) return false;
  return path.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
}

function unreachable(path: string, cause: unknown): CallsealError {
  const errno = errnoOf(cause);
  return new CallsealError('ERR_IO', `${path}: cannot be reached (${errno ?? cause})`, {
    path,
    cause,
    ...(errno && { errno }),
  });
}
