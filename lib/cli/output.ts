/**
 * What the command says, and where. The rules of its user interface:
 *
 * - Standard output carries what was asked for and nothing else: data (`-o -`) and the reports of inspect, verify,
 *   status and `config check`. Everything else goes to standard error.
 * - A message is `callseal: COMMAND: [warning: ]FILE: what is wrong`. What to type next follows as `callseal: hint: …`.
 * - Words: what is missing is asked for with `give WHAT: --option`; what an option may be, with `--option takes …`; what
 *   excludes each other, with `A and B cannot be used together`; what needs another, with `A is of use with B only`. No
 *   capital at the beginning and no full stop at the end of a message; the apostrophe is ’.
 * - `--quiet` leaves errors and results. `--verbose` adds a line for each file. Without it a thousand files are one
 *   line, and one for each that failed.
 * - Progress is drawn on a terminal only, and only when the work takes long enough to wonder about.
 * - Colour is for the eye and never carries a meaning; there is none with NO_COLOR, TERM=dumb, or without a terminal.
 * - Nothing binary goes to a terminal unless `-o -` asks for it.
 * - Names, subjects and messages are made safe for a terminal (`text.ts`). Secrets are in none of them.
 * - A stack trace is shown with CALLSEAL_DEBUG=1 only.
 */

import { createColors } from 'picocolors';
import { CallsealError, hasCode } from '../errors.ts';
import { EXIT_PIPE_CLOSED, EXIT_UNEXPECTED, exitCodeOf } from './exit-codes.ts';
import { hintFor } from './hints.ts';
import { interruptExitCode, wasInterrupted } from './interrupt.ts';
import { safe, safeLines } from './text.ts';

/** `--quiet` and `--verbose`, as commander hands them over. */
export interface OutputOptions {
  quiet?: boolean;
  verbose?: boolean;
}

/** Something that owns the last line of the terminal, and writes lines above it. */
export interface LineOwner {
  writeAbove(line: string): void;
  /** Leaves the line empty for a prompt. */
  makeRoom(): void;
}

/** An error and the file it is about. */
export interface Failure {
  error: unknown;
  path?: string | undefined;
}

export type Colors = ReturnType<typeof createColors>;

/** Colours fit for a stream. */
export function colorsFor(stream: NodeJS.WriteStream): Colors {
  return createColors(stream.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== 'dumb');
}

/** The messages of one command. */
export class Output {
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly #command: string;
  readonly #colors = colorsFor(process.stderr);
  #owner: LineOwner | undefined;

  constructor(command: string, options: OutputOptions = {}) {
    this.#command = command;
    this.quiet = options.quiet === true;
    this.verbose = options.verbose === true && !this.quiet;
  }

  /** While a progress bar is drawn, messages go above it. */
  attach(owner: LineOwner | undefined): void {
    this.#owner = owner;
  }

  /** A line of the result, on standard output. The caller has made it safe. */
  print(line: string): void {
    process.stdout.write(`${line}\n`);
  }

  /** Something worth knowing; not with `--quiet`. */
  notice(text: string): void {
    if (!this.quiet) this.#write(`${this.#prefix()} ${safeLines(text)}`);
  }

  /** One of many; with `--verbose` only. */
  detail(text: string): void {
    if (this.verbose) this.notice(text);
  }

  /** Not with `--quiet`. */
  warn(text: string): void {
    if (!this.quiet) this.#write(`${this.#prefix()} ${this.#colors.yellow('warning:')} ${safeLines(text)}`);
  }

  /** What went wrong, and what to do about it. */
  fail(error: unknown, path?: string): void {
    this.failAll([{ error, path }]);
  }

  /** A line for each failure, said of its file unless the message says it itself; then each hint once. */
  failAll(failures: readonly Failure[]): void {
    const hints = new Set<string>();
    for (const { error, path } of failures) {
      this.#write(`${this.#colors.red(this.#prefix())} ${safeLines(describe(error, path))}`);
      if (process.env.CALLSEAL_DEBUG === '1') this.#write(safeLines(traceOf(error)));
      const hint = hintFor(error, this.#command);
      if (hint !== undefined) hints.add(hint);
    }
    for (const hint of hints) this.hint(hint);
  }

  /** What is wrong with the command line itself. */
  usage(text: string): void {
    this.#write(`${this.#colors.red(this.#prefix())} ${safeLines(text)}`);
  }

  /** Call before asking something on the terminal. */
  makeRoom(): void {
    this.#owner?.makeRoom();
  }

  hint(text: string): void {
    this.#write(`${this.#colors.cyan('callseal: hint:')} ${safeLines(text)}`);
  }

  #prefix(): string {
    return this.#command === '' ? 'callseal:' : `callseal: ${this.#command}:`;
  }

  #write(line: string): void {
    if (this.#owner !== undefined) this.#owner.writeAbove(line);
    else process.stderr.write(`${line}\n`);
  }
}

/** `FILE: what is wrong`; a message that names the file already is left as it is. */
export function describe(error: unknown, subject?: string): string {
  const known = isInterruption(error) ? error.cause : error;
  const message = known instanceof Error ? known.message : String(known);
  const text = known instanceof CallsealError ? message : `unexpected failure: ${message}`;
  return subject === undefined || mentions(text, subject) ? text : `${subject}: ${text}`;
}

/** What the library says of a signal, which a person knows as the Ctrl-C that is its reason. */
function isInterruption(error: unknown): error is CallsealError & { cause: CallsealError } {
  return hasCode(error, 'ERR_ABORTED') && error.cause instanceof CallsealError;
}

/** Whether a path stands in a text by itself, not as a part of a longer one. */
function mentions(text: string, path: string): boolean {
  const literal = path.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
  return new RegExp(`(?<![\\p{L}\\p{N}_./-])${literal}(?![\\p{L}\\p{N}_/-]|\\.[\\p{L}\\p{N}])`, 'u').test(text);
}

/** The exit code that an error ends in. */
export function exitCodeFor(error: unknown): number {
  if (!(error instanceof CallsealError)) return EXIT_UNEXPECTED;
  return error.code === 'ERR_ABORTED' ? interruptExitCode() : exitCodeOf(error.code);
}

/**
 * Ends when standard output can no longer be written: quietly when whoever read it went away, as `| head` does. Files
 * are unaffected: no command writes both. When a signal came first, perhaps to both ends, its exit code says so.
 */
export function watchStandardStreams(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (wasInterrupted()) process.exit(interruptExitCode());
    if (error.code === 'EPIPE') process.exit(EXIT_PIPE_CLOSED);
    process.stderr.write(`callseal: standard output cannot be written (${error.code})\n`);
    process.exit(exitCodeOf('ERR_IO'));
  });
  process.stderr.on('error', () => {}); // nobody is left to tell
}

/**
 * After a signal, ends the process although a reader of standard output that takes nothing would keep it waiting. Call it
 * when everything has been said.
 */
export function leaveStuckReader(): void {
  if (!wasInterrupted() || process.stdout.writableLength === 0) return;
  process.stderr.write('', () => process.exit(interruptExitCode()));
}

/** The error, its causes, and where it was thrown. */
function traceOf(error: unknown): string {
  if (!(error instanceof Error)) return safe(String(error));
  const own = error.stack ?? String(error);
  return error.cause === undefined ? own : `${own}\ncaused by ${traceOf(error.cause)}`;
}
