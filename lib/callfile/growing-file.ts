/** A file that grows under its own name, by bytes that are written once, each to its own place. */

import { constants } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { CallsealError } from '../errors.ts';
import { systemError } from '../recipients/regular-file.ts';

const FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW | constants.O_NOCTTY;

/** Jobs on it must not overlap, but for {@link GrowingFile.datasync}. */
export class GrowingFile {
  readonly path: string;
  readonly #handle: FileHandle;
  /** What is not written yet, or not known to be. It is never made anew: a reader may have seen its beginning. */
  readonly #pending: Uint8Array[] = [];
  /** Bytes of the first of them that are in the file. */
  #begun = 0;
  /** Bytes in the file. */
  #position = 0;
  /** Bytes in the file and pending. */
  #length = 0;

  private constructor(path: string, handle: FileHandle) {
    this.path = path;
    this.#handle = handle;
  }

  /**
   * Creates it, with mode 0600.
   *
   * @throws {CallsealError} `ERR_OUTPUT_EXISTS`, `ERR_IO`.
   */
  static async create(path: string): Promise<GrowingFile> {
    try {
      return new GrowingFile(path, await open(path, FLAGS, 0o600));
    } catch (error) {
      const failure = systemError(error, 'cannot create', path);
      if (failure.errno !== 'EEXIST') throw failure;
      throw new CallsealError(
        'ERR_OUTPUT_EXISTS',
        `${path} exists already; a live file is never written over another`,
        {
          path,
        },
      );
    }
  }

  get length(): number {
    return this.#length;
  }

  get hasPending(): boolean {
    return this.#pending.length > 0;
  }

  /** Adds bytes to its end, which {@link drain} writes. They must stay as they are. */
  append(bytes: Uint8Array): void {
    this.#pending.push(bytes);
    this.#length += bytes.length;
  }

  /**
   * Writes what is pending. What could not be written stays so, and the next call goes on where this one ended.
   *
   * @throws {CallsealError} `ERR_IO`.
   */
  async drain(): Promise<void> {
    for (let bytes = this.#pending[0]; bytes !== undefined; bytes = this.#pending[0]) {
      try {
        const rest = bytes.length - this.#begun;
        const { bytesWritten } = await this.#handle.write(bytes, this.#begun, rest, this.#position);
        this.#begun += bytesWritten;
        this.#position += bytesWritten;
      } catch (error) {
        throw systemError(error, 'cannot write', this.path);
      }
      if (this.#begun < bytes.length) continue;
      this.#pending.shift();
      this.#begun = 0;
    }
  }

  /**
   * Waits until what is in the file is on the disk.
   *
   * @throws {CallsealError} `ERR_IO`. The system may then have forgotten what it could not write.
   */
  async datasync(): Promise<void> {
    await this.#handle.datasync().catch((error: unknown) => {
      throw systemError(error, 'cannot sync', this.path);
    });
  }

  /** Closes it, once what runs on it has ended. */
  async close(): Promise<void> {
    await this.#handle.close().catch((error: unknown) => {
      throw systemError(error, 'cannot close', this.path);
    });
  }

  /**
   * Closes and removes it.
   *
   * @throws {CallsealError} `ERR_IO`. What was written of it is then still there.
   */
  async discard(): Promise<void> {
    await this.#handle.close().catch(() => {});
    await rm(this.path, { force: true }).catch((error: unknown) => {
      throw systemError(error, 'cannot remove', this.path);
    });
  }
}
