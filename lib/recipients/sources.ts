/** Lists of files, as callers name them. */

import { CallsealError } from '../errors.ts';

/**
 * Every item must be a path, or an object with one.
 *
 * @throws {CallsealError} `ERR_INVALID_ARGUMENT`.
 */
export function assertSources(sources: readonly (string | { path: string })[]): void {
  if (!Array.isArray(sources)) {
    throw new CallsealError('ERR_INVALID_ARGUMENT', 'files must be named in an array, even a single one');
  }
  for (const [index, source] of sources.entries()) {
    const path: unknown = typeof source === 'string' ? source : source?.path;
    if (typeof path === 'string' && path !== '' && !path.includes('\0')) continue;
    throw new CallsealError('ERR_INVALID_ARGUMENT', `item ${index + 1} of the list must be the path of a file`);
  }
}
