/** A Node stream around a machine that turns chunks of any size into segments, or segments into plaintext. */

import { Transform, type TransformCallback } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';

import { CallsealError } from '../errors.ts';
import { abortError } from './job.ts';

/** Hands on a piece of output; to be awaited when it returns a promise. */
export type Emit = (piece: Uint8Array) => Promise<void> | undefined;

/** The work of a stream, free of streams. Calls never overlap, except that `destroy` may come at any time. */
export interface SegmentMachine {
  write(chunk: Uint8Array, emit: Emit): Promise<void>;
  end(emit: Emit): Promise<void>;
  /** Gives up keys. May be called more than once. */
  destroy(): void;
}

/** Output after which the event loop gets its turn: well below a millisecond of work. */
const TURN_BYTES = 262_144;
const TURN_PIECES = 64;

/**
 * Unlike a plain Transform, it stops in the middle of a chunk when its reader is slow, so that a huge chunk does not
 * become a huge queue, and lets the event loop turn while it works through one.
 */
export class SegmentStream extends Transform {
  readonly #machine: SegmentMachine;
  readonly #signal: AbortSignal | undefined;
  readonly #abort = (): void => {
    this.destroy(abortError(this.#signal as AbortSignal));
  };
  #wanted = false;
  #resume: (() => void) | null = null;
  #bytes = 0;
  #pieces = 0;

  /** `highWaterMark`: bytes held on either side before back-pressure. */
  constructor(machine: SegmentMachine, highWaterMark: number, signal: AbortSignal | undefined) {
    super({ highWaterMark });
    this.#machine = machine;
    this.#signal = signal;
    if (signal?.aborted) this.#abort();
    else signal?.addEventListener('abort', this.#abort, { once: true });
  }

  override _transform(chunk: Uint8Array, _encoding: BufferEncoding, callback: TransformCallback): void {
    this.#settle(this.#machine.write(chunk, this.#emit), callback);
  }

  override _flush(callback: TransformCallback): void {
    this.#settle(this.#machine.end(this.#emit), callback);
  }

  override _read(size: number): void {
    this.#wanted = true;
    const resume = this.#resume;
    this.#resume = null;
    resume?.();
    super._read(size);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#signal?.removeEventListener('abort', this.#abort);
    this.#machine.destroy();
    callback(error);
  }

  #settle(work: Promise<void>, callback: TransformCallback): void {
    work.then(
      () => callback(),
      // A machine that stopped because the stream was destroyed has nothing to report.
      (error: Error) => this.destroyed || callback(error),
    );
  }

  readonly #emit: Emit = (piece) => {
    if (this.destroyed) throw new CallsealError('ERR_ABORTED', 'the stream was destroyed');
    if (piece.length === 0) return undefined;
    this.#bytes += piece.length;
    this.#pieces++;
    this.#wanted = false;
    const full = !this.push(piece) && !this.#wanted;
    if (full) return this.#demand();
    if (this.#bytes < TURN_BYTES && this.#pieces < TURN_PIECES) return undefined;
    this.#bytes = 0;
    this.#pieces = 0;
    return nextTurn();
  };

  /** Until the reader asks for more; for ever when the stream is destroyed before. */
  #demand(): Promise<void> {
    return new Promise((resolve) => {
      this.#resume = resolve;
    });
  }
}
