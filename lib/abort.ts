/** What an operation that its caller cancelled fails with. */

import { CallsealError } from './errors.ts';

/** The error of an operation that `signal` cancelled. */
export function abortError(signal: AbortSignal): CallsealError {
  return new CallsealError('ERR_ABORTED', 'the operation was cancelled', { cause: signal.reason });
}

/** @throws {CallsealError} `ERR_ABORTED`. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw abortError(signal);
}
