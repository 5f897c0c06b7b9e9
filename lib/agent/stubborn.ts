/** Files that fail again and again for reasons of their own: one alarm for all of them. */

import type { AlarmBoard } from './alarms.ts';
import type { Entry } from './directory.ts';

const ALARM = 'files';
/** Attempts in vain that are no accident any more. */
const ENOUGH = 3;

export class Stubborn {
  readonly #alarms: AlarmBoard;
  /** Why they failed last. As bounded as the files that are held in memory. */
  readonly #reasons = new Map<Entry, string>();

  constructor(alarms: AlarmBoard) {
    this.#alarms = alarms;
  }

  /** A file failed. */
  failed(entry: Entry, reason: string): void {
    if (entry.failures < ENOUGH) return;
    this.#reasons.set(entry, reason);
    this.#tell();
  }

  /** A file is dealt with, or gone. */
  forget(entry: Entry): void {
    if (this.#reasons.delete(entry)) this.#tell();
  }

  #tell(): void {
    const [first] = this.#reasons.values();
    if (first === undefined) {
      this.#alarms.clear(ALARM);
      return;
    }
    const count = this.#reasons.size;
    const files = count === 1 ? 'a file stays in plaintext' : `${count} files stay in plaintext`;
    this.#alarms.raise(ALARM, `${files}, tried again and again in vain: ${first}`);
  }
}
