/** Reads a call file while it is written, or what there is of one. */

import { CallsealError } from '../errors.ts';
import type { NativeFloeDecryptor } from '../native/binding.ts';
import type { FileSigner } from '../signing/info.ts';
import {
  assertBoolean,
  assertByteCount,
  assertKeyRing,
  assertOptions,
  assertPath,
  assertRequiredSigner,
  assertSignal,
} from './arguments.ts';
import { closingLength, lengthByMark, markOf, segmentsStart, wholeSegments } from './body-end.ts';
import type { DecryptOptions } from './decrypt.ts';
import { tampered, tamperedAt } from './faults.ts';
import { CONTINUED_MARK, MARK_BYTES, SEGMENT_OVERHEAD } from './format.ts';
import { GrowingInput } from './growth.ts';
import { type CallFileHeader, headerEndsEarly, parseHeader } from './header.ts';
import { throwIfAborted } from './job.ts';
import { newBytes } from './new-bytes.ts';
import { type OpenedBody, openBody } from './open.ts';
import { FIRST_READ, type ReadPart } from './read-header.ts';
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
  /** True once the last segment has come, and the end of the signature of a signed file. */
  readonly complete: boolean;
  /** Null until the end of a file has been reached that is not complete. */
  readonly loss: Loss | null;
  /** Who signed the file; null when nobody did, and before the first segment. `content` is `verified` at the end, unless segments were skipped. */
  readonly signer: FileSigner | null;
}

/**
 * Reads a file that may still be growing: every segment as soon as all of it is there and authentic. When the iteration
 * ends well, `complete` says whether that was the end of the file, or only of what there is (never with `follow`).
 *
 * With `bytes` the segments before are skipped and not authenticated; those released are, each in its place.
 *
 * With `requireSigner` nothing comes out of a file that none of them began. That all of it is theirs is known at the end, if
 * nothing was skipped: then the file ends well only if its signature does.
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
  const { keys, requireSigner, follow = false, bytes, signal } = options;
  assertKeyRing(keys);
  assertRequiredSigner(requireSigner);
  assertBoolean(follow, 'follow');
  assertByteCount(bytes, 'bytes');
  assertSignal(signal);
  return new Follower(path, { keys, requireSigner, follow, bytes, signal });
}

/** Read at once, where segments are not longer. */
const PIECE_BYTES = 65_536;

/**
 * Where data reaches the reader later than the length of the file (over networks), zero bytes stand for it. Bytes that
 * are not authentic and have a run of zeros, which ciphertext does not, are read again after so many milliseconds.
 */
const SECOND_LOOKS = [50, 200, 750];
const ZEROS = Buffer.alloc(16);
const NO_BYTES = new Uint8Array(0);
/** The time one native call may take: more than it ever needs. */
const UNLIMITED = 1_000_000;

class Follower implements FollowedCallFile {
  readonly #path: string;
  readonly #options: FollowOptions & { follow: boolean };
  complete = false;
  loss: Loss | null = null;
  signer: FileSigner | null = null;

  constructor(path: string, options: FollowOptions & { follow: boolean }) {
    this.#path = path;
    this.#options = options;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    const { follow, signal } = this.#options;
    throwIfAborted(signal);
    const file = await GrowingInput.open(this.#path, follow, signal);
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
        if (need <= length && !this.#options.follow) throw headerEndsEarly(head.length, need, this.#path);
        if (need <= length) await this.#more(file, head.length);
        else length = need;
      } catch (error) {
        await looks.orThrow(error, head);
      }
    }
  }

  async #readerOf(file: GrowingInput, header: CallFileHeader): Promise<SegmentReader> {
    const { keys, requireSigner, bytes } = this.#options;
    const opened = await openBody(header, keys, requireSigner, this.#path);
    this.signer = opened.signature?.signer ?? null;
    const reader = new SegmentReader(file, header, opened);
    if (bytes !== undefined) await reader.skipToLast(bytes);
    return reader;
  }

  async *#segments(file: GrowingInput, reader: SegmentReader): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      for (let part = await reader.next(); part !== null; part = await reader.next()) {
        throwIfAborted(this.#options.signal);
        if (part.length > 0) yield part;
      }
      if (await reader.close()) {
        this.complete = true;
        if (this.signer !== null && reader.signed) this.signer = { ...this.signer, content: 'verified' };
        return;
      }
      if (!this.#options.follow) {
        this.loss = await reader.rest();
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
  readonly #header: CallFileHeader;
  readonly #start: number;
  readonly #segmentLength: number;
  /** Bytes that follow the last segment. */
  readonly #closingBytes: number;
  readonly #looks: SecondLooks;
  readonly #buffer: Uint8Array;
  /** What was read and not used. */
  #rest: Uint8Array;
  #index = 0;
  /** Bytes of the next segment's plaintext that are not wanted. */
  #skip = 0;
  /** Where the last segment ends, once it was read. */
  #end: number | null = null;
  /** Whether segments were skipped: then the end of a signature cannot be verified. */
  #skipped = false;

  constructor(file: GrowingInput, header: CallFileHeader, { decryptor }: OpenedBody) {
    this.#file = file;
    this.#decryptor = decryptor;
    this.#header = header;
    this.#start = segmentsStart(header);
    this.#segmentLength = header.segmentLength;
    this.#closingBytes = closingLength(header);
    this.#looks = new SecondLooks(file);
    const segments = Math.max(1, Math.floor(PIECE_BYTES / header.segmentLength));
    this.#buffer = Buffer.allocUnsafeSlow(segments * header.segmentLength);
    this.#rest = this.#buffer.subarray(0, 0);
  }

  /** Where the next segment begins, or what follows the last. */
  get offset(): number {
    return this.#end ?? this.#start + this.#index * this.#segmentLength;
  }

  /** Goes to `bytes` before the end of the plaintext that is there now. */
  async skipToLast(bytes: number): Promise<void> {
    const capacity = this.#segmentLength - SEGMENT_OVERHEAD;
    const readPart: ReadPart = (offset, length) => this.#file.read(new Uint8Array(length), offset);
    const { count, lastLength, final } = await wholeSegments(this.#header, await this.#file.size(), readPart);
    const there = final ? (count - 1) * capacity + lastLength - SEGMENT_OVERHEAD : count * capacity;
    const skipped = Math.max(0, there - bytes);
    this.#index = Math.min(Math.floor(skipped / capacity), final ? count - 1 : count);
    this.#skip = skipped - this.#index * capacity;
    this.#skipped = this.#index > 0;
  }

  /**
   * The plaintext of the next segment; null when it is not there in full.
   *
   * @throws {CallsealError} `ERR_TAMPERED`.
   */
  async next(): Promise<Uint8Array | null> {
    while (this.#end === null) {
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

  /** Whether the end of a signature is to be verified. */
  get signed(): boolean {
    return this.#closingBytes > 0 && !this.#skipped;
  }

  /**
   * Whether the file has ended: its last segment was read, and the block that closes a signature is there, and right.
   *
   * @throws {CallsealError} `ERR_TAMPERED`.
   */
  async close(): Promise<boolean> {
    if (this.#end === null || this.#closingBytes === 0) return this.#end !== null;
    for (;;) {
      const block = await this.#file.read(new Uint8Array(this.#closingBytes), this.#end);
      if (block.length < this.#closingBytes) return false;
      if (!this.signed) return true;
      try {
        await this.#decryptor.verifyClosing(block);
        return true;
      } catch (error) {
        await this.#looks.orThrow(this.#named(error), block);
      }
    }
  }

  /** What is there and cannot be used. */
  async rest(): Promise<Loss> {
    const bytes = Math.max(0, (await this.#file.size()) - this.offset);
    const rest: Loss = { reason: 'truncated', segment: this.#index, offset: this.offset, bytes };
    return this.#end === null ? rest : { ...rest, signatureOnly: true };
  }

  /** Bytes that must be there before the next segment is judged; what no mark can be is judged at once. */
  #nextLength(): number {
    const mark = markOf(this.#rest);
    if (mark === null) return MARK_BYTES;
    return lengthByMark(mark, this.#segmentLength) ?? Math.min(this.#rest.length, this.#segmentLength);
  }

  async #open(bytes: Uint8Array): Promise<Uint8Array> {
    const final = markOf(bytes) !== CONTINUED_MARK;
    let plaintext: Uint8Array;
    try {
      plaintext = this.#decrypt(bytes, final);
    } catch (error) {
      throw this.#named(error);
    }
    const end = this.offset + bytes.length;
    this.#rest = this.#rest.subarray(bytes.length);
    this.#index++;
    this.#looks.reset();
    if (final) this.#end = end;
    const behind = final ? (await this.#file.size()) - end - this.#closingBytes : 0;
    if (behind > 0) throw tampered(this.#file.path, `${behind} bytes follow the last segment`);
    const wanted = plaintext.subarray(this.#skip);
    this.#skip = 0;
    return wanted;
  }

  /** In order where a signature is to be verified in the end, which counts all segments. */
  #decrypt(segment: Uint8Array, final: boolean): Uint8Array {
    if (!this.signed) return this.#decryptor.decryptSegmentAt(this.#index, segment, final);
    const plaintext = newBytes(Math.max(0, segment.length - SEGMENT_OVERHEAD));
    this.#decryptor.decrypt(NO_BYTES, segment, plaintext, 1, UNLIMITED);
    return plaintext;
  }

  #named(error: unknown): unknown {
    return tamperedAt(this.#file.path, error);
  }
}

function mayBeUnwritten(bytes: Uint8Array): boolean {
  return bytes.length < ZEROS.length ? bytes.includes(0) : Buffer.from(bytes).includes(ZEROS);
}
