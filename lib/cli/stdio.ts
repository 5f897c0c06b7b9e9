/** Data through standard input and output. */

import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import type { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type AtomicOptions, writeAtomically } from '../atomic-file.ts';
import { CallsealError, errnoOf } from '../errors.ts';

/** What stands for standard input among the files, and for standard output after `-o`. */
export const STDIO = '-';

/**
 * Checks what `-` stands for, and keeps data off a terminal.
 *
 * @returns whether data goes through a stream at all
 * @throws CallsealError ERR_INVALID_ARGUMENT
 */
export function checkStdio(files: readonly string[], output: string | undefined, otherOutput: boolean): boolean {
  const fromStdin = files.includes(STDIO);
  if (fromStdin && files.length > 1) throw usage('- (standard input) cannot be given together with other files');
  if (fromStdin && otherOutput) throw usage('- (standard input) has no name to derive one from; give -o OUT');
  if (fromStdin) keepOffTerminal(output);
  return fromStdin || output === STDIO;
}

/**
 * For results that go to standard output unless an output is named.
 *
 * @throws CallsealError ERR_INVALID_ARGUMENT
 */
export function keepOffTerminal(output: string | undefined): void {
  if (output !== undefined || process.stdout.isTTY !== true) return;
  throw usage('the result is binary and is not written to a terminal; give -o OUT, or -o - if it must be');
}

/**
 * For commands that must read a file from both ends.
 *
 * @throws CallsealError ERR_INVALID_ARGUMENT
 */
export function refuseStdin(files: readonly string[]): void {
  if (files.includes(STDIO)) throw usage('- (standard input) cannot be examined; give a file');
}

/**
 * Input through a transform to output, each a path or `-`. An output file appears complete or not at all.
 *
 * @throws CallsealError
 */
export async function streamThrough(
  input: string,
  output: string,
  transform: Transform,
  options: AtomicOptions & { signal: AbortSignal },
): Promise<void> {
  // A signal may end the transform while the output is being opened, when nothing listens yet; `pipeline` tells of it.
  transform.on('error', () => {});
  return toOutput(output, options, (sink) => pumpThrough(input, transform, sink, options.signal));
}

/**
 * A stream to output, a path or `-`. An output file appears complete or not at all.
 *
 * @throws CallsealError
 */
export async function streamTo(
  source: Readable,
  output: string,
  options: AtomicOptions & { signal: AbortSignal },
): Promise<void> {
  const { signal } = options;
  return toOutput(output, options, async (sink) => {
    const taker = new Taker(sink);
    try {
      await pipeline(source, taker.take, { signal });
    } catch (error) {
      throw signal.aborted ? signal.reason : (taker.failure ?? error);
    }
  });
}

async function toOutput(
  output: string,
  options: AtomicOptions & { signal: AbortSignal },
  pump: (sink: Sink) => Promise<void>,
): Promise<void> {
  if (output === STDIO) return pump((chunks) => toStdout(chunks, options.signal));
  return writeAtomically(output, options, (file) =>
    pump(async (chunks) => {
      for await (const chunk of chunks) await file.writeFile(chunk);
    }),
  );
}

type Sink = (chunks: AsyncIterable<Uint8Array>) => Promise<void>;

/** Keeps what a sink fails with: `pipeline` itself then says that the operation was aborted. */
class Taker {
  failure: unknown;
  readonly #sink: Sink;

  constructor(sink: Sink) {
    this.#sink = sink;
  }

  take = async (chunks: AsyncIterable<Uint8Array>): Promise<void> => {
    try {
      await this.#sink(chunks);
    } catch (error) {
      this.failure = error;
      throw error;
    }
  };
}

async function pumpThrough(input: string, transform: Transform, sink: Sink, signal: AbortSignal): Promise<void> {
  const source = input === STDIO ? process.stdin : createReadStream(input);
  const taker = new Taker(sink);
  try {
    await pipeline(source, transform, taker.take, { signal });
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    const errno = errnoOf(error);
    if (error !== source.errored || errno === undefined) throw taker.failure ?? error;
    const message = `${input === STDIO ? 'standard input' : input}: cannot be read (${errno})`;
    throw new CallsealError('ERR_IO', message, { cause: error, errno });
  }
}

/**
 * Not `pipeline(…, process.stdout)`, which destroys it with whatever error ends the stream.
 *
 * @param signal ends the wait for a reader that takes nothing; `pipeline` itself waits for this function
 */
export async function toStdout(chunks: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
  for await (const chunk of chunks) {
    if (!process.stdout.write(chunk)) await once(process.stdout, 'drain', { signal });
  }
}

function usage(message: string): CallsealError {
  return new CallsealError('ERR_INVALID_ARGUMENT', message);
}
