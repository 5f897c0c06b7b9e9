/** How far a job over very many files has come. They are counted while the job runs already; then the time left is known. */

import type { Output } from './output.ts';
import { BAR_DELAY, drawsBars, TerminalBar } from './terminal-bar.ts';
import { count, formatInteger, formatTimeLeft } from './text.ts';

/** Milliseconds. */
const BAR_INTERVAL = 100;
const LINE_INTERVAL = 10_000;

export class CountProgress {
  readonly #output: Output;
  readonly #onTerminal: boolean;
  readonly #bar: TerminalBar;
  readonly #began = performance.now();
  #shownAt = performance.now();
  #done = 0;
  #total: number | undefined;

  constructor(output: Output) {
    this.#output = output;
    this.#onTerminal = drawsBars(output);
    this.#bar = new TerminalBar(output);
  }

  /** Whether anybody will see how far it is: if not, nothing need be counted. */
  get wanted(): boolean {
    return this.#onTerminal || this.#output.verbose;
  }

  /** From now on the number of files is known. */
  set total(total: number) {
    this.#total = total;
  }

  /** One more file is over: cheap when there is nothing to show. */
  advance(): void {
    this.#done += 1;
    const now = performance.now();
    if (now - this.#shownAt < (this.#onTerminal ? BAR_INTERVAL : LINE_INTERVAL)) return;
    this.#shownAt = now;
    if (!this.#onTerminal) this.#output.detail(this.#text(now));
    else if (now - this.#began > BAR_DELAY) this.#draw(now);
  }

  /** Takes the bar away. */
  stop(): void {
    this.#bar.stop();
  }

  #text(now: number): string {
    const seconds = (now - this.#began) / 1000;
    const rate = `${formatInteger(Math.round(this.#done / seconds))}/s`;
    if (this.#total === undefined) return `${count(this.#done, 'file')} so far, ${rate}`;
    const left = (seconds / this.#done) * Math.max(this.#total - this.#done, 0);
    return `${formatInteger(this.#done)} of ${count(this.#total, 'file')}, ${rate}, ${formatTimeLeft(left)}`;
  }

  #draw(now: number): void {
    const [total, value] = this.#total === undefined ? [1, 0] : [Math.max(this.#total, this.#done), this.#done];
    const text = this.#text(now);
    if (this.#bar.shown) this.#bar.update(total, value, text);
    else void this.#bar.show(total, value, text);
  }
}
