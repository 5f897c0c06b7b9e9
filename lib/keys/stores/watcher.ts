/** Tells listeners when a version has changed that is looked at again and again. */

/** Looks at the version now; whatever has changed since the last look makes it another. */
export type Look = () => Promise<unknown>;

export class Watcher {
  readonly #look: Look;
  readonly #interval: number;
  readonly #listeners = new Set<() => void>();
  #seen: unknown;
  #timer: NodeJS.Timeout | undefined;
  #looking = false;
  #again = false;

  /** @param interval milliseconds from one look to the next. */
  constructor(look: Look, interval: number) {
    this.#look = look;
    this.#interval = interval;
  }

  get isNeeded(): boolean {
    return this.#listeners.size > 0;
  }

  /** Calls `listener` after the first look and after each that shows a change. */
  add(listener: () => void): () => void {
    const entry = () => listener();
    this.#listeners.add(entry);
    // Whatever changes before the next look is a change for the new listener.
    this.#seen = undefined;
    this.lookNow();
    return () => {
      this.#listeners.delete(entry);
      if (!this.isNeeded) this.stop();
    };
  }

  stop(): void {
    this.#listeners.clear();
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** For who has heard of a change. */
  lookNow(): void {
    if (!this.isNeeded) return;
    clearTimeout(this.#timer);
    if (this.#looking) {
      this.#again = true;
      return;
    }
    this.#looking = true;
    this.#again = false;
    // A database that cannot be reached is told to whoever wants something of it; here it is a reason to look again.
    this.#compare()
      .catch(() => {})
      .finally(() => {
        this.#looking = false;
        if (this.#again) this.lookNow();
        else if (this.isNeeded) this.#timer = setTimeout(() => this.lookNow(), this.#interval).unref();
      });
  }

  async #compare(): Promise<void> {
    const before = this.#seen;
    const version = await this.#look();
    if (this.#seen !== before || version === before) return;
    this.#seen = version;
    for (const listener of this.#listeners) call(listener);
  }
}

/** A listener that throws is its owner's bug, and must not keep the others from hearing. */
function call(listener: () => void): void {
  try {
    listener();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
