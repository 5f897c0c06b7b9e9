/** Runs native file jobs so that they can be aborted and watched. */

import { abortError, throwIfAborted } from '../abort.ts';
import { CallsealError, hasCode } from '../errors.ts';
import type { NativeJobControl } from '../native/binding.ts';
import { native } from '../native/load.ts';
import { assertListener } from './arguments.ts';

/** Told how much of the input is done, in bytes; the last call has `bytes === total`. */
export type ProgressListener = (bytes: number, total: number) => void;

/** What the caller of a file operation may pass to follow and stop it. */
export interface JobOptions {
  /** Cancels the operation (`ERR_ABORTED`). */
  signal?: AbortSignal | undefined;
  /** Told how far it is, a few times a second. */
  onProgress?: ProgressListener | undefined;
}

const POLL_MILLISECONDS = 100;

export { abortError, throwIfAborted };

/**
 * Runs a native job.
 *
 * @param path The input, for messages.
 * @param start Starts the job; called at once.
 * @throws {CallsealError} What the job throws; `ERR_ABORTED` with the signal's reason as cause; and whatever
 *   `onProgress` throws, which stops the job.
 */
export async function runJob<T>(
  path: string,
  options: JobOptions,
  start: (control: NativeJobControl | null) => Promise<T>,
): Promise<T> {
  const { signal, onProgress } = options;
  assertListener(onProgress);
  throwIfAborted(signal);
  if (signal === undefined && onProgress === undefined) return runUnwatched(path, start);
  const control = new (native().JobControl)();
  const watch = onProgress === undefined ? null : new ProgressWatch(control, onProgress);
  const cancel = (): void => control.cancel();
  signal?.addEventListener('abort', cancel, { once: true });
  try {
    const result = await start(control);
    watch?.finish();
    return result;
  } catch (error) {
    watch?.rethrow();
    if (signal !== undefined && isAbort(error)) throw abortError(signal);
    throw withPath(error, path);
  } finally {
    watch?.stop();
    signal?.removeEventListener('abort', cancel);
  }
}

/** Most jobs: nothing is made for them that is needed to follow and stop them. */
async function runUnwatched<T>(path: string, start: (control: null) => Promise<T>): Promise<T> {
  try {
    return await start(null);
  } catch (error) {
    throw withPath(error, path);
  }
}

function isAbort(error: unknown): boolean {
  return hasCode(error, 'ERR_ABORTED');
}

/** Native code speaks of segments; a person needs the file, too. */
export function withPath(error: unknown, path: string | undefined): unknown {
  if (!(error instanceof CallsealError) || path === undefined || error.path !== undefined) return error;
  if (error.code !== 'ERR_TAMPERED' && error.code !== 'ERR_TRUNCATED') return error;
  return new CallsealError(error.code, `${path}: ${error.message}`, { path, cause: error });
}

/** Polls the job, as native threads cannot call JavaScript cheaply. The timer keeps no process alive. */
class ProgressWatch {
  readonly #control: NativeJobControl;
  readonly #listener: ProgressListener;
  readonly #timer: NodeJS.Timeout;
  #reported = -1;
  #failure: { error: unknown } | null = null;

  constructor(control: NativeJobControl, listener: ProgressListener) {
    this.#control = control;
    this.#listener = listener;
    this.#timer = setInterval(() => this.#poll(), POLL_MILLISECONDS).unref();
  }

  #poll(): void {
    // Nothing to tell before the job has opened its input.
    if (this.#failure !== null || this.#control.total === 0) return;
    try {
      this.#report(this.#control.progress);
    } catch (error) {
      this.#failure = { error };
      this.#control.cancel();
    }
  }

  #report(bytes: number): void {
    const { total } = this.#control;
    const done = Math.min(bytes, total);
    if (done <= this.#reported) return;
    this.#reported = done;
    this.#listener(done, total);
  }

  /** The job has succeeded: the listener hears of the last byte. */
  finish(): void {
    this.rethrow();
    this.#report(this.#control.total);
  }

  /** Throws what the listener threw, if it did. */
  rethrow(): void {
    if (this.#failure !== null) throw this.#failure.error;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
