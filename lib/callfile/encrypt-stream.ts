/** Encrypts a stream, segment by segment. */

import type { Transform } from 'node:stream';
import { CallsealError } from '../errors.ts';

import type { NativeFloeEncryptor } from '../native/binding.ts';
import { native } from '../native/load.ts';
import type { Recipients } from '../recipients/recipients.ts';
import type { Signer } from '../signing/signer.ts';
import { assertOptions, assertRecipients, assertSegmentLength, assertSignal, assertSigner } from './arguments.ts';
import type { EncryptOptions } from './encrypt.ts';
import { DEFAULT_STREAM_SEGMENT_LENGTH, SEGMENT_OVERHEAD } from './format.ts';
import { PIECE_BYTES, type SegmentMachine, SegmentStream } from './segment-stream.ts';
import { newPrelude, templateOf } from './template.ts';

/**
 * A stream that encrypts what is written to it.
 *
 * A writer that dies loses at most the segment it had begun: choose a short `segmentLength`, such as 4096, for live
 * writing. A file whose stream was not ended is incomplete (`ERR_TRUNCATED`), and everybody sees it.
 *
 * @throws {CallsealError} `ERR_INVALID_ARGUMENT`. The stream fails with `ERR_ABORTED` or `ERR_CRYPTO`.
 *
 * @example
 * await pipeline(source, createEncryptStream({ recipients }), createWriteStream('call.callsre.sealed', { mode: 0o600 }));
 */
export function createEncryptStream(options: EncryptOptions): Transform {
  assertOptions(options);
  const { recipients, signer, segmentLength = DEFAULT_STREAM_SEGMENT_LENGTH, signal } = options;
  assertRecipients(recipients);
  assertSigner(signer);
  assertSegmentLength(segmentLength);
  assertSignal(signal);
  return new SegmentStream(new EncryptMachine(recipients, signer, segmentLength), segmentLength, signal);
}

const NO_BYTES = Buffer.alloc(0);
/** The time one native call may take: more than it ever needs. */
const UNLIMITED = 1_000_000;

class EncryptMachine implements SegmentMachine {
  readonly #recipients: Recipients;
  readonly #signer: Signer | undefined;
  readonly #segmentLength: number;
  #encryptor: NativeFloeEncryptor | null = null;
  /** What is ready to go out: the header, and the end of a signature. */
  readonly #ready: Uint8Array[] = [];
  /** Plaintext that does not fill a segment yet, or fills one that may be the last. */
  #held = NO_BYTES;
  #filled = 0;
  /** What has not been used of the chunk. */
  #rest: Uint8Array = NO_BYTES;
  #ended = false;
  #finished = false;
  /** The closing block is still to come. */
  #unsigned: boolean;

  constructor(recipients: Recipients, signer: Signer | undefined, segmentLength: number) {
    this.#recipients = recipients;
    this.#signer = signer;
    this.#segmentLength = segmentLength;
    this.#unsigned = signer !== undefined;
  }

  feed(chunk: Uint8Array): void {
    this.#rest = chunk;
  }

  end(): void {
    this.#ended = true;
  }

  next(): Uint8Array | Promise<void> | null {
    if (this.#encryptor === null) return this.#begin();
    const ready = this.#ready.shift();
    if (ready !== undefined) return ready;
    const capacity = this.#segmentLength - SEGMENT_OVERHEAD;
    const length = this.#filled + this.#rest.length;
    // A full segment is encrypted only when something follows it, as the last one is marked.
    if (length > capacity) {
      const count = Math.min(Math.ceil(length / capacity) - 1, Math.max(1, PIECE_BYTES / this.#segmentLength));
      return this.#encrypt(this.#encryptor, Math.floor(count) * capacity, false);
    }
    if (this.#ended && !this.#finished) return this.#encrypt(this.#encryptor, length, true);
    if (this.#finished && this.#unsigned) return this.#sign(this.#encryptor);
    this.#held.set(this.#rest, this.#filled);
    this.#filled = length;
    this.#rest = NO_BYTES;
    return null;
  }

  destroy(): void {
    this.#encryptor = null;
  }

  async #begin(): Promise<void> {
    const template = templateOf(this.#recipients, this.#signer);
    const { header, encryptor } = await template.start(newPrelude(this.#signer), this.#segmentLength);
    native().keepFreedMemory();
    this.#ready.push(header, encryptor.header);
    this.#held = Buffer.allocUnsafeSlow(encryptor.plaintextLength);
    this.#encryptor = encryptor;
  }

  async #sign(encryptor: NativeFloeEncryptor): Promise<void> {
    this.#unsigned = false;
    this.#ready.push(await encryptor.closing());
  }

  /** Makes segments of what is held and of what follows it in the chunk. */
  #encrypt(encryptor: NativeFloeEncryptor, length: number, last: boolean): Uint8Array {
    const segments = Math.max(1, Math.ceil(length / (this.#segmentLength - SEGMENT_OVERHEAD)));
    const piece = Buffer.allocUnsafeSlow(length + segments * SEGMENT_OVERHEAD);
    const used = length - this.#filled;
    const held = this.#held.subarray(0, this.#filled);
    const written = encryptor.encrypt(held, this.#rest.subarray(0, used), last, piece, 1, UNLIMITED);
    // The piece's memory is not cleared: nothing of it may go out that was not written.
    if (written !== piece.length)
      throw new CallsealError('ERR_CRYPTO', 'a piece of the stream was not encrypted whole');
    this.#rest = this.#rest.subarray(used);
    this.#filled = 0;
    this.#finished = last;
    return piece;
  }
}
