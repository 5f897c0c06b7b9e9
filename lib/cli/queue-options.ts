/** `--queue`: instead of changing files, hands them to the workers of a queue. */

import { stat } from 'node:fs/promises';
import type { Command } from 'commander';
import { CallsealError } from '../errors.ts';
import type { BatchChange } from '../queue/batch-change.ts';
import { EXIT_SOME_FAILED } from './exit-codes.ts';
import { interruptSignal } from './interrupt.ts';
import type { Failure, Output } from './output.ts';
import { BAR_DELAY, drawsBars, TerminalBar } from './terminal-bar.ts';
import { count, safeJson } from './text.ts';
import { FileWalk } from './walk.ts';

/** As commander hands it over. */
export interface QueueChoice {
  queue?: string;
  root?: string;
  key?: string[];
  recursive?: boolean;
  json?: boolean;
}

export function addQueueOptions(command: Command): void {
  command
    .option('--queue <url>', 'queue the files for callseal worker: postgres://USER@HOST/DATABASE')
    .option('--root <dir>', 'with --queue: the directory that workers know as their root (default: the one named)');
}

/**
 * Queues files; the id of the batch is the result.
 *
 * @param change made once the files are there
 */
export async function queueFiles(
  paths: readonly string[],
  choice: QueueChoice,
  output: Output,
  change: () => Promise<BatchChange>,
): Promise<void> {
  if (choice.key !== undefined) throw usage('-k is for callseal worker; nothing is decrypted to queue files');
  const signal = interruptSignal();
  const walk = await FileWalk.of(paths, { recursive: choice.recursive, signal });
  const root = await rootOf(paths, choice.root);
  const [{ QueueDatabase }, { enqueue }] = await Promise.all([
    import('../queue/database.ts'),
    import('../queue/enqueue.ts'),
  ]);
  const asked = await change();
  const database = await QueueDatabase.open(choice.queue as string);
  const progress = new QueueProgress(output);
  try {
    const unreadable: Failure[] = [];
    const files = await relativePaths(walk, root, unreadable);
    const {
      batch,
      files: queued,
      jobs,
    } = await enqueue(database, asked, files, {
      onProgress: (done) => progress.update(done),
    });
    progress.stop();
    output.print(choice.json ? safeJson({ batch, files: queued, jobs }) : batch);
    output.failAll(unreadable);
    const failed = unreadable.length === 0 ? '' : `, ${unreadable.length} cannot be read`;
    output.notice(`${count(queued, 'file')} queued in ${count(jobs, 'job')}${failed}`);
    if (!output.quiet) output.hint(`callseal worker status --queue URL ${batch} shows how far it is`);
    if (unreadable.length > 0) process.exitCode = EXIT_SOME_FAILED;
  } finally {
    progress.stop();
    await database.close();
  }
}

async function relativePaths(walk: FileWalk, root: string, unreadable: Failure[]): Promise<AsyncIterable<string>> {
  const { pathBelow } = await import('../queue/place.ts');
  return (async function* () {
    for await (const { path, problem } of walk.files()) {
      if (problem === undefined) yield pathBelow(root, path);
      else unreadable.push({ path, error: problem });
    }
  })();
}

/** @throws CallsealError ERR_INVALID_ARGUMENT */
async function rootOf(paths: readonly string[], given: string | undefined): Promise<string> {
  if (given !== undefined) return given;
  const [path] = paths;
  const single = paths.length === 1 && path !== undefined;
  if (single && (await stat(path).catch(() => undefined))?.isDirectory()) return path;
  throw usage('give the directory that workers know as their root: --root DIR');
}

function usage(message: string): CallsealError {
  return new CallsealError('ERR_INVALID_ARGUMENT', message);
}

/** Files queued so far: how many there will be is not known. */
class QueueProgress {
  readonly #bar: TerminalBar;
  readonly #wanted: boolean;
  readonly #began = performance.now();

  constructor(output: Output) {
    this.#bar = new TerminalBar(output);
    this.#wanted = drawsBars(output);
  }

  update(files: number): void {
    const text = `${count(files, 'file')} queued so far`;
    if (this.#bar.shown) this.#bar.update(1, 0, text);
    else if (this.#wanted && performance.now() - this.#began > BAR_DELAY) void this.#bar.show(1, 0, text);
  }

  stop(): void {
    this.#bar.stop();
  }
}
