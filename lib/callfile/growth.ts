/** A file that somebody else writes to: what is there of it now, and waiting until there may be more. */

import { type BigIntStats, type FSWatcher, watch } from 'node:fs';
import { type FileHandle, stat } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { CallsealError } from '../errors.ts';
import { openRegularFile, readAt, systemError } from '../recipients/regular-file.ts';
import { abortError } from './job.ts';

/** Notices of the system may be missing: over a network, or when it has none left to give. */
const POLL_MILLISECONDS = 500;

/** An open file, and the name that it had. */
export class GrowingInput {
  readonly path: string;
  readonly #handle: FileHandle;
  readonly #opened: BigIntStats;
  readonly #signal: AbortSignal | undefined;
  #watcher: FSWatcher | undefined;
  #changed = false;
  #wake: () => void = () => {};

  private constructor(path: string, handle: FileHandle, opened: BigIntStats, signal: AbortSignal | undefined) {
    this.path = path;
    this.#handle = handle;
    this.#opened = opened;
    this.#signal = signal;
  }

  /**
   * @param wait Whether to wait for a file that is not there yet.
   * @throws {CallsealError} `ERR_IO`, `ERR_INVALID_ARGUMENT` for anything but a regular file, `ERR_ABORTED`.
   */
  static async open(path: string, wait: boolean, signal: AbortSignal | undefined): Promise<GrowingInput> {
    for (;;) {
      try {
        const { handle, stats } = await openRegularFile(path);
        return new GrowingInput(path, handle, stats, signal);
      } catch (error) {
        if (!wait || !(error instanceof CallsealError) || error.errno !== 'ENOENT') throw error;
      }
      await sleep(POLL_MILLISECONDS, signal);
    }
  }

  /** @throws {CallsealError} `ERR_IO`. */
  async size(): Promise<number> {
    return Number((await this.#handle.stat({ bigint: true }).catch(this.#cannotExamine)).size);
  }

  /** What there is between `offset` and `offset + into.length`. */
  async read(into: Uint8Array, offset: number): Promise<Uint8Array> {
    return into.subarray(0, await readAt(this.#handle, into, offset, this.path));
  }

  /** Whether its name is that of another file by now, or of none. */
  async wasReplaced(): Promise<boolean> {
    const named = await stat(this.path, { bigint: true }).catch(() => null);
    return named === null || named.ino !== this.#opened.ino || named.dev !== this.#opened.dev;
  }

  /**
   * Waits until the file may have changed since it was waited for last, half a second at most.
   *
   * @throws {CallsealError} `ERR_ABORTED`.
   */
  async change(): Promise<void> {
    this.#watcher ??= this.#watch();
    const changed = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    if (this.#changed) this.#wake();
    const patience = new AbortController();
    const stop = (): void => patience.abort();
    this.#signal?.addEventListener('abort', stop, { once: true });
    try {
      if (this.#signal?.aborted) throw abortError(this.#signal);
      const timer = pause(POLL_MILLISECONDS, undefined, { signal: patience.signal }).catch(() => {});
      await Promise.race([changed, timer]);
      if (this.#signal?.aborted) throw abortError(this.#signal);
    } finally {
      this.#signal?.removeEventListener('abort', stop);
      patience.abort();
      this.#changed = false;
    }
  }

  /** @throws {CallsealError} `ERR_ABORTED`. */
  sleep(milliseconds: number): Promise<void> {
    return sleep(milliseconds, this.#signal);
  }

  async close(): Promise<void> {
    this.#watcher?.close();
    await this.#handle.close();
  }

  /** Without notices there is still the clock. */
  #watch(): FSWatcher | undefined {
    try {
      const watcher = watch(this.path, { persistent: false }, () => {
        this.#changed = true;
        this.#wake();
      });
      return watcher.on('error', () => watcher.close());
    } catch {
      return undefined;
    }
  }

  readonly #cannotExamine = (error: unknown): never => {
    throw systemError(error, 'cannot examine', this.path);
  };
}

async function sleep(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await pause(milliseconds, undefined, signal && { signal });
  } catch (error) {
    throw signal?.aborted ? abortError(signal) : error;
  }
}
