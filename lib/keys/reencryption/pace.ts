/** Keeps a job from taking more of a database than it was given. */

import { setTimeout as pause } from 'node:timers/promises';
import { throwIfAborted } from '../../abort.ts';

/** Shorter waits are saved up: a timer is not more exact. */
const SHORTEST_WAIT = 20;

/** At most so many steps a second, evenly spread; time that was lost is not made up for. */
export class Pace {
  readonly #interval: number;
  readonly #signal: AbortSignal | undefined;
  /** When the next step may begin. */
  #due = Number.NEGATIVE_INFINITY;

  /** @param rate steps a second; Infinity for no limit. */
  constructor(rate: number, signal?: AbortSignal) {
    this.#interval = 1000 / rate;
    this.#signal = signal;
  }

  /** Waits until the next step may begin. @throws {CallsealError} `ERR_ABORTED`. */
  async step(): Promise<void> {
    throwIfAborted(this.#signal);
    if (this.#interval === 0) return;
    const now = performance.now();
    const start = Math.max(this.#due, now - SHORTEST_WAIT);
    this.#due = start + this.#interval;
    const wait = start - now;
    if (wait < SHORTEST_WAIT) return;
    await pause(wait, undefined, { signal: this.#signal }).catch(() => throwIfAborted(this.#signal));
  }
}
