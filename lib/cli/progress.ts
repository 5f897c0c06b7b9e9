/**
 * The progress bar: drawn on standard error when that is a terminal, cleared at the end, and not drawn at all for work
 * that is over before anyone looks.
 */

import type { Output } from './output.ts';
import { BAR_DELAY, drawsBars, TerminalBar } from './terminal-bar.ts';
import { count, formatBytes, safe } from './text.ts';

/** Width left for the name of a single file. */
const NAME_WIDTH = 32;

/** Progress over a number of files. A file under way counts as the fraction of it that is done. */
export class Progress {
  readonly #output: Output;
  readonly #total: number;
  readonly #label: string;
  readonly #bar: TerminalBar;
  readonly #running = new Map<number, { bytes: number; fraction: number }>();
  #timer: NodeJS.Timeout | undefined;
  #finished = 0;
  #finishedBytes = 0;

  /** @param label what is being worked on, when `total` is 1 */
  constructor(output: Output, total: number, label: string) {
    this.#output = output;
    this.#bar = new TerminalBar(output);
    this.#total = total;
    this.#label = safe(label.length > NAME_WIDTH ? `…${label.slice(1 - NAME_WIDTH)}` : label);
  }

  /** Starts the wait for the bar to appear. Without a terminal, or with `--quiet`, it never does. */
  start(): void {
    if (drawsBars(this.#output)) this.#timer = setTimeout(() => this.#showOrWait(), BAR_DELAY);
  }

  /** While nothing has moved, somebody may be typing a passphrase. */
  #showOrWait(): void {
    if (this.#finished === 0 && this.#running.size === 0) this.start();
    else void this.#bar.show(this.#total, this.#value(), this.#text());
  }

  /** Bytes done of one file. */
  update(index: number, bytes: number, total: number): void {
    this.#running.set(index, { bytes, fraction: total === 0 ? 1 : Math.min(bytes / total, 1) });
    this.#draw();
  }

  /** One file is over, well or not. */
  finish(index: number, bytes: number): void {
    this.#running.delete(index);
    this.#finished += 1;
    this.#finishedBytes += bytes;
    this.#draw();
  }

  /** Takes the bar away. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#bar.stop();
  }

  #draw(): void {
    if (this.#bar.shown) this.#bar.update(this.#total, this.#value(), this.#text());
  }

  /** Files done; one under way counts as the fraction of it that is. */
  #value(): number {
    return [...this.#running.values()].reduce((sum, { fraction }) => sum + fraction, this.#finished);
  }

  #text(): string {
    const bytes = [...this.#running.values()].reduce((sum, running) => sum + running.bytes, this.#finishedBytes);
    const what = this.#total === 1 ? this.#label : `${this.#finished} of ${count(this.#total, 'file')}`;
    return `${what}  ${formatBytes(bytes)}`;
  }
}
