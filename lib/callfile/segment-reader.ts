/**
 * Segments of one open file, decrypted by number.
 *
 * What was decrypted last is kept, so that many small reads decrypt a segment once; it is overwritten when it has to go.
 * Plaintext is copied in the turn of the event loop in which it is found here, so that no reader ever holds what
 * another's reading drives out.
 */

import type { BigIntStats } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { CallsealError } from '../errors.ts';
import type { NativeFloeDecryptor } from '../native/binding.ts';
import { readAt } from '../recipients/regular-file.ts';
import type { BorrowedBytes } from './borrowed-bytes.ts';
import { SEGMENT_OVERHEAD } from './format.ts';
import { withPath } from './job.ts';

/** Plaintext that is kept: so much, and one segment in any case. */
const KEPT_BYTES = 1 << 20;
/** Encrypted bytes that are read at once when they are wanted. */
const RUN_BYTES = 1 << 18;

/** An open file, as it was then. */
export interface OpenFile {
  path: string;
  handle: FileHandle;
  stats: BigIntStats;
}

/** Where segments lie. */
export interface SegmentLayout {
  /** Of the first, in the file. */
  start: number;
  /** Of all but the last. */
  segmentLength: number;
  /** How many can be read. */
  count: number;
  /** Encrypted bytes of the last of them; `segmentLength` when it is not the message's last. */
  lastLength: number;
  /** Whether the last of them is the message's last. */
  final: boolean;
}

/** What one reader wants, and how much of it has been copied. */
interface Wanted {
  target: BorrowedBytes;
  length: number;
  position: number;
  done: number;
}

export class SegmentReader {
  /** Plaintext bytes of all segments. */
  readonly size: number;
  /** Plaintext bytes of a full segment. */
  readonly plaintextLength: number;
  readonly #file: OpenFile;
  readonly #decryptor: NativeFloeDecryptor;
  readonly #layout: SegmentLayout;
  readonly #kept = new Map<number, Uint8Array>();
  readonly #loading = new Map<number, Promise<void>>();
  #closed = false;

  constructor(file: OpenFile, decryptor: NativeFloeDecryptor, layout: SegmentLayout) {
    this.#file = file;
    this.#decryptor = decryptor;
    this.#layout = layout;
    this.plaintextLength = layout.segmentLength - SEGMENT_OVERHEAD;
    const { count, lastLength } = layout;
    this.size = count === 0 ? 0 : (count - 1) * this.plaintextLength + lastLength - SEGMENT_OVERHEAD;
  }

  /** Authenticates the last segment, which proves how many there are. */
  async proveSize(): Promise<void> {
    if (this.#layout.count > 0) await this.#keep(this.#layout.count - 1);
  }

  /**
   * Fills the first `length` bytes of `target` with what is at `position`; all of it lies below {@link size}.
   *
   * @param check Throws when the caller no longer wants it.
   * @throws {CallsealError} `ERR_TAMPERED`, `ERR_INPUT_CHANGED`, `ERR_IO`; `ERR_INVALID_ARGUMENT` when `target` is gone
   *   or the reader was closed.
   */
  async copy(target: BorrowedBytes, length: number, position: number, check: () => void): Promise<void> {
    const wanted = { target, length, position, done: 0 };
    const last = this.#indexOf(position + length - 1);
    check();
    this.#requireOpen();
    for (; wanted.done < length; check()) {
      const index = this.#indexOf(position + wanted.done);
      const kept = this.#kept.get(index);
      if (kept !== undefined) {
        this.#hand(index, kept, wanted);
        continue;
      }
      const count = Math.min(last - index + 1, Math.max(1, Math.floor(RUN_BYTES / this.#layout.segmentLength)));
      if (count === 1) await this.#keep(index);
      else await this.#copyRun(index, count, wanted);
    }
  }

  /** Overwrites what is kept. Nothing can be read any more. */
  close(): void {
    this.#closed = true;
    for (const plaintext of this.#kept.values()) plaintext.fill(0);
    this.#kept.clear();
  }

  #requireOpen(): void {
    if (!this.#closed) return;
    const { path } = this.#file;
    throw new CallsealError('ERR_INVALID_ARGUMENT', `${path} was closed and cannot be read any more`, { path });
  }

  #indexOf(position: number): number {
    return Math.floor(position / this.plaintextLength);
  }

  /** Copies what is wanted of one segment; returns how much that was. */
  #hand(index: number, plaintext: Uint8Array, wanted: Wanted): number {
    const within = wanted.position + wanted.done - index * this.plaintextLength;
    const part = plaintext.subarray(within, within + wanted.length - wanted.done);
    wanted.target.from(wanted.done).set(part);
    wanted.done += part.length;
    // The last one used is the last to go.
    if (this.#kept.get(index) === plaintext) {
      this.#kept.delete(index);
      this.#kept.set(index, plaintext);
    }
    return part.length;
  }

  /** Several segments in one read; only those that are not used up are kept. */
  async #copyRun(first: number, count: number, wanted: Wanted): Promise<void> {
    const encrypted = await this.#read(first, count);
    for (let index = first; index < first + count; index++) {
      const plaintext = await this.#decrypt(index, encrypted.subarray((index - first) * this.#layout.segmentLength));
      if (this.#hand(index, plaintext, wanted) < plaintext.length) this.#remember(index, plaintext);
      else plaintext.fill(0);
    }
  }

  /** Decrypts one segment, once for all who wait for it. */
  #keep(index: number): Promise<void> {
    const running = this.#loading.get(index);
    if (running !== undefined) return running;
    const load = this.#read(index, 1)
      .then((encrypted) => this.#decrypt(index, encrypted))
      .then((plaintext) => this.#remember(index, plaintext))
      .finally(() => this.#loading.delete(index));
    this.#loading.set(index, load);
    return load;
  }

  #remember(index: number, plaintext: Uint8Array): void {
    if (this.#closed) plaintext.fill(0);
    this.#requireOpen();
    this.#kept.get(index)?.fill(0);
    this.#kept.delete(index);
    const room = Math.max(1, Math.floor(KEPT_BYTES / this.plaintextLength));
    for (const [oldest, bytes] of this.#kept) {
      if (this.#kept.size < room) break;
      bytes.fill(0);
      this.#kept.delete(oldest);
    }
    this.#kept.set(index, plaintext);
  }

  async #read(first: number, count: number): Promise<Uint8Array> {
    const { start, segmentLength } = this.#layout;
    const { handle, path } = this.#file;
    const bytes = Buffer.allocUnsafeSlow((count - 1) * segmentLength + this.#lengthOf(first + count - 1));
    const read = await readAt(handle, bytes, start + first * segmentLength, path);
    this.#requireOpen();
    if (read < bytes.length) throw changed(path);
    return bytes;
  }

  #lengthOf(index: number): number {
    return index === this.#layout.count - 1 ? this.#layout.lastLength : this.#layout.segmentLength;
  }

  async #decrypt(index: number, encrypted: Uint8Array): Promise<Uint8Array> {
    const { count, final } = this.#layout;
    this.#requireOpen();
    try {
      const segment = encrypted.subarray(0, this.#lengthOf(index));
      return this.#decryptor.decryptSegmentAt(index, segment, final && index === count - 1);
    } catch (error) {
      if (await this.#hasChanged()) throw changed(this.#file.path, error);
      throw withPath(error, this.#file.path);
    }
  }

  /** Whether somebody has written to the file since it was opened: then nobody need have tampered with it. */
  async #hasChanged(): Promise<boolean> {
    const { handle, stats } = this.#file;
    const now = await handle.stat({ bigint: true });
    return now.size !== stats.size || now.mtimeNs !== stats.mtimeNs;
  }
}

function changed(path: string, cause?: unknown): CallsealError {
  const message = `${path} was written to after it had been opened; open it again`;
  return new CallsealError('ERR_INPUT_CHANGED', message, { path, ...(cause !== undefined && { cause }) });
}
