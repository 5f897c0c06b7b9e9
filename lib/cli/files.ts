/** From what was typed to the list of files: directories expanded, in a stable order. */

import type { Dirent } from 'node:fs';
import { lstat, readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { throwIfAborted } from '../abort.ts';
import { CallsealError, errnoOf } from '../errors.ts';
import { TEMPORARY_NAME } from '../locked-temporary.ts';

/** One file to work on. */
export interface InputFile {
  /** As given, or below the directory given. */
  path: string;
  /** Where it goes below an output directory: its name, or its path below the directory given. */
  relative: string;
  /** Named on the command line, not met in a directory. */
  named: boolean;
  /** Why it cannot be worked on; it is listed with the failures. */
  problem?: CallsealError;
}

export interface Expansion {
  files: InputFile[];
  /** Files met in directories and not taken: links, devices, unfinished outputs, and what `take` does not want. */
  passedOver: number;
  /** Whether more than one file was asked for: several names, or a directory. */
  several: boolean;
}

export interface ExpandOptions {
  /** Whether directories may be given. */
  recursive?: boolean | undefined;
  signal: AbortSignal;
  /** Which files met in a directory are wanted; files named on the command line always are. */
  take?: (name: string) => boolean;
}

/**
 * Expands directories. Links met on the way are not followed (a link named on the command line is); neither devices
 * nor Callseal's own unfinished outputs are taken. A directory that cannot be read becomes a file with a problem.
 *
 * @throws CallsealError ERR_INVALID_ARGUMENT for a directory when `recursive` is false
 */
export async function expandInputs(paths: readonly string[], options: ExpandOptions): Promise<Expansion> {
  const expansion: Expansion = { files: [], passedOver: 0, several: paths.length > 1 };
  for (const path of paths) {
    const kind = await stat(path).catch((error: unknown) => error);
    if (kind instanceof Error) {
      expansion.files.push({ path, relative: basename(path), named: true, problem: unreadable(path, kind) });
    } else if ((kind as { isDirectory(): boolean }).isDirectory()) {
      if (!options.recursive) {
        throw new CallsealError(
          'ERR_INVALID_ARGUMENT',
          `${path}: is a directory; give --recursive to take the files in it`,
        );
      }
      expansion.several = true;
      await walk(path, '', options, expansion);
    } else {
      expansion.files.push({ path, relative: basename(path), named: true });
    }
  }
  return expansion;
}

async function walk(root: string, below: string, options: ExpandOptions, expansion: Expansion): Promise<void> {
  throwIfAborted(options.signal);
  const directory = join(root, below);
  let entries: Dirent[];
  try {
    entries = await readdir(directory, { withFileTypes: true });
  } catch (error) {
    expansion.files.push({ path: directory, relative: below, named: false, problem: unreadable(directory, error) });
    return;
  }
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    const relative = join(below, entry.name);
    const path = join(root, relative);
    if (entry.name.includes('\ufffd') && !(await exists(path))) {
      expansion.files.push({ path, relative, named: false, problem: notUtf8(path) });
    } else if (entry.isDirectory()) {
      await walk(root, relative, options, expansion);
    } else if (entry.isFile() && !TEMPORARY_NAME.test(entry.name) && options.take?.(entry.name) !== false) {
      expansion.files.push({ path, relative, named: false });
    } else {
      expansion.passedOver += 1;
    }
  }
}

/** Whether there is anything under the name. */
export async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

const REASONS: Record<string, string> = {
  ENOENT: 'no such file',
  ENOTDIR: 'no such file',
  EACCES: 'this user may not read it',
  EPERM: 'this user may not read it',
};

/** Why a file or directory that was met cannot be read. */
export function unreadable(path: string, cause: unknown): CallsealError {
  const errno = errnoOf(cause);
  if (errno === 'ENOENT' && path.includes('\ufffd')) return notUtf8(path);
  const reason = (errno && REASONS[errno]) ?? `cannot be read (${errno ?? String(cause)})`;
  return new CallsealError('ERR_IO', `${path}: ${reason}`, { path, cause, ...(errno ? { errno } : {}) });
}

/** Node hands over arguments and names as UTF-8 only: other bytes are lost before we see them. */
export function notUtf8(path: string): CallsealError {
  return new CallsealError('ERR_IO', `${path}: the name is not UTF-8; rename the file, or pass its content through -`, {
    path,
  });
}
