/** Decrypts a stream, segment by segment. */

import type { Transform } from 'node:stream';

import type { NativeFloeDecryptor } from '../native/binding.ts';
import { native } from '../native/load.ts';
import type { KeyRing } from '../recipients/keyring.ts';
import { assertKeyRing, assertOptions, assertSignal } from './arguments.ts';
import type { DecryptOptions } from './decrypt.ts';
import { tampered, truncated } from './faults.ts';
import { CONTINUED_MARK, DEFAULT_STREAM_SEGMENT_LENGTH, MARK_BYTES, SEGMENT_OVERHEAD } from './format.ts';
import { type CallFileHeader, headerEndsEarly, parseHeader } from './header.ts';
import { openHeader } from './open.ts';
import { type Emit, type SegmentMachine, SegmentStream } from './segment-stream.ts';

/**
 * A stream that decrypts a call file written to it.
 *
 * Every byte that comes out has been authenticated, in its place. Whether the file is complete is known only at its
 * end: what came out before an error is a prefix of the plaintext, so act on it only when the stream has ended well.
 *
 * @throws {CallsealError} `ERR_INVALID_ARGUMENT`. The stream fails with what {@link decryptFile} throws, except for
 *   what concerns files.
 *
 * @example
 * await pipeline(createReadStream('call.callsre.sealed'), createDecryptStream({ keys }), player);
 */
export function createDecryptStream(options: DecryptOptions): Transform {
  assertOptions(options);
  const { keys, signal } = options;
  assertKeyRing(keys);
  assertSignal(signal);
  return new SegmentStream(new DecryptMachine(keys), DEFAULT_STREAM_SEGMENT_LENGTH, signal);
}

class DecryptMachine implements SegmentMachine {
  readonly #keys: KeyRing;
  /** As much of the header as is known to be needed; the first `#filled` bytes are there. */
  #head = new Uint8Array(parseHeader(new Uint8Array(0)).need);
  #decryptor: NativeFloeDecryptor | null = null;
  /** The beginning of a segment that is not there in full. */
  #held = new Uint8Array(0);
  #filled = 0;
  #index = 0;
  #finished = false;
  #destroyed = false;

  constructor(keys: KeyRing) {
    this.#keys = keys;
  }

  async write(chunk: Uint8Array, emit: Emit): Promise<void> {
    let rest = this.#decryptor === null ? await this.#readHeader(chunk) : chunk;
    while (rest.length > 0 && this.#decryptor !== null) {
      if (this.#finished) throw tampered(undefined, 'bytes follow the last segment');
      const length = this.#segmentLength(rest);
      const { segment, used } = this.#take(rest, length ?? MARK_BYTES);
      rest = rest.subarray(used);
      if (length === null || segment === null) return;
      const wait = emit(this.#decrypt(this.#decryptor, segment));
      if (wait !== undefined) await wait;
    }
  }

  async end(): Promise<void> {
    if (this.#decryptor === null) {
      // What is there may be less than the next step needs, and still show that this is no call file.
      const { need } = parseHeader(this.#head.subarray(0, this.#filled));
      throw headerEndsEarly(this.#filled, need);
    }
    if (this.#finished) return;
    const where = this.#filled === 0 ? `before segment ${this.#index}` : `inside segment ${this.#index}`;
    throw truncated(undefined, `it ends ${where}`);
  }

  destroy(): void {
    this.#destroyed = true;
    this.#decryptor = null;
  }

  /** Takes from `chunk` what the header needs; returns the rest of it. */
  async #readHeader(chunk: Uint8Array): Promise<Uint8Array> {
    let rest = chunk;
    for (;;) {
      const used = Math.min(this.#head.length - this.#filled, rest.length);
      this.#head.set(rest.subarray(0, used), this.#filled);
      this.#filled += used;
      rest = rest.subarray(used);
      if (this.#filled < this.#head.length) return rest;
      const { header, need } = parseHeader(this.#head);
      if (header !== null) {
        await this.#open(header);
        return rest;
      }
      const longer = new Uint8Array(need);
      longer.set(this.#head);
      this.#head = longer;
    }
  }

  async #open(header: CallFileHeader): Promise<void> {
    const bodyKey = await openHeader(header, this.#keys);
    try {
      if (this.#destroyed) return;
      this.#decryptor = new (native().FloeDecryptor)(bodyKey, header.preludeBytes, header.floeHeader);
    } finally {
      bodyKey.destroy();
    }
    this.#held = new Uint8Array(header.segmentLength);
    this.#filled = 0;
  }

  /** What the mark of the next segment says; null when the mark is not there in full. */
  #segmentLength(chunk: Uint8Array): number | null {
    if (this.#filled + chunk.length < MARK_BYTES) return null;
    let mark = 0;
    for (let index = 0; index < MARK_BYTES; index++) {
      const byte = index < this.#filled ? this.#held[index] : chunk[index - this.#filled];
      mark = mark * 256 + (byte as number);
    }
    if (mark === CONTINUED_MARK) return this.#held.length;
    if (mark >= SEGMENT_OVERHEAD && mark <= this.#held.length) return mark;
    throw tampered(undefined, `segment ${this.#index} claims ${mark} bytes, which no segment can have`);
  }

  /** The next `length` bytes, once they are there: a view of `chunk` where it has them all, else what is gathered. */
  #take(chunk: Uint8Array, length: number): { segment: Uint8Array | null; used: number } {
    if (this.#filled === 0 && chunk.length >= length) return { segment: chunk.subarray(0, length), used: length };
    const used = Math.min(length - this.#filled, chunk.length);
    this.#held.set(chunk.subarray(0, used), this.#filled);
    this.#filled += used;
    if (this.#filled < length) return { segment: null, used };
    this.#filled = 0;
    return { segment: this.#held.subarray(0, length), used };
  }

  #decrypt(decryptor: NativeFloeDecryptor, segment: Uint8Array): Uint8Array {
    const final = new DataView(segment.buffer, segment.byteOffset).getUint32(0) !== CONTINUED_MARK;
    const plaintext = decryptor.decryptSegment(segment, final);
    this.#index++;
    this.#finished = final;
    return plaintext;
  }
}
