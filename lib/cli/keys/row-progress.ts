/** How far a job over rows has come: a bar with the time left on a terminal, otherwise a line now and then with `--verbose`. */

import type { TableProgress } from '../../keys/reencryption/reencrypt-table.ts';
import type { Output } from '../output.ts';
import { BAR_DELAY, drawsBars, TerminalBar } from '../terminal-bar.ts';
import { formatInteger, formatTimeLeft } from '../text.ts';

/** Milliseconds. */
const BAR_INTERVAL = 100;
const LINE_INTERVAL = 10_000;

const PASSES = { reencrypt: 're-encrypting', count: 'counting' } as const;

export class RowProgress {
  readonly #output: Output;
  readonly #onTerminal: boolean;
  readonly #bar: TerminalBar;
  #pass: TableProgress['pass'] | undefined;
  #passBegan = 0;
  #shownAt = 0;

  constructor(output: Output) {
    this.#output = output;
    this.#onTerminal = drawsBars(output);
    this.#bar = new TerminalBar(output);
  }

  /** Called for every row: cheap when there is nothing to show. */
  update(progress: TableProgress): void {
    const now = performance.now();
    if (progress.pass !== this.#pass) {
      this.#pass = progress.pass;
      this.#passBegan = now;
      this.#shownAt = now;
    }
    if (now - this.#shownAt < (this.#onTerminal ? BAR_INTERVAL : LINE_INTERVAL)) return;
    this.#shownAt = now;
    if (!this.#onTerminal) this.#output.detail(this.#line(progress, now));
    else if (now - this.#passBegan > BAR_DELAY) this.#draw(progress, now);
  }

  /** Takes the bar away. */
  stop(): void {
    this.#bar.stop();
  }

  #line(progress: TableProgress, now: number): string {
    const { done, total } = progress;
    return `${PASSES[progress.pass]}: ${formatInteger(done)} of ${formatInteger(total)} rows, ${this.#left(progress, now)}`;
  }

  /** `about 3 min left`, at the speed of this pass so far. */
  #left({ done, total }: TableProgress, now: number): string {
    const seconds = (((now - this.#passBegan) / Math.max(done, 1)) * Math.max(total - done, 0)) / 1000;
    return formatTimeLeft(seconds);
  }

  /** Pages may be a second apart, so the bar begins with what is known. */
  #draw(progress: TableProgress, now: number): void {
    const { done, total } = progress;
    const line = this.#line(progress, now);
    if (this.#bar.shown) this.#bar.update(Math.max(total, done), done, line);
    else void this.#bar.show(Math.max(total, done), done, line);
  }
}
