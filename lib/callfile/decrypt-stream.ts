/** Decrypts a stream, segment by segment. */

import type { Transform } from 'node:stream';

import type { CallsealError } from '../errors.ts';
import type { NativeFloeDecryptor } from '../native/binding.ts';
import { native } from '../native/load.ts';
import type { KeyRing } from '../recipients/keyring.ts';
import type { FileSigner } from '../signing/info.ts';
import type { SignerCertificates } from '../signing/signer-certificates.ts';
import { assertBoolean, assertKeyRing, assertOptions, assertRequiredSigner, assertSignal } from './arguments.ts';
import { closingLength, lengthByMark, segmentsStart } from './body-end.ts';
import type { DecryptOptions, RecoveryOptions } from './decrypt.ts';
import { isTampered, tampered, truncated } from './faults.ts';
import { CLOSING_MARK, DEFAULT_STREAM_SEGMENT_LENGTH, MARK_BYTES, SEGMENT_OVERHEAD } from './format.ts';
import { type CallFileHeader, headerEndsEarly, parseHeader } from './header.ts';
import { openBody } from './open.ts';
import type { Extent, Loss } from './recovery.ts';
import { PIECE_BYTES, type SegmentMachine, SegmentStream } from './segment-stream.ts';
import { type CheckedSignature, signerAfter } from './signed-by.ts';

/** A stream that {@link createDecryptStream} makes. */
export interface DecryptStream extends Transform, Extent {
  /** True once the last segment has come, and nothing after it that does not belong there: look at it when the stream has ended. */
  readonly complete: boolean;
  /** Null until the stream has ended, and then unless something was lost. */
  readonly loss: Loss | null;
  /** Who signed the file; null when nobody did, and until the stream has ended. */
  readonly signer: FileSigner | null;
}

/**
 * A stream that decrypts a call file written to it.
 *
 * Every byte that comes out has been authenticated, in its place. Whether the file is complete is known only at its
 * end: what came out before an error is a prefix of the plaintext, so act on it only when the stream has ended well. With
 * `requireSigner`, nothing comes out of a file that none of them began; that all of it is theirs is known at the end.
 *
 * With `recover` a file that is cut or damaged behind its header ends the stream well, too; `complete` and `loss` then say
 * what became of it.
 *
 * @throws {CallsealError} `ERR_INVALID_ARGUMENT`. The stream fails with what {@link decryptFile} throws, except for
 *   what concerns files.
 *
 * @example
 * await pipeline(createReadStream('call.callsre.sealed'), createDecryptStream({ keys }), player);
 */
export function createDecryptStream(options: DecryptOptions & RecoveryOptions): DecryptStream {
  assertOptions(options);
  const { keys, requireSigner, recover = false, signal } = options;
  assertKeyRing(keys);
  assertRequiredSigner(requireSigner);
  assertBoolean(recover, 'recover');
  assertSignal(signal);
  return new CallFileDecryptStream(new DecryptMachine(keys, requireSigner, recover), signal);
}

class CallFileDecryptStream extends SegmentStream implements DecryptStream {
  readonly #decrypting: DecryptMachine;

  constructor(machine: DecryptMachine, signal: AbortSignal | undefined) {
    super(machine, DEFAULT_STREAM_SEGMENT_LENGTH, signal);
    this.#decrypting = machine;
  }

  get complete(): boolean {
    return this.#decrypting.complete;
  }

  get loss(): Loss | null {
    return this.#decrypting.loss;
  }

  get signer(): FileSigner | null {
    return this.#decrypting.signer;
  }
}

const NO_BYTES = Buffer.alloc(0);
/** The time one native call may take: more than it ever needs. */
const UNLIMITED = 1_000_000;

class DecryptMachine implements SegmentMachine {
  readonly #keys: KeyRing;
  readonly #requireSigner: SignerCertificates | undefined;
  readonly #recover: boolean;
  /** As much of the header as is known to be needed; the first `#filled` bytes are there. */
  #head = new Uint8Array(parseHeader(new Uint8Array(0)).need);
  #decryptor: NativeFloeDecryptor | null = null;
  #segmentLength = 0;
  /** The beginning of a segment that is not there in full. */
  #held = NO_BYTES;
  #filled = 0;
  /** What has not been used of the chunk. */
  #rest: Uint8Array = NO_BYTES;
  #index = 0;
  /** Where in the file the next segment begins. */
  #offset = 0;
  #signature: CheckedSignature | null = null;
  /** Bytes of the block that follows the last segment; 0 for a file without a signature, and once it was verified. */
  #closingBytes = 0;
  /** What could not be used; `bytes` of it grow with every chunk. */
  #lost: Loss | null = null;
  #ended = false;
  #destroyed = false;
  complete = false;

  constructor(keys: KeyRing, requireSigner: SignerCertificates | undefined, recover: boolean) {
    this.#keys = keys;
    this.#requireSigner = requireSigner;
    this.#recover = recover;
  }

  get loss(): Loss | null {
    return this.#ended ? this.#lost : null;
  }

  get signer(): FileSigner | null {
    return this.complete || this.loss !== null ? signerAfter(this.#signature, this.#lost) : null;
  }

  feed(chunk: Uint8Array): void {
    this.#rest = chunk;
  }

  end(): void {
    this.#ended = true;
  }

  next(): Uint8Array | Promise<void> | null {
    if (this.#decryptor === null) {
      const header = this.#readHeader();
      return header === null ? null : this.#open(header);
    }
    if (this.#lost !== null) return this.#skip(this.#lost);
    if (this.#decryptor.finished && this.#closingBytes > 0) return this.#close(this.#decryptor);
    if (this.#rest.length === 0) {
      if (!this.#ended) return null;
      if (!this.#decryptor.finished)
        return this.#lose(this.#meetsClosing() ? 'damaged' : 'truncated', this.#endsEarly());
      this.complete = true;
      return null;
    }
    if (this.#decryptor.finished) {
      return this.#lose('trailing', tampered(undefined, 'bytes follow the end of the file'));
    }
    try {
      return this.#nextSegments(this.#decryptor);
    } catch (error) {
      if (isTampered(error)) return this.#lose('damaged', error);
      throw error;
    }
  }

  #nextSegments(decryptor: NativeFloeDecryptor): Uint8Array | null {
    const length = this.#filled + this.#rest.length;
    // The closing block in the place of a segment is the end of a file that lacks some, unless more follows.
    const closes = length <= this.#closingBytes && this.#meetsClosing();
    const needed = closes ? Number.POSITIVE_INFINITY : length < MARK_BYTES ? MARK_BYTES : this.#nextLength();
    if (length >= needed) return this.#decrypt(decryptor, length, needed);
    this.#held.set(this.#rest, this.#filled);
    this.#filled = length;
    this.#rest = NO_BYTES;
    return null;
  }

  /** The file gives nothing any more: an error, unless that is to be recovered from. */
  #lose(reason: Loss['reason'], error: unknown, signatureOnly = false): null {
    if (!this.#recover) throw error;
    this.#lost = { reason, segment: this.#index, offset: this.#offset, bytes: this.#filled };
    if (signatureOnly) this.#lost.signatureOnly = true;
    return this.#skip(this.#lost);
  }

  #skip(lost: Loss): null {
    lost.bytes += this.#rest.length;
    this.#rest = NO_BYTES;
    return null;
  }

  destroy(): void {
    this.#destroyed = true;
    this.#decryptor = null;
  }

  /** Takes from the chunk what the header needs; null when that is not enough. */
  #readHeader(): CallFileHeader | null {
    for (;;) {
      const used = Math.min(this.#head.length - this.#filled, this.#rest.length);
      this.#head.set(this.#rest.subarray(0, used), this.#filled);
      this.#filled += used;
      this.#rest = this.#rest.subarray(used);
      if (this.#filled < this.#head.length) {
        if (this.#ended) throw this.#headerEndsEarly();
        return null;
      }
      const { header, need } = parseHeader(this.#head);
      if (header !== null) return header;
      const longer = new Uint8Array(need);
      longer.set(this.#head);
      this.#head = longer;
    }
  }

  #headerEndsEarly(): CallsealError {
    // What is there may be less than the next step needs, and still show that this is no call file.
    const { need } = parseHeader(this.#head.subarray(0, this.#filled));
    return headerEndsEarly(this.#filled, need);
  }

  async #open(header: CallFileHeader): Promise<void> {
    const { decryptor, signature } = await openBody(header, this.#keys, this.#requireSigner);
    if (this.#destroyed) return;
    this.#decryptor = decryptor;
    this.#signature = signature;
    this.#closingBytes = closingLength(header);
    native().keepFreedMemory();
    this.#segmentLength = header.segmentLength;
    this.#offset = segmentsStart(header);
    this.#held = Buffer.allocUnsafeSlow(Math.max(header.segmentLength, this.#closingBytes));
    this.#filled = 0;
  }

  /** Collects the closing block, and verifies it once it is there. */
  #close(decryptor: NativeFloeDecryptor): Promise<void> | null {
    const used = Math.min(this.#closingBytes - this.#filled, this.#rest.length);
    this.#held.set(this.#rest.subarray(0, used), this.#filled);
    this.#filled += used;
    this.#rest = this.#rest.subarray(used);
    if (this.#filled < this.#closingBytes) {
      if (!this.#ended) return null;
      return this.#lose('truncated', truncated(undefined, 'it ends inside the signature of its writer'), true);
    }
    const block = this.#held.subarray(0, this.#closingBytes);
    this.#offset += this.#closingBytes;
    this.#closingBytes = 0;
    this.#filled = 0;
    return decryptor.verifyClosing(block);
  }

  /** Of the segment that is not there in full, or else of the chunk. */
  #byteAt(index: number): number | undefined {
    return index < this.#filled ? this.#held[index] : this.#rest[index - this.#filled];
  }

  /** Whether the closing block of a signed file begins where the next segment is to. */
  #meetsClosing(): boolean {
    return this.#closingBytes > 0 && CLOSING_MARK.every((byte, index) => this.#byteAt(index) === byte);
  }

  /** What the mark of the next segment says. */
  #nextLength(): number {
    let mark = 0;
    for (let index = 0; index < MARK_BYTES; index++) mark = mark * 256 + (this.#byteAt(index) as number);
    const length = lengthByMark(mark, this.#segmentLength);
    if (length !== null) return length;
    throw tampered(undefined, `segment ${this.#index} claims ${mark} bytes, which no segment can have`);
  }

  /** The plaintext of the next segment, of `needed` bytes, and of some that follow if there are any among `length`. */
  #decrypt(decryptor: NativeFloeDecryptor, length: number, needed: number): Uint8Array {
    const count = Math.floor(Math.min(length / needed, Math.max(1, PIECE_BYTES / needed)));
    const piece = Buffer.allocUnsafeSlow(count * (needed - SEGMENT_OVERHEAD));
    const input = this.#rest.subarray(0, count * needed - this.#filled);
    const read = decryptor.decrypt(this.#held.subarray(0, this.#filled), input, piece, 1, UNLIMITED);
    const segments = Math.ceil(read / needed);
    this.#rest = this.#rest.subarray(read - this.#filled);
    this.#filled = 0;
    this.#index += segments;
    this.#offset += read;
    return piece.subarray(0, read - segments * SEGMENT_OVERHEAD);
  }

  #endsEarly(): CallsealError {
    if (this.#meetsClosing()) {
      return truncated(undefined, `the signature of its writer follows where segment ${this.#index} should`);
    }
    const where = this.#filled === 0 ? `before segment ${this.#index}` : `inside segment ${this.#index}`;
    return truncated(undefined, `it ends ${where}`);
  }
}
