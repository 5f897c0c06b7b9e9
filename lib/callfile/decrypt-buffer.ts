/** Decrypts whole buffers. */

import type { NativeFloeDecryptor } from '../native/binding.ts';
import type { FileSigner } from '../signing/info.ts';
import {
  assertBoolean,
  assertKeyRing,
  assertOptions,
  assertRequiredSigner,
  assertSignal,
  assertThreads,
} from './arguments.ts';
import { bodyEnd, closingLength, judgeEnd, lastSegment, segmentsStart } from './body-end.ts';
import { BorrowedBytes } from './borrowed-bytes.ts';
import type { DecryptOptions, RecoveryOptions } from './decrypt.ts';
import type { BufferOptions } from './encrypt-buffer.ts';
import { isTampered, tampered, truncated } from './faults.ts';
import { MARK_BYTES, SEGMENT_OVERHEAD } from './format.ts';
import { type CallFileHeader, headerEndsEarly, parseHeader } from './header.ts';
import { throwIfAborted } from './job.ts';
import { newBytes } from './new-bytes.ts';
import { openBody } from './open.ts';
import { FIRST_READ } from './read-header.ts';
import type { Extent, Loss } from './recovery.ts';
import { signerAfter } from './signed-by.ts';
import { inTurns } from './turns.ts';

const NO_BYTES = new Uint8Array(0);
/** What is cleared at once. */
const CLEARED_BYTES = 1 << 20;

/** Options of {@link decrypt}. */
export interface DecryptBufferOptions extends DecryptOptions, BufferOptions {}

/** What {@link decrypt} makes of a file with `recover`. */
export interface RecoveredBytes extends Extent {
  /** All of it when {@link complete}, else its beginning. */
  plaintext: Uint8Array;
  /** Who signed the file; null when nobody did. */
  signer: FileSigner | null;
}

/**
 * Decrypts a whole call file in memory. The key is opened on a pool thread; the bytes are then decrypted where they lie,
 * two or three milliseconds at a time, between which the event loop turns.
 *
 * With `output`, use what is in it only when the promise has resolved: until then the file may yet turn out to be altered or
 * incomplete, and then everything written there is cleared before the promise rejects.
 *
 * With `recover: true` it resolves to a {@link RecoveredBytes}, also when the file is cut or damaged behind its header.
 *
 * @param bytes Must stay as they are until the promise settles, and must not be shared memory.
 * @throws {CallsealError} What {@link decryptFile} throws, except for what concerns files; `ERR_INVALID_ARGUMENT` also when
 *   `bytes` or `output` is transferred or resized meanwhile. Plaintext in an `output` that was transferred is not cleared.
 *
 * @example
 * const transcript = await decrypt(sealed, { keys: KeyRing.of(privateKey) });
 */
export function decrypt(bytes: Uint8Array, options: DecryptBufferOptions & { recover: true }): Promise<RecoveredBytes>;
export function decrypt(bytes: Uint8Array, options: DecryptBufferOptions & { recover?: false }): Promise<Uint8Array>;
export async function decrypt(
  bytes: Uint8Array,
  options: DecryptBufferOptions & RecoveryOptions,
): Promise<Uint8Array | RecoveredBytes> {
  const input = new BorrowedBytes(bytes, 'bytes');
  assertOptions(options);
  const { keys, requireSigner, output, threads = 1, recover = false, signal } = options;
  assertKeyRing(keys);
  assertRequiredSigner(requireSigner);
  assertThreads(threads);
  assertBoolean(recover, 'recover');
  assertSignal(signal);
  throwIfAborted(signal);
  const given = output === undefined ? null : new BorrowedBytes(output, 'output');
  const header = copyHeader(input);
  const start = segmentsStart(header);
  const end = recover && !isWhole(header, input) ? input.length : bodyEnd(header, input.length);
  const length = plaintextLength(end - start, header.segmentLength);
  given?.assertTakes(length, input);

  const { decryptor, signature } = await openBody(header, keys, requireSigner);
  throwIfAborted(signal);
  const result = output ?? newBytes(length);
  const target = given ?? new BorrowedBytes(result, 'output');
  const body = { decryptor, input, start, end, segmentLength: header.segmentLength, closing: closingLength(header) };
  const { written, loss } = await decryptBody(body, target, { threads, recover, signal });
  // Memory of ours may hold old bytes behind it.
  if (given === null) result.fill(0, written);
  const plaintext = result.subarray(0, written);
  return recover ? { plaintext, complete: loss === null, loss, signer: signerAfter(signature, loss) } : plaintext;
}

/** Whether it ends as a whole file does, as far as can be seen. */
function isWhole(header: CallFileHeader, input: BorrowedBytes): boolean {
  const { offset, length } = lastSegment(header, input.length);
  const mark = input.from(offset).subarray(0, Math.min(length, MARK_BYTES));
  return judgeEnd(header.segmentLength, length, mark).state === 'complete';
}

interface Body {
  decryptor: NativeFloeDecryptor;
  input: BorrowedBytes;
  /** Where the first segment begins. */
  start: number;
  /** Where the last one ends at the latest. */
  end: number;
  segmentLength: number;
  /** Bytes that follow the last segment; 0 unless the file is signed. */
  closing: number;
}

/** All segments, or as many as there are to recover. `target` is cleared when that fails. */
async function decryptBody(
  { decryptor, input, start, end, segmentLength, closing }: Body,
  target: BorrowedBytes,
  { threads, recover, signal }: { threads: number; recover: boolean; signal: AbortSignal | undefined },
): Promise<{ written: number; loss: Loss | null }> {
  let read = start;
  let segments = 0;
  let written = 0;
  let loss: Loss | null = null;
  /** What ends the work: an error, unless it is to be recovered from. */
  const lose = (reason: Loss['reason'], error: unknown, signatureOnly = false): true => {
    if (!recover) throw error;
    const lost = { reason, segment: segments, offset: read, bytes: input.length - read };
    loss = signatureOnly ? { ...lost, signatureOnly } : lost;
    return true;
  };
  const step = (microseconds: number): boolean => {
    throwIfAborted(signal);
    const left = input.from(read).subarray(0, end - read);
    const count = decryptor.decrypt(NO_BYTES, left, target.from(written), threads, microseconds);
    if (count === 0) {
      const where = read === end ? `before segment ${segments}` : `inside segment ${segments}`;
      return lose('truncated', truncated(undefined, `it ends ${where}`));
    }
    const done = Math.ceil(count / segmentLength);
    read += count;
    segments += done;
    written += count - done * SEGMENT_OVERHEAD;
    return decryptor.finished;
  };
  /** What follows the last segment. */
  const finish = async (): Promise<void> => {
    const left = input.length - read - closing;
    if (left < 0) lose('truncated', truncated(undefined, 'it ends inside the signature of its writer'), true);
    else if (closing > 0 && (left === 0 || recover)) {
      await decryptor.verifyClosing(input.from(read).subarray(0, closing));
      read += closing;
    }
    if (left > 0) lose('trailing', tampered(undefined, `${left} bytes follow the last segment`));
  };
  try {
    await inTurns((microseconds) => {
      try {
        return step(microseconds);
      } catch (error) {
        if (isTampered(error)) return lose('damaged', error);
        throw error;
      }
    });
    if (decryptor.finished) await finish();
  } catch (error) {
    await clear(target, written);
    throw error;
  }
  return { written, loss };
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
