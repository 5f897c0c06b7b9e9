/** The files below what was typed, one after the other as directories are read: for trees of millions of files. */

import { lstat, opendir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { throwIfAborted } from '../abort.ts';
import { CallsealError } from '../errors.ts';
import { TEMPORARY_NAME } from '../locked-temporary.ts';
import { exists, type InputFile, notUtf8, unreadable } from './files.ts';

export interface WalkOptions {
  /** Whether directories may be given. */
  recursive?: boolean | undefined;
  signal: AbortSignal;
}

/** Names read from a directory at once. */
const READ_AT_ONCE = 1024;

/**
 * Files in the order in which the system has them. Links that are met are not followed; neither they nor devices nor
 * unfinished outputs are taken. What cannot be read becomes a file with a problem.
 */
export class FileWalk {
  /** Whether more than one file was asked for: several names, or a directory. */
  readonly several: boolean;
  /** Met and not taken so far. */
  passedOver = 0;
  /** Unfinished outputs among them that are older than this process: whoever wrote them was killed, or is at it still. */
  leftBehind = 0;
  readonly #roots: readonly Root[];
  readonly #signal: AbortSignal;

  private constructor(roots: readonly Root[], signal: AbortSignal) {
    this.several = roots.length > 1 || roots.some(({ isDirectory }) => isDirectory);
    this.#roots = roots;
    this.#signal = signal;
  }

  /** @throws CallsealError ERR_INVALID_ARGUMENT for a directory when `recursive` is false */
  static async of(paths: readonly string[], { recursive, signal }: WalkOptions): Promise<FileWalk> {
    const roots: Root[] = [];
    for (const path of paths) {
      const root = await rootAt(path);
      if (root.isDirectory && !recursive) {
        const message = `${path}: is a directory; give --recursive to take the files in it`;
        throw new CallsealError('ERR_INVALID_ARGUMENT', message);
      }
      roots.push(root);
    }
    return new FileWalk(roots, signal);
  }

  /** Another walk over the same. */
  again(): FileWalk {
    return new FileWalk(this.#roots, this.#signal);
  }

  async *files(): AsyncGenerator<InputFile, void, void> {
    for (const { path, isDirectory, problem } of this.#roots) {
      if (isDirectory) yield* this.#below(path, '');
      else yield { path, relative: basename(path), named: true, ...(problem && { problem }) };
    }
  }

  async #passOver(path: string, name: string): Promise<void> {
    this.passedOver += 1;
    if (!TEMPORARY_NAME.test(name)) return;
    const status = await lstat(path).catch(() => undefined);
    if (status !== undefined && status.ctimeMs < STARTED) this.leftBehind += 1;
  }

  async *#below(root: string, below: string): AsyncGenerator<InputFile, void, void> {
    const directory = join(root, below);
    try {
      for await (const entry of await opendir(directory, { bufferSize: READ_AT_ONCE })) {
        throwIfAborted(this.#signal);
        const relative = join(below, entry.name);
        const path = join(root, relative);
        if (entry.name.includes('\ufffd') && !(await exists(path))) {
          yield { path, relative, named: false, problem: notUtf8(path) };
        } else if (entry.isDirectory()) yield* this.#below(root, relative);
        else if (entry.isFile() && !TEMPORARY_NAME.test(entry.name)) yield { path, relative, named: false };
        else await this.#passOver(path, entry.name);
      }
    } catch (error) {
      if (this.#signal.aborted) throw error;
      yield { path: directory, relative: below, named: false, problem: unreadable(directory, error) };
    }
  }
}

/** Milliseconds since 1970. */
const STARTED = Date.now() - process.uptime() * 1000;

/** Something named on the command line. */
interface Root {
  path: string;
  isDirectory: boolean;
  problem?: CallsealError;
}

async function rootAt(path: string): Promise<Root> {
  try {
    return { path, isDirectory: (await stat(path)).isDirectory() };
  } catch (error) {
    return { path, isDirectory: false, problem: unreadable(path, error) };
  }
}
