/** Delays that double, and the gates that they close. */

/** How long to wait before the next attempt. */
export interface BackOff {
  /** Milliseconds after the first attempt. */
  readonly first: number;
  /** Milliseconds at most. */
  readonly most: number;
}

/** After the `attempt`-th attempt, from 1. A fifth more or less by chance, so that what failed together does not return together. */
export function delayAfter(attempt: number, { first, most }: BackOff): number {
  const delay = Math.min(most, first * 2 ** Math.min(attempt - 1, 30));
  return Math.round(delay * (0.8 + 0.4 * Math.random()));
}

/**
 * Holds back work that would fail as the last did: closed for a growing time after each failure, then open for one
 * attempt at a time, and wide open after a success.
 */
export class Gate {
  readonly #backOff: BackOff;
  readonly #opened: () => void;
  #failures = 0;
  #timer: NodeJS.Timeout | null = null;
  #due = 0;
  #disposed = false;

  /** `opened` is called whenever waiting is over. */
  constructor(backOff: BackOff, opened: () => void) {
    this.#backOff = backOff;
    this.#opened = opened;
  }

  /** Nothing has failed since the last success. */
  get wide(): boolean {
    return this.#failures === 0;
  }

  get closed(): boolean {
    return this.#timer !== null;
  }

  /** Whether another attempt may begin beside `running` ones. */
  admits(running: number): boolean {
    return this.wide || (!this.closed && running === 0);
  }

  /** Returns for how many milliseconds it is closed. Attempts that ran side by side and failed for one reason count once. */
  close(): number {
    if (this.#timer !== null) return Math.max(0, this.#due - performance.now());
    this.#failures += 1;
    const delay = delayAfter(this.#failures, this.#backOff);
    this.#due = performance.now() + delay;
    // Work that was begun before may still fail; it must not hold up the end of the process.
    if (!this.#disposed) this.#timer = setTimeout(() => this.retryNow(), delay);
    return delay;
  }

  /** Ends the waiting; another failure closes it for longer. */
  retryNow(): void {
    this.#stopWaiting();
    this.#opened();
  }

  /** After a success. */
  openWide(): void {
    this.#failures = 0;
    this.#stopWaiting();
  }

  #stopWaiting(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** Leaves it as it is, without a timer that keeps the process alive, now and later. */
  dispose(): void {
    this.#disposed = true;
    this.#stopWaiting();
  }
}
