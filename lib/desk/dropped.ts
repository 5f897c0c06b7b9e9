/** Files that come from the browser: encrypted bytes, kept for as long as the desk is open, in files without a name. */

import { type FileHandle, mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { CallsealError, errnoOf } from '../errors.ts';
import { systemError, systemReason } from '../recipients/regular-file.ts';
import { safe } from '../safe-text.ts';
import { formatBytes, formatInteger } from '../wording.ts';
import { MAX_DROPPED_BYTES } from './protocol.ts';
import { DroppedFile } from './sealed-file.ts';

const MAX_NAME_LENGTH = 1024;
/** Each has a descriptor, of which a process has 1024 where nobody has changed that. */
const MAX_DROPPED_FILES = 800;

/** How much may be dropped, all together. */
export interface DropLimits {
  files: number;
  bytes: number;
}

export class DroppedFiles {
  readonly #limits: DropLimits;
  /** Of files that are here, or on the way. */
  #files = 0;
  #bytes = 0;

  constructor(limits: DropLimits = { files: MAX_DROPPED_FILES, bytes: MAX_DROPPED_BYTES }) {
    this.#limits = limits;
  }

  /**
   * Takes the body of a request into a file that has lost its name before anything is written to it.
   *
   * @param name As the browser calls it, with the folders that it was dropped with.
   * @throws {CallsealError} `ERR_INVALID_ARGUMENT`, `ERR_IO` (such as a full disk), `ERR_ABORTED` when the browser breaks off
   */
  async receive(request: IncomingMessage, name: string): Promise<DroppedFile> {
    const length = Number(request.headers['content-length']);
    if (!(length <= this.#limits.bytes)) throw tooMuch(this.#limits);
    try {
      return await this.#keep(request, safeName(name), length);
    } catch (error) {
      // A browser that cannot send the rest takes that for a lost connection, and reads no answer.
      request.resume();
      await finished(request).catch(() => undefined);
      throw error;
    }
  }

  async #keep(request: IncomingMessage, name: string, length: number): Promise<DroppedFile> {
    const release = this.#reserve(length);
    try {
      const handle = await unnamedFile();
      await fill(handle, request, name);
      return new DroppedFile(name, handle, release);
    } catch (error) {
      release();
      throw error;
    }
  }

  /** @returns what gives the room back */
  #reserve(length: number): () => void {
    if (this.#files >= this.#limits.files || this.#bytes + length > this.#limits.bytes) throw tooMuch(this.#limits);
    this.#files += 1;
    this.#bytes += length;
    return () => {
      this.#files -= 1;
      this.#bytes -= length;
    };
  }
}

/** Closes the file when that fails. */
async function fill(handle: FileHandle, request: IncomingMessage, name: string): Promise<void> {
  try {
    await writeFile(handle, request.iterator({ destroyOnReturn: false }));
  } catch (error) {
    await handle.close();
    const isGone = request.destroyed && !request.complete;
    if (isGone) throw new CallsealError('ERR_ABORTED', `${name} was not received in full`, { cause: error });
    throw notKept(name, error);
  }
}

function notKept(name: string, cause: unknown): CallsealError {
  const errno = errnoOf(cause);
  const place = `${tmpdir()}: ${systemReason(cause)}`;
  const message = `cannot keep ${name} in ${place}; make room there, or start the desk with another TMPDIR`;
  return new CallsealError('ERR_IO', message, { cause, path: name, ...(errno !== undefined && { errno }) });
}

function tooMuch({ files, bytes }: DropLimits): CallsealError {
  const most = `${formatInteger(files)} dropped files of ${formatBytes(bytes)} together`;
  const how = 'take some away, or name their folder when you start the desk';
  return new CallsealError('ERR_INVALID_ARGUMENT', `the desk takes at most ${most}; ${how}`);
}

/** Mode 0600, in a directory that only this user may enter, and without a name. */
async function unnamedFile(): Promise<FileHandle> {
  let directory: string | undefined;
  try {
    directory = await mkdtemp(join(tmpdir(), 'callseal-desk-'));
    return await open(join(directory, 'dropped'), 'wx+', 0o600);
  } catch (error) {
    throw systemError(error, 'cannot make a file in', directory ?? tmpdir());
  } finally {
    if (directory !== undefined) await rm(directory, { recursive: true, force: true });
  }
}

/**
 * A relative path that stays where it is put: `Save all` writes below its directory by that name.
 *
 * @throws {CallsealError} `ERR_INVALID_ARGUMENT`
 */
function safeName(name: string): string {
  const parts = name.split('/');
  const bad = parts.some((part) => part === '' || part === '.' || part === '..' || safe(part) !== part);
  if (bad || name.length > MAX_NAME_LENGTH) {
    throw new CallsealError('ERR_INVALID_ARGUMENT', `${safe(name).slice(0, 80)} is no name that a file can have here`);
  }
  return name;
}
