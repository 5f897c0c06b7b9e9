/** A Node stream around a machine that turns chunks of any size into segments, or segments into plaintext. */

import { Transform, type TransformCallback } from 'node:stream';

import { abortError } from './job.ts';

/** The work of a stream, free of streams. */
export interface SegmentMachine {
  /** Takes a chunk to work on. The one before has been used up. */
  feed(chunk: Uint8Array): void;
  /** Nothing follows what was fed. */
  end(): void;
  /**
   * The next piece of output; null when what was fed is used up; a promise when it has to wait for other threads, after
   * which it is to be asked again.
   */
  next(): Uint8Array | Promise<void> | null;
  /** Gives up keys. May be called more than once, at any time. */
  destroy(): void;
}

/** Output of one piece, where a segment is not longer: so much may be ready before its reader is asked. */
export const PIECE_BYTES = 65_536;
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
    this.#machine.feed(chunk);
    this.#work(callback);
  }

  override _flush(callback: TransformCallback): void {
    this.#machine.end();
    this.#work(callback);
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

  /** Hands on what the machine makes, as long as it is wanted. A stream that was destroyed has nothing to report. */
  #work(callback: TransformCallback): void {
    while (!this.destroyed) {
      let piece: ReturnType<SegmentMachine['next']>;
      try {
        piece = this.#machine.next();
      } catch (error) {
        callback(error as Error);
        return;
      }
      if (piece === null) {
        callback();
        return;
      }
      const again = (): void => this.#work(callback);
      if (piece instanceof Promise) {
        piece.then(again, (error: Error) => this.destroyed || callback(error));
        return;
      }
      if (!this.#emit(piece, again)) return;
    }
  }

  /** Returns whether to go on; otherwise `again` is called when the reader asks for more, or in another turn. */
  #emit(piece: Uint8Array, again: () => void): boolean {
    if (piece.length === 0) return true;
    this.#bytes += piece.length;
    this.#pieces++;
    this.#wanted = false;
    if (!this.push(piece) && !this.#wanted) {
      this.#resume = again;
      return false;
    }
    if (this.#bytes < TURN_BYTES && this.#pieces < TURN_PIECES) return true;
    this.#bytes = 0;
    this.#pieces = 0;
    setImmediate(again);
    return false;
  }
}
