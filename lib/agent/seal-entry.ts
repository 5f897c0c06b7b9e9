/** Encrypts one file under the first name that no other file's encryption has. */

import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type FileStamp, type SealResult, sealFile } from '../callfile/seal.ts';
import { CallsealError, errnoOf, hasCode } from '../errors.ts';
import { syncDirectory } from '../sync-directory.ts';
import type { Directory } from './directory.ts';
import type { Settings } from './options.ts';
import type { SupplyState } from './types.ts';

/** Names that are tried for one file. */
const MOST_NAMES = 1000;

export interface Sealing extends SealResult {
  output: string;
}

/** What is known of the file, beside its name. */
export interface SealingHints {
  /** Milliseconds that it must not have changed for, where no lease can be had. */
  quietFor: number;
  /** What it was at least that long ago. */
  observed: FileStamp | null;
}

/** @throws {CallsealError} What `sealFile` throws; `ERR_OUTPUT_EXISTS` when all names are taken. */
export async function sealEntry(
  directory: Directory,
  name: string,
  { recipients }: SupplyState,
  { quietFor, observed }: SealingHints,
  { names, outputDir, seal }: Settings,
): Promise<Sealing> {
  await makeOutputDirectory(directory);
  const path = join(directory.path, name);
  const roots = { inputRoot: directory.root, ...(outputDir === null ? { outputRoot: directory.root } : {}) };
  const options = { ...seal, ...roots, recipients, quietFor, ...(observed === null ? {} : { observed }) };
  for (let taken = 0; ; taken += 1) {
    const output = join(directory.output, names.sealed(name, taken));
    try {
      return { ...(await sealFile(path, output, options)), output };
    } catch (error) {
      const isTaken = hasCode(error, 'ERR_OUTPUT_EXISTS');
      if (!isTaken || taken + 1 >= MOST_NAMES) throw error;
    }
  }
}

/** Makes the output directory and those above it, so that a power failure does not take them away. */
async function makeOutputDirectory(directory: Directory): Promise<void> {
  if (directory.outputMade || directory.output === directory.path) return;
  try {
    const first = await mkdir(directory.output, { recursive: true, mode: 0o700 });
    if (first !== undefined) {
      for (let made = directory.output; made.length >= first.length; made = dirname(made)) {
        await syncDirectory(dirname(made));
      }
    }
  } catch (error) {
    const errno = errnoOf(error);
    const message = `cannot make the directory ${directory.output} (${errno ?? String(error)})`;
    throw new CallsealError('ERR_IO', message, { path: directory.output, cause: error, ...(errno ? { errno } : {}) });
  }
  directory.outputMade = true;
}
