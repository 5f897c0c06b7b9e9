/**
 * Many files: a bounded number at a time, messages in the order of the files, on after a failure, and at the end what
 * was done and what was not.
 */

import { availableParallelism } from 'node:os';
import { hasCode } from '../errors.ts';
import { EXIT_RECOVERED, EXIT_SOME_FAILED } from './exit-codes.ts';
import type { InputFile } from './files.ts';
import { interruptExitCode } from './interrupt.ts';
import { exitCodeFor, type Failure, type Output } from './output.ts';
import { Progress } from './progress.ts';
import { count, formatBytes, formatInteger } from './text.ts';

const MAX_AT_ONCE = 8;

/** How one item ended. */
export type Result<R> = { value: R } | { error: unknown };

/**
 * Runs a task for every item, at most one for each core (and eight) at a time, and reports each in the order of the
 * items. After the signal fires, no further item is begun and those cut off are not reported.
 *
 * @param report called once an item and all before it are over
 */
export async function runInOrder<T, R>(
  items: readonly T[],
  signal: AbortSignal,
  run: (item: T, index: number) => Promise<R>,
  report: (item: T, result: Result<R>) => void,
): Promise<void> {
  const waiting = new Map<number, Result<R>>();
  let next = 0;
  let reported = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length && !signal.aborted) {
      const index = next;
      next += 1;
      waiting.set(index, await settle(run(items[index]!, index)));
      for (let result = waiting.get(reported); result !== undefined; result = waiting.get(reported)) {
        waiting.delete(reported);
        if (!isAborted(result)) report(items[reported]!, result);
        reported += 1;
      }
    }
  };
  const workers = Math.min(items.length, availableParallelism(), MAX_AT_ONCE);
  await Promise.all(Array.from({ length: workers }, worker));
}

async function settle<R>(promise: Promise<R>): Promise<Result<R>> {
  try {
    return { value: await promise };
  } catch (error) {
    return { error };
  }
}

function isAborted(result: Result<unknown>): boolean {
  return 'error' in result && hasCode(result.error, 'ERR_ABORTED');
}

/** What a {@link FileBatch} is run with. */
export interface BatchOptions<F, D> {
  signal: AbortSignal;
  /** More than one file was asked for: then the exit code is that of a batch; a single file ends in its own. */
  several: boolean;
  /** Files met in directories and not taken, for the summary. */
  passedOver: number;
  /** Sees each result, in the order of the files. */
  observe?: (file: F, result: Result<D>) => void;
}

/** What became of a file that did not fail. */
export interface FileDone {
  /** Size of the input, for progress and summary. */
  bytes: number;
  /** For `--verbose`, without the path. */
  line: string;
  /** Left as it was, for the reason in {@link line}. */
  skipped?: boolean;
  /** Its end is missing. That is said of every such file. */
  incomplete?: boolean;
}

/** What the summary says. */
export interface BatchWords {
  /** `encrypted`, `decrypted`, `verified`. */
  done: string;
  /** Said after the number of files skipped: `encrypted already`. */
  skipped?: string;
}

/** Runs one task over files and keeps the score. */
export class FileBatch<D extends FileDone> {
  readonly #output: Output;
  readonly #words: BatchWords;
  readonly #failures: Failure[] = [];
  #done = 0;
  #skipped = 0;
  #incomplete = 0;
  #bytes = 0;

  constructor(output: Output, words: BatchWords) {
    this.#output = output;
    this.#words = words;
  }

  /** @returns the exit code */
  async run<F extends InputFile>(
    files: readonly F[],
    options: BatchOptions<F, D>,
    task: (file: F, onProgress: (bytes: number, total: number) => void) => Promise<D>,
  ): Promise<number> {
    const progress = new Progress(this.#output, files.length, files[0]?.path ?? '');
    progress.start();
    try {
      await runInOrder(
        files,
        options.signal,
        async (file, index) => {
          if (file.problem !== undefined) throw file.problem;
          try {
            const done = await task(file, (bytes, total) => progress.update(index, bytes, total));
            progress.finish(index, done.bytes);
            return done;
          } catch (error) {
            progress.finish(index, 0);
            throw error;
          }
        },
        (file, result) => {
          this.#report(file.path, result, options.several);
          options.observe?.(file, result);
        },
      );
    } finally {
      progress.stop();
    }
    return this.#conclude(files.length, options);
  }

  #report(path: string, result: Result<D>, several: boolean): void {
    if ('error' in result) {
      this.#failures.push({ path, error: result.error });
      return;
    }
    const { bytes, line, skipped, incomplete } = result.value;
    if (skipped) this.#skipped += 1;
    else if (incomplete) this.#incomplete += 1;
    else {
      this.#done += 1;
      this.#bytes += bytes;
    }
    if (incomplete) this.#output.warn(`${path}: ${line}`);
    else if (skipped && !several) this.#output.notice(`${path}: ${line}; left alone`);
    else this.#output.detail(`${path}: ${line}`);
  }

  #conclude(total: number, options: { signal: AbortSignal; several: boolean; passedOver: number }): number {
    const failed = this.#failures.length;
    if (options.signal.aborted) {
      this.#output.failAll(this.#failures);
      this.#output.fail(options.signal.reason);
      const left = total - this.#done - this.#skipped - this.#incomplete - failed;
      const unfinished = `${count(left, 'file')} not finished, nothing partial is left`;
      if (options.several) this.#output.notice(`${this.#score(options.passedOver)}; ${unfinished}`);
      return interruptExitCode();
    }
    this.#output.failAll(this.#failures);
    if (!options.several && failed === 1) return exitCodeFor(this.#failures[0]!.error);
    if (options.several) this.#output.notice(this.#score(options.passedOver));
    if (failed > 0) return EXIT_SOME_FAILED;
    return this.#incomplete > 0 ? EXIT_RECOVERED : 0;
  }

  #score(passedOver: number): string {
    const parts = [`${count(this.#done, 'file')} ${this.#words.done} (${formatBytes(this.#bytes)})`];
    if (this.#incomplete > 0) parts.push(`${formatInteger(this.#incomplete)} recovered, incomplete`);
    if (this.#skipped > 0) parts.push(`${formatInteger(this.#skipped)} left alone: ${this.#words.skipped}`);
    if (passedOver > 0) parts.push(`${formatInteger(passedOver)} passed over`);
    if (this.#failures.length > 0) parts.push(`${formatInteger(this.#failures.length)} failed`);
    return parts.join(', ');
  }
}
