/** Encrypts whole buffers. */

import { CallsealError } from '../errors.ts';
import type { NativeFloeEncryptor } from '../native/binding.ts';
import {
  assertOptions,
  assertRecipients,
  assertSegmentLength,
  assertSignal,
  assertSigner,
  assertThreads,
} from './arguments.ts';
import { BorrowedBytes } from './borrowed-bytes.ts';
import type { EncryptOptions } from './encrypt.ts';
import { DEFAULT_SEGMENT_LENGTH, FLOE_HEADER_BYTES, SEGMENT_OVERHEAD } from './format.ts';
import { throwIfAborted } from './job.ts';
import { newBytes } from './new-bytes.ts';
import { closingBytesOf, headerBytesOf, newPrelude, templateOf } from './template.ts';
import { inTurns } from './turns.ts';

const NO_BYTES = new Uint8Array(0);
/**
 * From here on keys are wrapped while the body is encrypted: that hides the trip to a pool thread and back, a tenth of
 * the time of 64 MiB, and costs the event loop microseconds, which many small calls at once would feel.
 */
const AHEAD_BYTES = 1 << 20;

/** Where the result of an operation on a buffer goes, and how many threads work on it. */
export interface BufferOptions {
  /**
   * Where to write, long enough; the result is a part of it. Saves the time a new buffer takes, which for a large one is
   * more than encryption takes. Must not overlap the input. Default: a new one.
   */
  output?: Uint8Array | undefined;
  /** How many threads may work on it at once, 1 to 64; more than there are cores make no difference. Default 1. */
  threads?: number | undefined;
}

/** Options of {@link encrypt}. */
export interface EncryptBufferOptions extends EncryptOptions, BufferOptions {}

/**
 * Encrypts bytes in memory. Keys are wrapped on a pool thread; the bytes are encrypted where they lie, two or three
 * milliseconds at a time, between which the event loop turns.
 *
 * @param bytes Must stay as they are until the promise settles, and must not be shared memory.
 * @returns A whole call file, {@link encryptedLength} bytes.
 * @throws {CallsealError} `ERR_INVALID_ARGUMENT`, also when `bytes` or `output` is transferred or resized meanwhile;
 *   `ERR_ABORTED`, `ERR_CRYPTO`. What `output` then holds is no plaintext, and no call file.
 *
 * @example
 * const sealed = await encrypt(Buffer.from('transcript'), { recipients });
 */
export async function encrypt(bytes: Uint8Array, options: EncryptBufferOptions): Promise<Uint8Array> {
  const input = new BorrowedBytes(bytes, 'bytes');
  const length = encryptedLength(input.length, options);
  const { recipients, signer, segmentLength = DEFAULT_SEGMENT_LENGTH, output, threads = 1, signal } = options;
  assertThreads(threads);
  assertSignal(signal);
  throwIfAborted(signal);
  const given = output === undefined ? null : new BorrowedBytes(output, 'output');
  given?.assertTakes(length, input);

  const { header, encryptor } = await start(options, segmentLength, input.length);
  const result = output ?? newBytes(length);
  const target = given ?? new BorrowedBytes(result, 'output');
  const bodyStart = headerBytesOf(recipients, signer) + FLOE_HEADER_BYTES;
  const bodyEnd = length - closingBytesOf(signer);
  let read = 0;
  let written = bodyStart;
  await inTurns((microseconds) => {
    throwIfAborted(signal);
    const count = encryptor.encrypt(NO_BYTES, input.from(read), true, target.from(written), threads, microseconds);
    written += count;
    read += count - Math.ceil(count / segmentLength) * SEGMENT_OVERHEAD;
    return written === bodyEnd;
  });
  const wrapped = await header;
  const closing = signer === undefined ? NO_BYTES : await encryptor.closing();
  throwIfAborted(signal);
  target.from(0).set(wrapped);
  target.from(wrapped.length).set(encryptor.header);
  target.from(bodyEnd).set(closing);
  return result.subarray(0, length);
}

/** Keys, and a header that may still be on its way. */
async function start(
  { recipients, signer }: EncryptOptions,
  segmentLength: number,
  length: number,
): Promise<{ header: Uint8Array | Promise<Uint8Array>; encryptor: NativeFloeEncryptor }> {
  const template = templateOf(recipients, signer);
  if (length < AHEAD_BYTES) return template.start(newPrelude(signer), segmentLength);
  const started = template.startAhead(newPrelude(signer), segmentLength);
  // Its failure is met where it is awaited, unless the body has failed before.
  started.header.catch(() => {});
  return started;
}

/**
 * The exact length of what {@link encrypt}, {@link encryptFile} and the streams make of so many bytes.
 *
 * @throws {CallsealError} `ERR_INVALID_ARGUMENT`.
 *
 * @example
 * const output = new Uint8Array(encryptedLength(bytes.length, { recipients }));
 * await encrypt(bytes, { recipients, output });
 */
export function encryptedLength(
  plaintextBytes: number,
  options: Pick<EncryptOptions, 'recipients' | 'signer' | 'segmentLength'>,
): number {
  assertOptions(options);
  const { recipients, signer, segmentLength = DEFAULT_SEGMENT_LENGTH } = options;
  assertRecipients(recipients);
  assertSigner(signer);
  assertSegmentLength(segmentLength);
  if (!Number.isSafeInteger(plaintextBytes) || plaintextBytes < 0) {
    const message = `plaintextBytes must be a number of bytes, not ${plaintextBytes}`;
    throw new CallsealError('ERR_INVALID_ARGUMENT', message);
  }
  const segments = Math.max(1, Math.ceil(plaintextBytes / (segmentLength - SEGMENT_OVERHEAD)));
  const around = headerBytesOf(recipients, signer) + FLOE_HEADER_BYTES + closingBytesOf(signer);
  return around + plaintextBytes + segments * SEGMENT_OVERHEAD;
}
