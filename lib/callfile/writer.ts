/** Call files that their own producer writes, encrypted while the call goes on. */

import { Writable } from 'node:stream';
import { CallsealError } from '../errors.ts';
import type { NativeFloeEncryptor } from '../native/binding.ts';
import { systemError } from '../recipients/regular-file.ts';
import {
  assertInterval,
  assertOptions,
  assertPath,
  assertRecipients,
  assertSegmentLength,
  assertSignal,
  assertSigner,
} from './arguments.ts';
import { BorrowedBytes } from './borrowed-bytes.ts';
import { flushWithin, forgetFlush, syncInTurn, syncNameOf } from './disk-turns.ts';
import type { EncryptOptions, FileResult } from './encrypt.ts';
import { DEFAULT_LIVE_SEGMENT_LENGTH, SEGMENT_OVERHEAD } from './format.ts';
import { GrowingFile } from './growing-file.ts';
import { abortError, throwIfAborted } from './job.ts';
import { newPrelude, templateOf } from './template.ts';

/** Options of {@link createCallFileWriter}. */
export interface CallFileWriterOptions extends EncryptOptions {
  /**
   * Flushes by itself when data has waited for about so many milliseconds, 50 to 3600000. Default: never. The death of the
   * process needs no flush, only that of the host does; and a disk takes some hundred syncs a second.
   */
  flushInterval?: number | undefined;
}

/**
 * Writes one call file. Methods may be called without waiting for each other, and take effect in the order of the calls.
 *
 * The file is readable while it grows ({@link followCallFile}). Until {@link CallFileWriter.close} it is incomplete, and everybody sees it.
 */
export interface CallFileWriter {
  readonly path: string;
  /** Plaintext bytes taken so far. */
  readonly bytesWritten: number;
  /** Plaintext bytes that a crash of the host cannot take any more: whole segments, as of the last flush. */
  readonly durableBytes: number;
  /**
   * Takes bytes, and resolves when the segments they fill have been handed to the system. From then on the death of this
   * process loses only the segment that is not full.
   *
   * When it rejects, the chunk was not taken: once the cause is gone, such as a full disk, write it again. So what a chunk
   * that was taken finds wrong is told by the next call; its segments are kept, and written first. The chunks of calls
   * that were made before that was known are not taken either.
   *
   * @param chunk May be used again as soon as the call has returned. Encrypted at once, so give at most some megabytes.
   * @throws {CallsealError} `ERR_IO`, `ERR_ABORTED`, `ERR_INVALID_ARGUMENT` (also after close), `ERR_CRYPTO`.
   */
  write(chunk: Uint8Array): Promise<void>;
  /**
   * Waits until all full segments are on the disk; {@link durableBytes} then counts them. Writing goes on meanwhile.
   *
   * @throws {CallsealError} `ERR_IO`: when the disk could not be written to, call it again; when syncing failed, the file
   *   takes no more, as nobody knows what of it has reached the disk.
   */
  flush(): Promise<void>;
  /**
   * Writes the last segment and waits until the file is on the disk; it is complete then. May be repeated when it
   * rejects.
   *
   * @throws {CallsealError} As {@link flush}.
   */
  close(): Promise<FileResult>;
  /**
   * Ends without a last segment, so that the file stays incomplete: what fills no segment is given up, the rest is synced
   * and can be recovered. Calls that have not been waited for are refused. Does nothing after close.
   *
   * @throws {CallsealError} `ERR_IO`; the file is closed all the same.
   */
  abort(): Promise<void>;
  /** A stream that writes here: `end` closes the file, and `destroy` before that aborts it. Make one, and write to nothing else. */
  writable(): Writable;
  /** {@link abort}: a scope that is left early leaves an incomplete file. Call close for a complete one. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Creates a call file that is encrypted while it is written, in segments of 4 KiB unless told otherwise. Plaintext is
 * in memory only, less than a segment of it.
 *
 * The file has its name from the beginning, with mode 0600, and the name is on the disk when the promise resolves. A
 * writer that dies leaves an incomplete file, of which `recover` opens all whole segments. With a `signer`, whose key must
 * stay open until then, `close` also signs what was written.
 *
 * @param path A new name; its directory must exist.
 * @throws {CallsealError} `ERR_OUTPUT_EXISTS`, `ERR_IO`, `ERR_ABORTED`, `ERR_INVALID_ARGUMENT`.
 *
 * @example
 * const recipients = await Recipients.fromConfig();
 * await using writer = await createCallFileWriter('call.callsre.sealed', { recipients });
 * for await (const packet of call) await writer.write(packet);
 * await writer.close();
 */
export async function createCallFileWriter(path: string, options: CallFileWriterOptions): Promise<CallFileWriter> {
  assertPath(path, 'path');
  assertOptions(options);
  const { recipients, signer, segmentLength = DEFAULT_LIVE_SEGMENT_LENGTH, flushInterval, signal } = options;
  assertRecipients(recipients);
  assertSigner(signer);
  assertSegmentLength(segmentLength);
  assertInterval(flushInterval, 'flushInterval');
  assertSignal(signal);
  throwIfAborted(signal);
  const { header, encryptor } = await templateOf(recipients, signer).start(newPrelude(signer), segmentLength);
  const file = await GrowingFile.create(path);
  try {
    file.append(Buffer.concat([header, encryptor.header]));
    await file.drain();
    await syncNameOf(path).catch((error: unknown) => {
      throw systemError(error, 'cannot sync the directory of', path);
    });
    throwIfAborted(signal);
  } catch (error) {
    await file.discard();
    throw error;
  }
  return new LiveWriter(file, encryptor, segmentLength, flushInterval, signal);
}

const NO_BYTES = new Uint8Array(0);
/** The time one native call may take: more than it ever needs. */
const UNLIMITED = 1_000_000;
/** Encrypted bytes that are made at once. */
const PIECE_BYTES = 1 << 20;
const DONE = Promise.resolve();

class LiveWriter implements CallFileWriter {
  readonly #file: GrowingFile;
  readonly #encryptor: NativeFloeEncryptor;
  readonly #segmentLength: number;
  readonly #flushInterval: number | undefined;
  readonly #signal: AbortSignal | undefined;
  /** Plaintext that fills no segment. A full one is encrypted at once; then the last one may be empty. */
  readonly #held: Buffer;
  #filled = 0;
  bytesWritten = 0;
  durableBytes = 0;
  /** Plaintext in the segments that were made. */
  #sealed = 0;
  /** The last segment was made. */
  #ended = false;
  /** What follows the last segment was made. */
  #signed = false;
  #result: FileResult | null = null;
  /** Why nothing can be relied on any more. */
  #failure: CallsealError | null = null;
  /** Why it was given up, and the end of that. */
  #abortion: { reason: CallsealError; done: Promise<void> } | null = null;
  /** The end of all syncs that were begun. */
  #syncs: Promise<unknown> = DONE;
  /** The end of what was called last, and how many calls have not ended. */
  #last: Promise<unknown> = DONE;
  #calls = 0;
  /** The write that was refused last, and how many were: calls made before that was known are refused with it. */
  #refusal: unknown = null;
  #refusals = 0;

  constructor(
    file: GrowingFile,
    encryptor: NativeFloeEncryptor,
    segmentLength: number,
    flushInterval: number | undefined,
    signal: AbortSignal | undefined,
  ) {
    this.#file = file;
    this.#encryptor = encryptor;
    this.#segmentLength = segmentLength;
    this.#flushInterval = flushInterval;
    this.#signal = signal;
    this.#held = Buffer.allocUnsafeSlow(encryptor.plaintextLength);
    signal?.addEventListener('abort', this.#onSignal, { once: true });
  }

  get path(): string {
    return this.#file.path;
  }

  async write(chunk: Uint8Array): Promise<void> {
    const bytes = new BorrowedBytes(chunk, 'chunk').from(0);
    this.#assertOpen();
    if (this.#calls === 0 && !this.#file.hasPending) {
      this.#take(bytes);
      return this.#file.hasPending ? this.#inOrder(() => this.#drainForNow()) : undefined;
    }
    const copy = Uint8Array.from(bytes);
    return this.#inOrder(async () => {
      try {
        this.#assertOpen();
        await this.#file.drain();
        this.#take(copy);
      } catch (error) {
        this.#refusal = error;
        this.#refusals++;
        throw error;
      }
      await this.#drainForNow();
    });
  }

  async flush(): Promise<void> {
    this.#assertOpen();
    const sealed = await this.#inOrder(async () => {
      this.#assertOpen();
      await this.#file.drain();
      return this.#sealed;
    });
    await this.#sync(() => sealed > this.durableBytes);
    this.durableBytes = Math.max(this.durableBytes, sealed);
  }

  close(): Promise<FileResult> {
    return this.#inOrder(async () => {
      if (this.#result !== null) return this.#result;
      this.#assertUsable();
      if (!this.#ended) this.#seal(NO_BYTES, true);
      this.#ended = true;
      await this.#sign();
      await this.#file.drain();
      await this.#sync();
      if (this.#failure !== null) throw this.#failure; // of a flush beside it
      this.durableBytes = this.bytesWritten;
      this.#result = { inputBytes: this.bytesWritten, outputBytes: this.#file.length };
      await this.#release();
      return this.#result;
    });
  }

  abort(): Promise<void> {
    return this.#abortWith(new CallsealError('ERR_ABORTED', `${this.path}: its writer was aborted`));
  }

  /** For `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.abort();
  }

  writable(): Writable {
    return new Writable({
      highWaterMark: this.#segmentLength,
      write: (chunk: Uint8Array, _encoding, callback) => this.write(chunk).then(() => callback(), callback),
      final: (callback) => this.close().then(() => callback(), callback),
      destroy: (error, callback) => {
        this.abort().then(
          () => callback(error),
          (failure) => callback(error ?? failure),
        );
      },
    });
  }

  /** Runs one call after the other. */
  #inOrder<T>(call: () => Promise<T>): Promise<T> {
    const refusals = this.#refusals;
    this.#calls++;
    const run = async (): Promise<T> => {
      try {
        if (refusals !== this.#refusals) throw this.#refusal;
        return await call();
      } finally {
        this.#calls--;
      }
    };
    const result = this.#last.then(run, run);
    this.#last = result.catch(() => {});
    return result;
  }

  /** Encrypts all full segments of what is held and `bytes`, and holds the rest. */
  #take(bytes: Uint8Array): void {
    this.bytesWritten += bytes.length;
    const capacity = this.#held.length;
    const most = Math.max(1, Math.floor(PIECE_BYTES / this.#segmentLength)) * capacity;
    let rest = bytes;
    while (this.#filled + rest.length >= capacity) {
      const full = Math.min(most, Math.floor((this.#filled + rest.length) / capacity) * capacity);
      const used = full - this.#filled;
      this.#seal(rest.subarray(0, used), false);
      rest = rest.subarray(used);
    }
    this.#held.set(rest, this.#filled);
    this.#filled += rest.length;
    if (this.#flushInterval !== undefined && this.#sealed > this.durableBytes) {
      flushWithin(this.#flushNow, this.#flushInterval);
    }
  }

  /** Makes segments of what is held and `more`: once, as another attempt would have other IVs than a reader may have seen. */
  #seal(more: Uint8Array, last: boolean): void {
    const length = this.#filled + more.length;
    const segments = Math.max(1, Math.ceil(length / this.#held.length));
    const sealed = Buffer.allocUnsafeSlow(length + segments * SEGMENT_OVERHEAD);
    try {
      const held = this.#held.subarray(0, this.#filled);
      const written = this.#encryptor.encrypt(held, more, last, sealed, 1, UNLIMITED);
      // The memory is not cleared: nothing of it may go out that was not written.
      if (written !== sealed.length) throw new CallsealError('ERR_CRYPTO', 'a chunk was not encrypted whole');
    } catch (error) {
      throw this.#fail(error);
    }
    this.#filled = 0;
    this.#sealed += length;
    this.#file.append(sealed);
  }

  /** Ends a signed file, once; without a signer there is nothing to add. */
  async #sign(): Promise<void> {
    if (this.#signed) return;
    // May fail for a while, where the key is in a token; the last segment is written meanwhile.
    const closing = await this.#encryptor.closing();
    this.#signed = true;
    if (closing.length > 0) this.#file.append(closing);
  }

  /** What cannot be written now stays pending; the next call meets the reason, before it takes anything. */
  async #drainForNow(): Promise<void> {
    await this.#file.drain().catch(() => {});
  }

  /** @param needed asked once the disk is free for it */
  async #sync(needed = () => true): Promise<void> {
    const sync = syncInTurn(async () => {
      if (needed()) await this.#file.datasync();
    });
    this.#syncs = Promise.allSettled([this.#syncs, sync]);
    await sync.catch((error: unknown) => {
      throw this.#fail(error);
    });
  }

  /** For the shared timer. What goes wrong is met by the next call. */
  readonly #flushNow = (): void => {
    this.flush().catch(() => {});
  };

  readonly #onSignal = (): void => {
    this.#abortWith(abortError(this.#signal as AbortSignal)).catch(() => {});
  };

  /** What runs ends first; calls that wait, and those that come, are refused. */
  #abortWith(reason: CallsealError): Promise<void> {
    if (this.#abortion === null) {
      const done = this.#last.then(() => this.#giveUp());
      this.#last = done.catch(() => {});
      this.#abortion = { reason, done };
    }
    return this.#abortion.done;
  }

  async #giveUp(): Promise<void> {
    if (this.#result !== null) return;
    try {
      await this.#file.drain();
      await this.#sync();
      if (this.#failure === null) this.durableBytes = this.#sealed;
    } finally {
      await this.#release();
    }
  }

  async #release(): Promise<void> {
    forgetFlush(this.#flushNow);
    this.#signal?.removeEventListener('abort', this.#onSignal);
    this.#held.fill(0);
    await this.#syncs;
    await this.#file.close();
  }

  #fail(error: unknown): CallsealError {
    this.#failure ??= error as CallsealError;
    return this.#failure;
  }

  #assertUsable(): void {
    if (this.#failure !== null) throw this.#failure;
    if (this.#abortion !== null) throw this.#abortion.reason;
  }

  #assertOpen(): void {
    this.#assertUsable();
    if (!this.#ended) return;
    throw new CallsealError('ERR_INVALID_ARGUMENT', `${this.path}: its writer was closed, and takes no more`);
  }
}
