/** Memory for output. What costs time is not to write it but to have the system make it: see `native/core/memory.h`. */

import { CallsealError } from '../errors.ts';
import { native } from '../native/load.ts';

/** From here on the system maps memory for each array anew, with a page fault for every 4 KiB unless told otherwise. */
const LARGE_BYTES = 4 << 20;

/**
 * An array to be written in full before anybody else sees it: what is in it may be old.
 *
 * @throws {CallsealError} `ERR_IO` when there is no room for it.
 */
export function newBytes(length: number): Uint8Array {
  try {
    if (length < LARGE_BYTES) return new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);
    const bytes = new Uint8Array(length);
    native().preferHugePages(bytes);
    return bytes;
  } catch (error) {
    throw new CallsealError('ERR_IO', `not enough memory for ${length} bytes of output`, { cause: error });
  }
}
