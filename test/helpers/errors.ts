/** What an operation was refused with. */

import { CallsealError, type ErrorCode } from '../../lib/errors.ts';

/** Runs `operation`, which must throw or reject with a CallsealError; returns it. Any other outcome fails the test. */
export async function refusalOf(operation: () => unknown): Promise<CallsealError> {
  try {
    await operation();
  } catch (error) {
    if (error instanceof CallsealError) return error;
    throw error;
  }
  throw new Error('expected a CallsealError, and nothing was thrown');
}

/** The code of {@link refusalOf}. */
export async function codeOf(operation: () => unknown): Promise<ErrorCode> {
  return (await refusalOf(operation)).code;
}
