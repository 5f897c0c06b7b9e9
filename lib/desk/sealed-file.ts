/** An encrypted file at the desk: where it is, and how to get at it without being led elsewhere. */

import { constants } from 'node:fs';
import { type FileHandle, open, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { CallsealError } from '../errors.ts';
import { closeRead, systemError } from '../recipients/regular-file.ts';

/** A file that is read through a descriptor, whatever happens to its name meanwhile. */
export interface SealedFile {
  /** For people: its path below its directory, or as it was dropped. */
  readonly name: string;
  readonly dropped: boolean;
  /**
   * Opens the file for as long as `use` runs.
   *
   * @throws {CallsealError} `ERR_IO`, `ERR_INPUT_CHANGED`, and what `use` throws, with the file's name in it
   */
  with<T>(use: (path: string) => Promise<T>): Promise<T>;
  /**
   * Opens the file until it is given up, so that all that is done with it is done with the same file.
   *
   * @throws {CallsealError} `ERR_IO`, `ERR_INPUT_CHANGED`
   */
  hold(): Promise<HeldFile>;
  /** Gives up what is held of it. */
  close(): Promise<void>;
}

/** A file that stays the one that was opened, whatever happens to its name. */
export class HeldFile {
  /** Leads to it and to no other, until it is closed. */
  readonly path: string;
  readonly #handle: FileHandle;

  constructor(handle: FileHandle) {
    this.#handle = handle;
    this.path = pathOf(handle);
  }

  /** Differs once somebody has written to the file: the time of a change cannot be set back, as that of a modification can. */
  async state(): Promise<string> {
    const { size, mtimeNs, ctimeNs } = await this.#handle.stat({ bigint: true });
    return `${size} ${mtimeNs} ${ctimeNs}`;
  }

  close(): Promise<void> {
    return closeRead(this.#handle);
  }
}

/** A path that leads to an open file and to no other. */
function pathOf(handle: FileHandle): string {
  return `/proc/self/fd/${handle.fd}`;
}

async function whileHeld<T>(file: SealedFile, use: (path: string) => Promise<T>): Promise<T> {
  const held = await file.hold();
  try {
    return await named(file.name, held.path, use);
  } finally {
    await held.close();
  }
}

/** Runs `use`; an error that speaks of a descriptor speaks of the file's name instead. */
export async function named<T>(name: string, path: string, use: (path: string) => Promise<T>): Promise<T> {
  try {
    return await use(path);
  } catch (error) {
    throw renamed(error, path, name);
  }
}

/** An error about a path, as one about a name. */
export function renamed(error: unknown, path: string, name: string): unknown {
  if (!(error instanceof CallsealError)) return error;
  const { code, message, cause, errno } = error;
  const details = { cause, path: name, ...(errno === undefined ? {} : { errno }) };
  return new CallsealError(code, message.replaceAll(path, name), details);
}

/** A file below a directory that the command line names. */
export class FolderFile implements SealedFile {
  readonly dropped = false;
  readonly name: string;
  readonly #path: string;

  /**
   * @param root With all links resolved.
   * @param name Below it.
   */
  constructor(root: string, name: string) {
    this.name = name;
    this.#path = join(root, name);
  }

  with<T>(use: (path: string) => Promise<T>): Promise<T> {
    return whileHeld(this, use);
  }

  /** A name that has become a link since, or lies behind one, is refused: the system says what was really opened. */
  async hold(): Promise<HeldFile> {
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;
    const handle = await open(this.#path, flags).catch((error: unknown) => {
      throw systemError(error, 'cannot open', this.name);
    });
    try {
      if ((await readlink(pathOf(handle))) !== this.#path) throw moved(this.name);
      return new HeldFile(handle);
    } catch (error) {
      await closeRead(handle);
      throw error;
    }
  }

  async close(): Promise<void> {}
}

/** A file that was dropped on the page. It has no name on this host. */
export class DroppedFile implements SealedFile {
  readonly dropped = true;
  readonly name: string;
  readonly #handle: FileHandle;
  readonly #onClose: () => void;

  constructor(name: string, handle: FileHandle, onClose: () => void) {
    this.name = name;
    this.#handle = handle;
    this.#onClose = onClose;
  }

  with<T>(use: (path: string) => Promise<T>): Promise<T> {
    return whileHeld(this, use);
  }

  /** Through a descriptor of its own: when the file is taken away, the number of the other is soon another file's. */
  async hold(): Promise<HeldFile> {
    return new HeldFile(
      await open(pathOf(this.#handle), constants.O_RDONLY).catch((error: unknown) => {
        throw systemError(error, 'cannot open', this.name);
      }),
    );
  }

  async close(): Promise<void> {
    await this.#handle.close();
    this.#onClose();
  }
}

function moved(name: string): CallsealError {
  return new CallsealError(
    'ERR_INPUT_CHANGED',
    `${name} is not the file that was found there any more; look at the folder again`,
    { path: name },
  );
}

/** What a decrypted copy is called: without the suffix, or with another where taking it off leaves no name. */
export function plainNameOf(name: string, suffix: string): string {
  const plain = name.endsWith(suffix) ? name.slice(0, -suffix.length) : name;
  const isName = plain !== name && !['', '.', '..'].includes(plain.slice(plain.lastIndexOf('/') + 1));
  return isName ? plain : `${name}.plain`;
}
