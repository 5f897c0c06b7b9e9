/** Tells call files from files that merely begin like them. */

import { CallsealError, type ErrorCode } from '../errors.ts';
import { inspect } from './inspect.ts';

/** What `inspect` throws when a file that can be read has no well-formed header. */
const NO_HEADER: ReadonlySet<ErrorCode> = new Set([
  'ERR_NOT_CALLSEAL',
  'ERR_UNSUPPORTED_VERSION',
  'ERR_TAMPERED',
  'ERR_TRUNCATED',
]);

/**
 * Whether a file has a well-formed header; whether its body is complete does not matter.
 *
 * @throws {CallsealError} `ERR_IO`, `ERR_INVALID_ARGUMENT` (not a regular file), `ERR_ABORTED`.
 */
export async function isCallFile(path: string, signal?: AbortSignal): Promise<boolean> {
  try {
    await inspect(path, { signal });
    return true;
  } catch (error) {
    if (error instanceof CallsealError && NO_HEADER.has(error.code)) return false;
    throw error;
  }
}
