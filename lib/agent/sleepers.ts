/** Files that wait for a time: one timer on the monotonic clock for all of them. */

import type { Entry, SleepReason } from './directory.ts';
import { Heap } from './heap.ts';

interface Appointment {
  readonly entry: Entry;
  readonly due: number;
}

export class Sleepers {
  readonly #woken: (entry: Entry) => void;
  /** An entry whose time was changed is in it twice; the appointment that agrees with the entry counts. */
  readonly #appointments = new Heap<Appointment>((a, b) => a.due < b.due);
  readonly #counts: Record<SleepReason, number> = { settling: 0, unfinished: 0, retrying: 0 };
  #timer: NodeJS.Timeout | null = null;
  #timerDue = Infinity;

  constructor(woken: (entry: Entry) => void) {
    this.#woken = woken;
  }

  count(reason: SleepReason): number {
    return this.#counts[reason];
  }

  /** Lets an entry that is neither in line nor asleep sleep for `delay` milliseconds. */
  add(entry: Entry, reason: SleepReason, delay: number): void {
    entry.state = reason;
    this.#counts[reason] += 1;
    this.#appoint(entry, performance.now() + delay);
  }

  /** Lets a sleeping entry wake after `delay` milliseconds, if that is earlier. */
  hasten(entry: Entry, delay: number): void {
    const due = performance.now() + delay;
    if (due < entry.due) this.#appoint(entry, due);
  }

  /** Wakes those that failed, now. */
  wakeFailed(): void {
    for (const { entry, due } of [...this.#appointments.items]) {
      if (entry.state === 'retrying' && entry.due === due) this.hasten(entry, 0);
    }
  }

  /** Forgets a sleeping entry. */
  remove(entry: Entry): void {
    this.#counts[entry.state as SleepReason] -= 1;
    entry.due = Number.NaN;
  }

  /** Nobody wakes any more. */
  dispose(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#timerDue = Infinity;
    this.#appointments.clear();
  }

  #appoint(entry: Entry, due: number): void {
    entry.due = due;
    this.#appointments.push({ entry, due });
    this.#setTimer();
  }

  #setTimer(): void {
    const due = this.#appointments.top?.due ?? Infinity;
    if (due >= this.#timerDue) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timerDue = due;
    this.#timer = setTimeout(() => this.#wake(), Math.max(1, Math.ceil(due - performance.now())));
  }

  #wake(): void {
    this.#timer = null;
    this.#timerDue = Infinity;
    const now = performance.now();
    for (let next = this.#appointments.top; next !== undefined && next.due <= now; next = this.#appointments.top) {
      this.#appointments.pop();
      if (next.entry.due !== next.due) continue;
      this.remove(next.entry);
      this.#woken(next.entry);
    }
    this.#setTimer();
  }
}
