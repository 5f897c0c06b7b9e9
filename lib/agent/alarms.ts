/** Conditions that need an operator, each raised once and cleared once. */

import type { Alarm } from './types.ts';

/** Who hears of alarms. */
export interface AlarmListener {
  /** An alarm stands from now on. */
  raised(alarm: Alarm): void;
  /** It stands no longer. */
  cleared(alarm: Alarm): void;
}

export class AlarmBoard {
  readonly #listener: AlarmListener;
  readonly #raised = new Map<string, Alarm>();

  constructor(listener: AlarmListener) {
    this.#listener = listener;
  }

  /** Those that stand, in the order in which they were raised. */
  get list(): readonly Alarm[] {
    return [...this.#raised.values()];
  }

  has(key: string): boolean {
    return this.#raised.has(key);
  }

  /** One that stands already only takes the new message. */
  raise(key: string, message: string): void {
    const standing = this.#raised.get(key);
    const alarm = { key, message, since: standing?.since ?? Date.now() };
    this.#raised.set(key, alarm);
    if (standing === undefined) this.#listener.raised(alarm);
  }

  clear(key: string): void {
    const standing = this.#raised.get(key);
    if (standing === undefined) return;
    this.#raised.delete(key);
    this.#listener.cleared(standing);
  }

  /** Clears those that `keep` does not want. */
  retain(keep: (key: string) => boolean): void {
    for (const { key } of this.list) if (!keep(key)) this.clear(key);
  }
}
