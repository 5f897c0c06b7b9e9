/** Ids of stores and keys: 16 random bytes, in text 32 lower-case hexadecimal digits. */

import { CallsealError } from '../errors.ts';
import { native } from '../native/load.ts';

export const ID_BYTES = 16;

export function newId(): Uint8Array {
  return native().randomBytes(ID_BYTES);
}

/**
 * @param what Such as `master key`; for the message.
 * @throws {CallsealError} `ERR_INVALID_ARGUMENT`
 */
export function parseId(text: string, what: string): Uint8Array {
  if (typeof text !== 'string' || !/^[0-9a-f]{32}$/.test(text)) {
    throw new CallsealError('ERR_INVALID_ARGUMENT', `the id of a ${what} is 32 lower-case hexadecimal digits`);
  }
  return new Uint8Array(Buffer.from(text, 'hex'));
}

/** For public values only: it takes as long as the two agree. Secrets are compared in native code. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
