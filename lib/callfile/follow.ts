/** Reads a call file while it is written, or what there is of one. */

import { CallsealError } from '../errors.ts';
import type { NativeFloeDecryptor } from '../native/binding.ts';
import { native } from '../native/load.ts';
import type { KeyRing } from '../recipients/keyring.ts';
import { assertBoolean, assertByteCount, assertKeyRing, assertOptions, assertPath, assertSignal } from './arguments.ts';
import type { DecryptOptions } from './decrypt.ts';
import { isTampered, tampered } from './faults.ts';
import { CONTINUED_MARK, FLOE_HEADER_BYTES, MARK_BYTES, SEGMENT_OVERHEAD } from './format.ts';
import { GrowingInput } from './growth.ts';
import { type CallFileHeader, headerEndsEarly, parseHeader } from './header.ts';
import { throwIfAborted } from './job.ts';
import { openHeader } from './open.ts';
import { FIRST_READ } from './read-header.ts';
import type { Extent, Loss } from './recovery.ts';

/** Options of {@link followCallFile}. */
export interface FollowOptions extends DecryptOptions {
  /**
   * Wait for what is still to be written, until the last segment has come; also for a file that is not there yet.
   * Default false: read what there is now.
   */
  follow?: boolean | undefined;
  /** Begin so many bytes of plaintext before what is now the end. Default: at the beginning. */
  bytes?: number | undefined;
}

/** The plaintext of a file, segment by segment. Iterate over it once. */
export interface FollowedCallFile extends AsyncIterable<Uint8Array>, Extent {
  /** True once the last segment has come. */
  readonly complete: boolean;
  /** Null until the end of a file has been reached that is not complete. */
  readonly loss: Loss | null;
}

/**
 * Reads a file that may still be growing: every segment as soon as all of it is there and authentic. When the iteration
 * ends well, `complete` says whether that was the end of the file, or only of what there is (never with `follow`).
 *
 * With `bytes` the segments before are skipped and not authenticated; those released are, each in its place.
 *
 * @throws {CallsealError} `ERR_INVALID_ARGUMENT`. The iteration fails with what {@link decryptFile} throws when it reads,
 *   after the authentic part; `ERR_INPUT_CHANGED` when the file became shorter, or its name became that of another.
 *
 * @example
 * for await (const bytes of followCallFile('call.callsre.sealed', { keys, follow: true })) player.write(bytes);
 */
export function followCallFile(path: string, options: FollowOptions): FollowedCallFile {
  assertPath(path, 'path');
  assertOptions(options);
  const { keys, follow = false, bytes, signal } = options;
  assertKeyRing(keys);
  assertBoolean(follow, 'follow');
  assertByteCount(bytes, 'bytes');
  assertSignal(signal);
  return new Follower(path, keys, follow, bytes, signal);
}

/** Read at once, where segments are not longer. */
const PIECE_BYTES = 65_536;

/**
 * Where data reaches the reader later than the length of the file (over networks), zero bytes stand for it. Bytes that
 * are not authentic and have a run of zeros, which ciphertext does not, are read again after so many milliseconds.
 */
const SECOND_LOOKS = [50, 200, 750];
const ZEROS = Buffer.alloc(16);

class Follower implements FollowedCallFile {
  readonly #path: string;
  readonly #keys: KeyRing;
  readonly #follow: boolean;
  readonly #bytes: number | undefined;
  readonly #signal: AbortSignal | undefined;
  complete = false;
  loss: Loss | null = null;

  constructor(
    path: string,
    keys: KeyRing,
    follow: boolean,
    bytes: number | undefined,
    signal: AbortSignal | undefined,
  ) {
    this.#path = path;
    this.#keys = keys;
    this.#follow = follow;
    this.#bytes = bytes;
    this.#signal = signal;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    throwIfAborted(this.#signal);
    const file = await GrowingInput.open(this.#path, this.#follow, this.#signal);
    try {
      yield* this.#segments(file, await this.#openBody(file));
    } finally {
      await file.close();
    }
  }

  /** Waits for the header, finds the key, and goes to where reading begins. */
  async #openBody(file: GrowingInput): Promise<SegmentReader> {
    const looks = new SecondLooks(file);
    for (let length = FIRST_READ; ; ) {
      const head = await file.read(new Uint8Array(length), 0);
      try {
        const { header, need } = parseHeader(head, this.#path);
        if (header !== null) return await this.#readerOf(file, header);
        if (need <= length && !this.#follow) throw headerEndsEarly(head.length, need, this.#path);
        if (need <= length) await this.#more(file, head.length);
        else length = need;
      } catch (error) {
        await looks.orThrow(error, head);
      }
    }
  }

  async #readerOf(file: GrowingInput, header: CallFileHeader): Promise<SegmentReader> {
    const bodyKey = await openHeader(header, this.#keys);
    try {
      const decryptor = new (native().FloeDecryptor)(bodyKey, header.preludeBytes, header.floeHeader);
      const reader = new SegmentReader(file, header, decryptor);
      if (this.#bytes !== undefined) await reader.skipToLast(this.#bytes);
      return reader;
    } catch (error) {
      throw isTampered(error) ? tampered(this.#path, (error as CallsealError).message, error) : error;
    } finally {
      bodyKey.destroy();
    }
  }

  async *#segments(file: GrowingInput, reader: SegmentReader): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      for (let part = await reader.next(); part !== null; part = await reader.next()) {
        throwIfAborted(this.#signal);
        if (part.length > 0) yield part;
      }
      if (reader.finished) {
        this.complete = true;
        return;
      }
      if (!this.#follow) {
        this.loss = { reason: 'truncated', ...(await reader.rest()) };
        return;
      }
      await this.#more(file, reader.offset);
    }
  }

  /**
   * Waits until the file may have more than `used` bytes.
   *
   * @throws {CallsealError} `ERR_INPUT_CHANGED` when no more can come.
   */
  async #more(file: GrowingInput, used: number): Promise<void> {
    const before = await file.size();
    if (before < used) throw this.#changed(`became shorter than the ${used} bytes that were read of it`);
    // The last bytes may have come just before the name went.
    if ((await file.wasReplaced()) && (await file.size()) === before) {
      throw this.#changed('was removed or replaced before its last segment had come');
    }
    await file.change();
  }

  #changed(what: string): CallsealError {
    return new CallsealError('ERR_INPUT_CHANGED', `${this.#path} ${what}`, { path: this.#path });
  }
}

/** Decides whether what is not authentic is to be read again. */
class SecondLooks {
  readonly #file: GrowingInput;
  #taken = 0;

  constructor(file: GrowingInput) {
    this.#file = file;
  }

  /** Returns once `bytes` are to be read again, and throws `error` when that is no use. */
  async orThrow(error: unknown, bytes: Uint8Array): Promise<void> {
    const delay = SECOND_LOOKS[this.#taken];
    const ofTheFile = error instanceof CallsealError && /^ERR_(TAMPERED|NOT_CALLSEAL|UNSUPPORTED)/.test(error.code);
    if (!ofTheFile || delay === undefined || !mayBeUnwritten(bytes)) throw error;
    this.#taken++;
    await this.#file.sleep(delay);
  }

  /** What came was authentic. */
  reset(): void {
    this.#taken = 0;
  }
}

/** Reads segment after segment, as far as they are there. */
class SegmentReader {
  readonly #file: GrowingInput;
  readonly #decryptor: NativeFloeDecryptor;
  readonly #start: number;
  readonly #segmentLength: number;
  readonly #looks: SecondLooks;
  readonly #buffer: Uint8Array;
  /** What was read and not used. */
  #rest: Uint8Array;
  #index = 0;
  /** Bytes of the next segment's plaintext that are not wanted. */
  #skip = 0;
  finished = false;

  constructor(file: GrowingInput, header: CallFileHeader, decryptor: NativeFloeDecryptor) {
    this.#file = file;
    this.#decryptor = decryptor;
    this.#start = header.bodyOffset + FLOE_HEADER_BYTES;
    this.#segmentLength = header.segmentLength;
    this.#looks = new SecondLooks(file);
    const segments = Math.max(1, Math.floor(PIECE_BYTES / header.segmentLength));
    this.#buffer = Buffer.allocUnsafeSlow(segments * header.segmentLength);
    this.#rest = this.#buffer.subarray(0, 0);
  }

  /** Where the next segment begins. */
  get offset(): number {
    return this.#start + this.#index * this.#segmentLength;
  }

  /** Goes to `bytes` before the end of the plaintext that is there now. */
  async skipToLast(bytes: number): Promise<void> {
    const capacity = this.#segmentLength - SEGMENT_OVERHEAD;
    const length = Math.max(0, (await this.#file.size()) - this.#start);
    const full = Math.floor(length / this.#segmentLength);
    const rest = length % this.#segmentLength;
    const mark = await this.#file.read(new Uint8Array(MARK_BYTES), this.#start + full * this.#segmentLength);
    const isLast = mark.length === MARK_BYTES && markOf(mark) === rest;
    const skipped = Math.max(0, full * capacity + (isLast ? rest - SEGMENT_OVERHEAD : 0) - bytes);
    this.#index = Math.floor(skipped / capacity);
    this.#skip = skipped % capacity;
  }

  /**
   * The plaintext of the next segment; null when it is not there in full.
   *
   * @throws {CallsealError} `ERR_TAMPERED`.
   */
  async next(): Promise<Uint8Array | null> {
    while (!this.finished) {
      if (this.#rest.length < this.#nextLength()) {
        this.#rest = await this.#file.read(this.#buffer, this.offset);
        if (this.#rest.length < this.#nextLength()) return null;
      }
      const bytes = this.#rest.subarray(0, this.#nextLength());
      try {
        return await this.#open(bytes);
      } catch (error) {
        await this.#looks.orThrow(error, bytes);
        this.#rest = this.#buffer.subarray(0, 0);
      }
    }
    return null;
  }

  /** What is there and cannot be used. */
  async rest(): Promise<Pick<Loss, 'segment' | 'offset' | 'bytes'>> {
    const bytes = Math.max(0, (await this.#file.size()) - this.offset);
    return { segment: this.#index, offset: this.offset, bytes };
  }

  /** Bytes that must be there before the next segment is judged; what no mark can be is judged at once. */
  #nextLength(): number {
    if (this.#rest.length < MARK_BYTES) return MARK_BYTES;
    const mark = markOf(this.#rest);
    if (mark === CONTINUED_MARK) return this.#segmentLength;
    if (mark >= SEGMENT_OVERHEAD && mark <= this.#segmentLength) return mark;
    return Math.min(this.#rest.length, this.#segmentLength);
  }

  async #open(bytes: Uint8Array): Promise<Uint8Array> {
    const final = markOf(bytes) !== CONTINUED_MARK;
    let plaintext: Uint8Array;
    try {
      plaintext = this.#decryptor.decryptSegmentAt(this.#index, bytes, final);
    } catch (error) {
      throw isTampered(error) ? tampered(this.#file.path, (error as CallsealError).message, error) : error;
    }
    const end = this.offset + bytes.length;
    this.#rest = this.#rest.subarray(bytes.length);
    this.#index++;
    this.#looks.reset();
    this.finished = final;
    const behind = final ? (await this.#file.size()) - end : 0;
    if (behind > 0) throw tampered(this.#file.path, `${behind} bytes follow the last segment`);
    const wanted = plaintext.subarray(this.#skip);
    this.#skip = 0;
    return wanted;
  }
}

function mayBeUnwritten(bytes: Uint8Array): boolean {
  return bytes.length < ZEROS.length ? bytes.includes(0) : Buffer.from(bytes).includes(ZEROS);
}

function markOf(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
}
