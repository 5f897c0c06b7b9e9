/** The bytes that `protect` and `unprotect` take in and give out. */

import type { ReadStream } from 'node:fs';
import { createReadStream } from 'node:fs';
import type { Command } from 'commander';
import { throwIfAborted } from '../../abort.ts';
import { writeAtomically } from '../../atomic-file.ts';
import { CallsealError, errnoOf } from '../../errors.ts';
import { STDIO } from '../stdio.ts';
import { formatBytes } from '../text.ts';

/** Records are held in memory, a few times over. Larger things are files: `callseal encrypt`. */
const MAX_INPUT_BYTES = 64 * 1024 * 1024;

export interface RecordIoOptions {
  in: string;
  out: string;
  force?: boolean;
}

export function addRecordIoOptions(command: Command): Command {
  return command
    .option('--in <file>', 'read from this file, or - for standard input', STDIO)
    .option('--out <file>', 'write to this file, or - for standard output', STDIO)
    .option('-f, --force', 'replace an output that exists');
}

/** @throws {CallsealError} `ERR_INVALID_ARGUMENT` for bytes that would go to a terminal. */
export function refuseTerminal({ out }: RecordIoOptions): void {
  if (out !== STDIO || process.stdout.isTTY !== true) return;
  throw new CallsealError(
    'ERR_INVALID_ARGUMENT',
    'the result is binary and is not written to a terminal; give --out FILE',
  );
}

/**
 * Everything of the input.
 *
 * @throws {CallsealError} `ERR_IO`; `ERR_INVALID_ARGUMENT` when it is too long.
 */
export async function readInput({ in: path }: RecordIoOptions, signal: AbortSignal): Promise<Buffer> {
  const source: NodeJS.ReadStream | ReadStream = path === STDIO ? process.stdin : createReadStream(path, { signal });
  const name = path === STDIO ? 'standard input' : path;
  const stop = () => source.destroy();
  signal.addEventListener('abort', stop, { once: true });
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of source as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > MAX_INPUT_BYTES) throw tooLong(name);
      chunks.push(chunk);
    }
    throwIfAborted(signal);
  } catch (error) {
    throwIfAborted(signal);
    if (error instanceof CallsealError) throw error;
    const errno = errnoOf(error);
    throw new CallsealError('ERR_IO', `${name}: cannot be read (${errno ?? String(error)})`, {
      cause: error,
      ...(errno !== undefined && { errno }),
    });
  } finally {
    signal.removeEventListener('abort', stop);
  }
  return Buffer.concat(chunks, length);
}

function tooLong(name: string): CallsealError {
  const most = formatBytes(MAX_INPUT_BYTES);
  return new CallsealError(
    'ERR_INVALID_ARGUMENT',
    `${name}: more than ${most}; a record is held in memory as a whole. For larger things there is callseal encrypt`,
  );
}

/** Writes all bytes: to standard output, or to a file that appears complete, readable by its owner only. */
export async function writeOutput({ out, force = false }: RecordIoOptions, bytes: Uint8Array): Promise<void> {
  if (out !== STDIO) {
    await writeAtomically(out, { overwrite: force, sync: true }, (file) => file.writeFile(bytes));
    return;
  }
  await new Promise<void>((resolve) => {
    process.stdout.write(bytes, () => resolve());
  });
}
