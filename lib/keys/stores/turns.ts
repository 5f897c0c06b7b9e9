/** Lets one piece of work run at a time, in the order in which they came. */

/** Thrown, as it is, to whoever has waited long enough. */
export type PatienceEnds = () => Error;

export class Turns {
  #busy = false;
  readonly #waiting: (() => void)[] = [];

  /**
   * Runs `work` when those before it have ended, however they ended.
   *
   * @param patience how long it waits for them, in milliseconds; Infinity for ever.
   */
  async run<T>(work: () => Promise<T>, patience: number, ends: PatienceEnds): Promise<T> {
    await this.#enter(patience, ends);
    try {
      return await work();
    } finally {
      this.#leave();
    }
  }

  #enter(patience: number, ends: PatienceEnds): Promise<void> {
    if (!this.#busy) {
      this.#busy = true;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const enter = () => {
        clearTimeout(timer);
        resolve();
      };
      const giveUp = () => {
        this.#waiting.splice(this.#waiting.indexOf(enter), 1);
        reject(ends());
      };
      const timer = Number.isFinite(patience) ? setTimeout(giveUp, patience) : undefined;
      this.#waiting.push(enter);
    });
  }

  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#busy = false;
    else next();
  }
}
