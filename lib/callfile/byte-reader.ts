/** Reads integers and byte strings one after the other and never past the end it was given. */

import type { CallsealError } from '../errors.ts';
import { malformed } from './faults.ts';

/**
 * A cursor over one section of a file. Running past the section's end is a broken rule (`ERR_TAMPERED`), as a caller
 * makes the reader only once it holds the whole section.
 */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #base: number;
  readonly #path: string | undefined;
  #position = 0;

  /** `base` is the offset in the file of the first of `bytes`, for messages. */
  constructor(bytes: Uint8Array, base: number, path: string | undefined) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#base = base;
    this.#path = path;
  }

  /** Offset in the file of the next byte. */
  get offset(): number {
    return this.#base + this.#position;
  }

  get remaining(): number {
    return this.#bytes.length - this.#position;
  }

  get path(): string | undefined {
    return this.#path;
  }

  u8(what: string): number {
    return this.#view.getUint8(this.#advance(1, what));
  }

  u16(what: string): number {
    return this.#view.getUint16(this.#advance(2, what));
  }

  u32(what: string): number {
    return this.#view.getUint32(this.#advance(4, what));
  }

  /** Exact up to 2^53, further than any field may go; what is above is rounded, and stays above. */
  u64(what: string): number {
    const at = this.#advance(8, what);
    return this.#view.getUint32(at) * 2 ** 32 + this.#view.getUint32(at + 4);
  }

  /** The same for two's complement. */
  i64(what: string): number {
    const at = this.#advance(8, what);
    return this.#view.getInt32(at) * 2 ** 32 + this.#view.getUint32(at + 4);
  }

  /** A view of the next `length` bytes, not a copy. */
  take(length: number, what: string): Uint8Array {
    const start = this.#advance(length, what);
    return this.#bytes.subarray(start, start + length);
  }

  /** The error for a broken rule at `offset`, by default at the next byte. */
  fault(what: string, offset: number = this.offset): CallsealError {
    return malformed(this.#path, offset, what);
  }

  #advance(length: number, what: string): number {
    if (length > this.remaining) throw this.fault(`${what} runs past the end of its section`);
    const start = this.#position;
    this.#position += length;
    return start;
  }
}
