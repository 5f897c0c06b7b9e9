/** Decrypts whole buffers. */

import { assertKeyRing, assertOptions, assertRequiredSigner, assertSignal, assertThreads } from './arguments.ts';
import { BorrowedBytes } from './borrowed-bytes.ts';
import type { DecryptOptions } from './decrypt.ts';
import type { BufferOptions } from './encrypt-buffer.ts';
import { tampered, truncated } from './faults.ts';
import { FLOE_HEADER_BYTES, SEGMENT_OVERHEAD } from './format.ts';
import { bodyEnd, type CallFileHeader, headerEndsEarly, parseHeader } from './header.ts';
import { throwIfAborted } from './job.ts';
import { newBytes } from './new-bytes.ts';
import { openBody } from './open.ts';
import { FIRST_READ } from './read-header.ts';
import { inTurns } from './turns.ts';

const NO_BYTES = new Uint8Array(0);
/** What is cleared at once. */
const CLEARED_BYTES = 1 << 20;

/** Options of {@link decrypt}. */
export interface DecryptBufferOptions extends DecryptOptions, BufferOptions {}

/**
 * Decrypts a whole call file in memory. The key is opened on a pool thread; the bytes are then decrypted where they lie,
 * two or three milliseconds at a time, between which the event loop turns.
 *
 * With `output`, use what is in it only when the promise has resolved: until then the file may yet turn out to be altered or
 * incomplete, and then everything written there is cleared before the promise rejects.
 *
 * @param bytes Must stay as they are until the promise settles, and must not be shared memory.
 * @throws {CallsealError} What {@link decryptFile} throws, except for what concerns files; `ERR_INVALID_ARGUMENT` also when
 *   `bytes` or `output` is transferred or resized meanwhile. Plaintext in an `output` that was transferred is not cleared.
 *
 * @example
 * const transcript = await decrypt(sealed, { keys: KeyRing.of(privateKey) });
 */
export async function decrypt(bytes: Uint8Array, options: DecryptBufferOptions): Promise<Uint8Array> {
  const input = new BorrowedBytes(bytes, 'bytes');
  assertOptions(options);
  const { keys, requireSigner, output, threads = 1, signal } = options;
  assertKeyRing(keys);
  assertRequiredSigner(requireSigner);
  assertThreads(threads);
  assertSignal(signal);
  throwIfAborted(signal);
  const given = output === undefined ? null : new BorrowedBytes(output, 'output');
  const header = copyHeader(input);
  const bodyStart = header.bodyOffset + FLOE_HEADER_BYTES;
  const end = Math.max(bodyStart, bodyEnd(header, input.length));
  const length = plaintextLength(end - bodyStart, header.segmentLength);
  given?.assertTakes(length, input);

  const decryptor = await openBody(header, keys, requireSigner);
  throwIfAborted(signal);
  const result = output ?? newBytes(length);
  const target = given ?? new BorrowedBytes(result, 'output');
  let read = bodyStart;
  let segments = 0;
  let written = 0;
  try {
    await inTurns((microseconds) => {
      throwIfAborted(signal);
      const left = input.from(read).subarray(0, end - read);
      const count = decryptor.decrypt(NO_BYTES, left, target.from(written), threads, microseconds);
      if (count === 0) {
        const where = read === end ? `before segment ${segments}` : `inside segment ${segments}`;
        throw truncated(undefined, `it ends ${where}`);
      }
      const done = Math.ceil(count / header.segmentLength);
      read += count;
      segments += done;
      written += count - done * SEGMENT_OVERHEAD;
      if (!decryptor.finished) return false;
      if (read === end) return true;
      throw tampered(undefined, `${end - read} bytes follow the last segment`);
    });
    if (header.signature !== null) await decryptor.verifyClosing(input.from(end));
  } catch (error) {
    await clear(target, written);
    throw error;
  }
  return result.subarray(0, written);
}

/** The header in memory of its own, as finding a key takes turns of the event loop. */
function copyHeader(input: BorrowedBytes): CallFileHeader {
  for (let length = FIRST_READ; ; ) {
    const bytes = input.from(0).slice(0, length);
    const { header, need } = parseHeader(bytes);
    if (header !== null) return header;
    if (need > input.length) throw headerEndsEarly(input.length, need);
    length = need;
  }
}

/** Of segments of that many bytes in all, if they are sound. */
function plaintextLength(segmentBytes: number, segmentLength: number): number {
  const full = Math.floor(segmentBytes / segmentLength);
  const rest = segmentBytes % segmentLength;
  return full * (segmentLength - SEGMENT_OVERHEAD) + Math.max(0, rest - SEGMENT_OVERHEAD);
}

function clear(target: BorrowedBytes, length: number): Promise<void> {
  let cleared = 0;
  return inTurns(() => {
    const end = Math.min(length, cleared + CLEARED_BYTES);
    target.clear(cleared, end);
    cleared = end;
    return cleared === length;
  });
}
