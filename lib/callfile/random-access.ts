/** Reads parts of an encrypted file without decrypting the rest. */

import { constants } from 'node:buffer';
import { Readable } from 'node:stream';
import { CallsealError } from '../errors.ts';
import { native } from '../native/load.ts';
import { closeRead, openRegularFile } from '../recipients/regular-file.ts';
import type { FileSigner } from '../signing/info.ts';
import {
  assertBoolean,
  assertKeyRing,
  assertOptions,
  assertPath,
  assertRequiredSigner,
  assertSignal,
} from './arguments.ts';
import { judgeEnd, lastSegment, segmentsStart, wholeSegments } from './body-end.ts';
import { BorrowedBytes } from './borrowed-bytes.ts';
import type { DecryptOptions } from './decrypt.ts';
import { tampered, truncated } from './faults.ts';
import { MARK_BYTES } from './format.ts';
import type { CallFileHeader } from './header.ts';
import { throwIfAborted, withPath } from './job.ts';
import { newBytes } from './new-bytes.ts';
import { openBody } from './open.ts';
import { partReader, type ReadPart, readHeaderOf } from './read-header.ts';
import { type OpenFile, type SegmentLayout, SegmentReader } from './segment-reader.ts';

/** Options of {@link openRandomAccess}. */
export interface RandomAccessOptions extends DecryptOptions {
  /** Cancels opening, and every read after it (`ERR_ABORTED`). */
  signal?: AbortSignal | undefined;
  /** Opens a file whose end is missing, too, as far as its whole segments go. Default false. */
  recover?: boolean | undefined;
}

/** Which bytes a read puts where, as in `node:fs`. */
export interface RandomReadOptions {
  /** Where in the target. Default 0. */
  offset?: number | null | undefined;
  /** At most so many bytes. Default: to the end of the target. */
  length?: number | null | undefined;
  /** Where in the plaintext; null: where the last read without a position ended. Default null. */
  position?: number | bigint | null | undefined;
  /** Cancels this read (`ERR_ABORTED`). */
  signal?: AbortSignal | undefined;
}

/** Options of {@link RandomAccessFile.readRange}. */
export interface RandomRangeOptions {
  /** Cancels this read (`ERR_ABORTED`). */
  signal?: AbortSignal | undefined;
}

/** What a stream covers, as in `node:fs`. */
export interface RandomStreamOptions {
  /** First byte. Default 0. */
  start?: number | undefined;
  /** Last byte, itself included. Default: the last one there is. */
  end?: number | undefined;
  /** Bytes of a chunk, about. Default 262,144. */
  highWaterMark?: number | undefined;
  /** Cancels this stream (`ERR_ABORTED`). */
  signal?: AbortSignal | undefined;
}

const STREAM_PIECE = 1 << 18;

/**
 * Opens an encrypted file to read any part of it.
 *
 * The private key is used once, here, and the last segment is authenticated, which proves how long the plaintext is. Every
 * read then decrypts the segments that it touches and no others. The file stays the one that was opened, whatever
 * happens to its name; close it when it is no longer needed.
 *
 * Of a signed file the beginning of the signature is verified: `requireSigner` stands for who began the file.
 *
 * @throws {CallsealError} What {@link decryptFile} throws, except for what concerns the output. With `recover`,
 *   `ERR_TRUNCATED` only when the header is not there in full.
 *
 * @example
 * await using call = await openRandomAccess('call.callsre.sealed', { keys });
 * // The third minute of a call in 8 kHz, 16 bit.
 * const minute = await call.readRange(2 * 960_000, 3 * 960_000);
 */
export async function openRandomAccess(path: string, options: RandomAccessOptions): Promise<RandomAccessFile> {
  assertPath(path, 'path');
  assertOptions(options);
  const { keys, requireSigner, signal, recover = false } = options;
  assertKeyRing(keys);
  assertRequiredSigner(requireSigner);
  assertSignal(signal);
  assertBoolean(recover, 'recover');
  throwIfAborted(signal);
  const file = { path, ...(await openRegularFile(path)) };
  try {
    return await open(file, { keys, requireSigner, signal, recover });
  } catch (error) {
    await closeRead(file.handle);
    throw error;
  }
}

async function open(file: OpenFile, options: RandomAccessOptions): Promise<RandomAccessFile> {
  const { keys, requireSigner, signal, recover = false } = options;
  const { path, handle, stats } = file;
  const readPart = partReader(handle, path);
  const header = await readHeaderOf(readPart, Number(stats.size), path);
  throwIfAborted(signal);
  const { decryptor, signature, keyId } = await openBody(header, keys, requireSigner, path);
  throwIfAborted(signal);
  native().keepFreedMemory();
  try {
    const { layout, complete } = await layoutOf(header, Number(stats.size), readPart, path, recover);
    const reader = new SegmentReader(file, decryptor, layout);
    await reader.proveSize();
    throwIfAborted(signal);
    return new RandomAccessFile(file, reader, { keyId, signer: signature?.signer ?? null, complete, signal });
  } catch (error) {
    throw withPath(error, path);
  }
}

/** Where the segments are that can be read: all of them, or with `recover` those that are whole. */
async function layoutOf(
  header: CallFileHeader,
  size: number,
  readPart: ReadPart,
  path: string,
  recover: boolean,
): Promise<{ layout: SegmentLayout; complete: boolean }> {
  const { segmentLength } = header;
  const { offset, length, count } = lastSegment(header, size);
  const mark = await readPart(offset, Math.min(length, MARK_BYTES));
  const { state, problem } = judgeEnd(segmentLength, length, mark);
  const start = segmentsStart(header);
  if (state === 'complete') {
    return { layout: { start, segmentLength, count, lastLength: length, final: true }, complete: true };
  }
  if (state === 'damaged') throw tampered(path, problem ?? state);
  if (!recover) throw truncated(path, problem ?? state);
  return { layout: { start, segmentLength, ...(await wholeSegments(header, size, readPart)) }, complete: false };
}

/** What is known of a file once it is open. */
interface Opened {
  keyId: string;
  signer: FileSigner | null;
  complete: boolean;
  signal: AbortSignal | undefined;
}

/**
 * An encrypted file, open for reading at random. Every byte that it gives has been authenticated, in its place. Reads may
 * overlap in time. A damaged segment fails the reads that touch it and no others.
 */
export class RandomAccessFile {
  /** As given. */
  readonly path: string;
  /** Plaintext bytes, authenticated. */
  readonly size: number;
  /** Whether the end of the file is there; false only with `recover`. */
  readonly complete: boolean;
  /** The id of the private key that opened the file: SHA-256 of its DER SubjectPublicKeyInfo, lower-case hexadecimal. */
  readonly keyId: string;
  /**
   * Who signed the file; null when nobody did. `content` is always `opening-only`: what closes a signature is of the
   * whole file, which `verify` reads.
   */
  readonly signer: FileSigner | null;
  readonly #file: OpenFile;
  readonly #reader: SegmentReader;
  readonly #signal: AbortSignal | undefined;
  #cursor = 0;
  #closing: Promise<void> | null = null;

  /** @internal Use {@link openRandomAccess}. */
  constructor(file: OpenFile, reader: SegmentReader, { keyId, signer, complete, signal }: Opened) {
    this.path = file.path;
    this.size = reader.size;
    this.complete = complete;
    this.keyId = keyId;
    this.signer = signer;
    this.#file = file;
    this.#reader = reader;
    this.#signal = signal;
  }

  /**
   * Reads into a buffer, as `FileHandle.read` does, but never less than there is.
   *
   * Without a position it reads where the last such read ended, also when that one is not over yet.
   *
   * @returns How many bytes were read, 0 at the end, and the buffer. After a failure the buffer may hold a part.
   * @throws {CallsealError} `ERR_TAMPERED`, `ERR_INPUT_CHANGED` (somebody wrote to the file), `ERR_IO`, `ERR_ABORTED`,
   *   `ERR_INVALID_ARGUMENT`.
   */
  read<T extends Uint8Array>(
    target: T,
    offset?: number | null,
    length?: number | null,
    position?: number | bigint | null,
  ): Promise<{ bytesRead: number; buffer: T }>;
  read<T extends Uint8Array>(target: T, options?: RandomReadOptions): Promise<{ bytesRead: number; buffer: T }>;
  async read<T extends Uint8Array>(
    target: T,
    first?: RandomReadOptions | number | null,
    second?: number | null,
    third?: number | bigint | null,
  ): Promise<{ bytesRead: number; buffer: T }> {
    const options: RandomReadOptions =
      typeof first === 'object' && first !== null ? first : { offset: first, length: second, position: third };
    assertSignal(options.signal);
    const borrowed = new BorrowedBytes(target, 'target');
    const offset = wholeNumber(options.offset ?? 0, 'offset', borrowed.length);
    const room = wholeNumber(options.length ?? borrowed.length - offset, 'length', borrowed.length - offset);
    const start = this.#start(options.position, room);
    const bytesRead = Math.max(0, Math.min(room, this.size - start));
    const part = new BorrowedBytes(borrowed.from(offset), 'target');
    await this.#copy(part, bytesRead, start, options.signal);
    return { bytesRead, buffer: target };
  }

  /**
   * The bytes from `start` to before `end`, as `slice` gives them: fewer, or none, where the plaintext ends earlier.
   *
   * @param end Default: the end of the plaintext.
   * @throws {CallsealError} What {@link read} throws.
   */
  async readRange(start: number, end: number = this.size, { signal }: RandomRangeOptions = {}): Promise<Uint8Array> {
    assertSignal(signal);
    const from = Math.min(wholeNumber(start, 'start'), this.size);
    const length = Math.max(0, Math.min(wholeNumber(end, 'end'), this.size) - from);
    if (length > constants.MAX_LENGTH) throw wrong(`a range of ${length} bytes is more than a buffer can hold`);
    const bytes = newBytes(length);
    await this.#copy(new BorrowedBytes(bytes, 'range'), length, from, signal);
    return bytes;
  }

  /**
   * A stream of a part. It fails with what {@link read} throws; what came out before is authentic. It leaves the
   * file open.
   *
   * @throws {CallsealError} `ERR_INVALID_ARGUMENT`.
   */
  createReadStream(options: RandomStreamOptions = {}): Readable {
    assertOptions(options);
    const { start = 0, end = Number.POSITIVE_INFINITY, highWaterMark = STREAM_PIECE, signal } = options;
    assertSignal(signal);
    wholeNumber(start, 'start');
    if (end !== Number.POSITIVE_INFINITY) wholeNumber(end, 'end');
    const piece = Math.max(1, wholeNumber(highWaterMark, 'highWaterMark'));
    const pieces = this.#pieces(start, Math.min(this.size, end + 1), piece, signal);
    return Readable.from(pieces, { objectMode: false, highWaterMark: piece });
  }

  /** Closes the file and overwrites what was kept of the plaintext. Reads that are under way fail. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** For `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#reader.close();
    await this.#file.handle.close();
  }

  /** Where a read begins; the cursor moves on at once, so that reads that overlap in time do not overlap otherwise. */
  #start(position: number | bigint | null | undefined, room: number): number {
    if (position !== null && position !== undefined && position !== -1) {
      return wholeNumber(Number(position), 'position');
    }
    const start = this.#cursor;
    this.#cursor = Math.min(this.size, start + room);
    return start;
  }

  #copy(target: BorrowedBytes, length: number, start: number, signal: AbortSignal | undefined): Promise<void> {
    return this.#reader.copy(target, length, start, () => {
      throwIfAborted(this.#signal);
      throwIfAborted(signal);
    });
  }

  /** Pieces that end where segments do, as far as `piece` allows. */
  async *#pieces(
    start: number,
    end: number,
    piece: number,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<Uint8Array> {
    const { plaintextLength } = this.#reader;
    for (let at = start; at < end; ) {
      const edge = Math.floor((at + piece) / plaintextLength) * plaintextLength;
      const next = Math.min(end, edge > at ? edge : at + piece);
      yield await this.readRange(at, next, { signal });
      at = next;
    }
  }
}

function wholeNumber(value: unknown, name: string, most = Number.MAX_SAFE_INTEGER): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= most) return value;
  throw wrong(`${name} must be a whole number from 0 to ${most}, not ${String(value)}`);
}

function wrong(message: string): CallsealError {
  return new CallsealError('ERR_INVALID_ARGUMENT', message);
}
