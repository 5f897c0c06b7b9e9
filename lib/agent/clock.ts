/** Notices when somebody sets the host's clock, as the age of files is no longer what it seems. */

/** Smaller changes are those of a clock that is being steered. Milliseconds. */
const STEP = 250;

export class Clock {
  readonly #caution: number;
  #offset = Date.now() - performance.now();
  #ahead = 0;
  #cautiousUntil = 0;

  /** For `caution` milliseconds after a step forward, files look older than they are. */
  constructor(caution: number) {
    this.#caution = caution;
  }

  /**
   * By how many milliseconds files that were written before the clock was set forward look older than they are; 0 when
   * it has not been, or so long ago that a file nobody has written to since is quiet indeed.
   */
  tooOldBy(): number {
    const now = performance.now();
    const offset = Date.now() - now;
    const step = offset - this.#offset;
    this.#offset = offset;
    if (now >= this.#cautiousUntil) this.#ahead = 0;
    if (step > STEP) {
      this.#ahead += step;
      this.#cautiousUntil = now + this.#caution;
    }
    return this.#ahead;
  }
}
