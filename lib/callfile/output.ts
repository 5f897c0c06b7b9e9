/** Decides where a file job writes, before any work is done. Native code checks again when it commits. */

import type { BigIntStats } from 'node:fs';
import { lstat, stat } from 'node:fs/promises';

import { CallsealError, errnoOf } from '../errors.ts';
import type { FileJobOutput } from '../native/binding.ts';
import { systemError } from '../recipients/regular-file.ts';

/** How an output file is written. */
export interface OutputOptions {
  /** Replace an existing regular file. Default false: an existing output is `ERR_OUTPUT_EXISTS`. */
  overwrite?: boolean | undefined;
  /** Wait until file and directory are on the disk. Default true. */
  sync?: boolean | undefined;
}

/**
 * Plans the output of a job that reads `input`. When both are the same file, the job replaces it in place.
 *
 * @param inputStats Of the open input.
 * @throws {CallsealError} `ERR_OUTPUT_EXISTS`; `ERR_IO`; `ERR_INVALID_ARGUMENT` for a file in place that has another
 *   name, which would keep the old content.
 */
export async function planOutput(
  input: string,
  inputStats: BigIntStats,
  output: string,
  options: OutputOptions,
): Promise<FileJobOutput> {
  const { overwrite = false, sync = true } = options;
  const there = await lookAt(output);
  if (there === null) return { path: output, replace: overwrite, sync };
  if (await isSameFile(there, inputStats, output)) {
    await requireSingleName(input, output, there, inputStats);
    return { path: output, replace: true, sync };
  }
  if (!there.isFile()) {
    const message = `${output} exists and is ${kindOf(there)}, which is never replaced; choose another output`;
    throw new CallsealError('ERR_OUTPUT_EXISTS', message, { path: output });
  }
  if (!overwrite) {
    const message = `${output} exists already; choose another output or allow overwriting`;
    throw new CallsealError('ERR_OUTPUT_EXISTS', message, { path: output });
  }
  return { path: output, replace: true, sync };
}

/** What is at `path` itself, without following a link; null when nothing is. */
async function lookAt(path: string): Promise<BigIntStats | null> {
  try {
    return await lstat(path, { bigint: true });
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return null;
    throw systemError(error, 'cannot examine the output', path);
  }
}

async function isSameFile(there: BigIntStats, input: BigIntStats, output: string): Promise<boolean> {
  if (!there.isSymbolicLink()) return there.dev === input.dev && there.ino === input.ino;
  try {
    const target = await stat(output, { bigint: true });
    return target.dev === input.dev && target.ino === input.ino;
  } catch {
    return false;
  }
}

async function requireSingleName(input: string, output: string, there: BigIntStats, stats: BigIntStats): Promise<void> {
  const linked = there.isSymbolicLink() ? output : (await lookAt(input))?.isSymbolicLink() ? input : null;
  if (linked !== null) {
    const message = `${linked} is a symbolic link: replacing it would leave the file it points to; name that file itself`;
    throw new CallsealError('ERR_INVALID_ARGUMENT', message, { path: linked });
  }
  if (stats.nlink > 1n) {
    const names = `${stats.nlink} names (hard links)`;
    const message = `${input} has ${names}: the other would keep the old content; remove it, or write to a new file`;
    throw new CallsealError('ERR_INVALID_ARGUMENT', message, { path: input });
  }
}

function kindOf(stats: BigIntStats): string {
  if (stats.isDirectory()) return 'a directory';
  if (stats.isSymbolicLink()) return 'a symbolic link';
  if (stats.isFIFO()) return 'a FIFO';
  if (stats.isSocket()) return 'a socket';
  return 'a device';
}
