/**
 * One task over files that come as a stream: as many at once as the thread pool has threads, each reported when it is
 * over, and nothing kept of it but the score and the first failures.
 */

import { setMaxListeners } from 'node:events';
import { hasCode } from '../errors.ts';
import { CountProgress } from './count-progress.ts';
import { EXIT_SOME_FAILED } from './exit-codes.ts';
import type { InputFile } from './files.ts';
import { isForeign } from './inspect.ts';
import { interruptExitCode } from './interrupt.ts';
import { type JsonFile, jsonFile } from './json.ts';
import { exitCodeFor, type Failure, type Output } from './output.ts';
import { count, formatInteger, safeJson } from './text.ts';
import type { FileWalk } from './walk.ts';

/** Failures that are listed at the end; the others are counted, and with `--json` each has a line. */
const LISTED_FAILURES = 100;

/** What became of a file that did not fail. */
export interface FileChange {
  changed: boolean;
  /** For `--verbose`, without the path; empty when nothing is to be said. */
  line: string;
  /** Added to the file's line of JSON; null for a file that gets none. */
  facts: object | null;
}

export interface StreamBatchOptions {
  signal: AbortSignal;
  /** A line of JSON on standard output for every file. */
  json?: boolean | undefined;
  /** Said of the files that were changed: `changed`, `would be changed`. */
  done: string;
  /** Said of the others. */
  unchanged: string;
}

/** Threads of libuv's pool, which do the work. */
export function poolThreads(): number {
  const threads = Number(process.env.UV_THREADPOOL_SIZE);
  return Number.isInteger(threads) && threads > 0 ? Math.min(threads, 1024) : 4;
}

export class StreamBatch {
  readonly #output: Output;
  readonly #options: StreamBatchOptions;
  readonly #failures: Failure[] = [];
  #changed = 0;
  #unchanged = 0;
  #foreign = 0;
  #failed = 0;

  constructor(output: Output, options: StreamBatchOptions) {
    this.#output = output;
    this.#options = options;
  }

  /** @returns the exit code */
  async run(walk: FileWalk, task: (file: InputFile) => Promise<FileChange>): Promise<number> {
    const { signal } = this.#options;
    setMaxListeners(0, signal); // one for each file under way
    const progress = new CountProgress(this.#output);
    const counted = walk.several && progress.wanted ? countInto(progress, walk.again()) : undefined;
    const files = walk.files();
    const worker = async (): Promise<void> => {
      for await (const file of untilAborted(files, signal)) {
        await this.#one(file, walk.several, task);
        progress.advance();
      }
    };
    try {
      await Promise.all(Array.from({ length: poolThreads() }, worker));
    } finally {
      progress.stop();
    }
    await counted;
    return this.#conclude(walk);
  }

  async #one(file: InputFile, several: boolean, task: (file: InputFile) => Promise<FileChange>): Promise<void> {
    try {
      if (file.problem !== undefined) throw file.problem;
      this.#report(file, await task(file), several);
    } catch (error) {
      if (hasCode(error, 'ERR_ABORTED')) return;
      if (isForeign(file, error)) {
        this.#foreign += 1;
        return;
      }
      this.#failed += 1;
      if (this.#failures.length < LISTED_FAILURES) this.#failures.push({ path: file.path, error });
      this.#print(jsonFile(file.path, error));
    }
  }

  #report(file: InputFile, { changed, line, facts }: FileChange, several: boolean): void {
    if (changed) this.#changed += 1;
    else this.#unchanged += 1;
    if (facts !== null) this.#print({ ...jsonFile(file.path, null), ...facts });
    if (line === '') return;
    if (several) this.#output.detail(`${file.path}: ${line}`);
    else this.#output.notice(`${file.path}: ${line}`);
  }

  #print(element: JsonFile): void {
    if (this.#options.json) this.#output.print(safeJson(element));
  }

  #conclude(walk: FileWalk): number {
    const { signal } = this.#options;
    this.#output.failAll(this.#failures);
    const more = this.#failed - this.#failures.length;
    if (more > 0) this.#output.notice(`${count(more, 'failure')} more; --json lists them all`);
    if (signal.aborted) this.#output.fail(signal.reason);
    if (walk.leftBehind > 0) this.#output.warn(leftBehind(walk.leftBehind));
    if (walk.several) this.#output.notice(this.#score(walk.passedOver + this.#foreign));
    if (signal.aborted) return interruptExitCode();
    if (!walk.several && this.#failures[0] !== undefined) return exitCodeFor(this.#failures[0].error);
    return this.#failed === 0 ? 0 : EXIT_SOME_FAILED;
  }

  #score(passedOver: number): string {
    const { done, unchanged, signal } = this.#options;
    const parts = [`${count(this.#changed, 'file')} ${done}`];
    if (this.#unchanged > 0) parts.push(`${formatInteger(this.#unchanged)} ${unchanged}`);
    if (passedOver > 0) parts.push(`${formatInteger(passedOver)} passed over`);
    if (this.#failed > 0) parts.push(`${formatInteger(this.#failed)} failed`);
    if (signal.aborted) parts.push('the others are as they were: the same command goes on with them');
    return parts.join(', ');
  }
}

function leftBehind(files: number): string {
  const these = files === 1 ? 'it' : 'them';
  return (
    `${count(files, 'unfinished file')} (.….callseal-tmp) of commands that were killed or still run: they may open ` +
    `with keys that were removed; delete ${these} when no command is at work there`
  );
}

/** What several workers take from one stream, which is not ended by the first of them to stop. */
async function* untilAborted(files: AsyncGenerator<InputFile>, signal: AbortSignal): AsyncGenerator<InputFile> {
  while (!signal.aborted) {
    const { done, value } = await files.next().catch((error: unknown) => {
      if (signal.aborted) return { done: true as const, value: undefined };
      throw error;
    });
    if (done) return;
    yield value as InputFile;
  }
}

async function countInto(progress: CountProgress, walk: FileWalk): Promise<void> {
  let total = 0;
  try {
    for await (const _ of walk.files()) total += 1;
    progress.total = total;
  } catch {
    // Aborted: the job itself says so.
  }
}
