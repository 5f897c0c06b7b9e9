/** A caller's bytes, used in several turns of the event loop, between which scripts may do with them what they like. */

import { isSharedArrayBuffer } from 'node:util/types';

import { CallsealError } from '../errors.ts';
import { assertBytes } from './arguments.ts';

export class BorrowedBytes {
  /** Of fixed length, also where the caller's array follows a resizable buffer; empty once it does not fit any more. */
  readonly #view: Uint8Array;
  readonly #buffer: ArrayBufferLike;
  readonly #offset: number;
  readonly #name: string;
  readonly length: number;

  /**
   * @param name For messages.
   * @throws {CallsealError} `ERR_INVALID_ARGUMENT`: no Uint8Array, shared memory, or detached.
   */
  constructor(value: unknown, name: string) {
    assertBytes(value, name);
    this.#name = name;
    this.length = value.length;
    this.#buffer = value.buffer;
    this.#offset = value.byteOffset;
    if (isSharedArrayBuffer(this.#buffer)) throw this.#wrong('must not be shared memory');
    try {
      this.#view = new Uint8Array(this.#buffer, this.#offset, this.length);
    } catch {
      throw this.#wrong('was transferred: its bytes are elsewhere');
    }
  }

  /**
   * The bytes from `offset`, for use in this turn only.
   *
   * @throws {CallsealError} `ERR_INVALID_ARGUMENT` when they are gone.
   */
  from(offset: number): Uint8Array {
    try {
      if (this.#view.length === this.length) return this.#view.subarray(offset);
    } catch {
      // No bytes of a buffer that was transferred: as long as before, and gone all the same.
    }
    throw this.#wrong('was transferred or resized while it was worked on');
  }

  /** Overwrites a range with zero bytes, as much of it as is still there. */
  clear(start: number, end: number): void {
    const rest = Math.min(end, this.#buffer.byteLength - this.#offset) - start;
    if (rest > 0) new Uint8Array(this.#buffer, this.#offset + start, rest).fill(0);
  }

  /** Whether both have bytes in common. */
  overlaps(other: BorrowedBytes): boolean {
    const [mine, its] = [this.#view, other.#view];
    return (
      mine.buffer === its.buffer &&
      mine.byteOffset < its.byteOffset + its.length &&
      its.byteOffset < mine.byteOffset + mine.length
    );
  }

  /** @throws {CallsealError} `ERR_INVALID_ARGUMENT` unless `length` bytes can be written here while `input` is read. */
  assertTakes(length: number, input: BorrowedBytes): void {
    if (this.length < length) throw this.#wrong(`has ${this.length} bytes, and ${length} are needed`);
    if (this.overlaps(input)) throw this.#wrong('must not overlap the input');
  }

  #wrong(what: string): CallsealError {
    return new CallsealError('ERR_INVALID_ARGUMENT', `${this.#name} ${what}`);
  }
}
