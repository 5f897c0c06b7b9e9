/**
 * The progress bar: drawn on standard error when that is a terminal, cleared at the end, and not drawn at all for work
 * that is over before anyone looks.
 */

import type { MultiBar, SingleBar } from 'cli-progress';
import type { LineOwner, Output } from './output.ts';
import { count, formatBytes, safe } from './text.ts';

/** How long the work runs before the bar appears, in milliseconds. */
const DELAY = 300;

/** Width left for the name of a single file. */
const NAME_WIDTH = 32;

/** Progress over a number of files. A file under way counts as the fraction of it that is done. */
export class Progress implements LineOwner {
  readonly #output: Output;
  readonly #total: number;
  readonly #label: string;
  readonly #running = new Map<number, { bytes: number; fraction: number }>();
  #timer: NodeJS.Timeout | undefined;
  #bars: MultiBar | undefined;
  #bar: SingleBar | undefined;
  #finished = 0;
  #finishedBytes = 0;

  /** @param label what is being worked on, when `total` is 1 */
  constructor(output: Output, total: number, label: string) {
    this.#output = output;
    this.#total = total;
    this.#label = safe(label.length > NAME_WIDTH ? `…${label.slice(1 - NAME_WIDTH)}` : label);
  }

  /** Starts the wait for the bar to appear. Without a terminal, or with `--quiet`, it never does. */
  start(): void {
    if (process.stderr.isTTY !== true || process.env.TERM === 'dumb' || this.#output.quiet) return;
    this.#timer = setTimeout(() => this.#showOrWait(), DELAY);
  }

  /** While nothing has moved, somebody may be typing a passphrase. */
  #showOrWait(): void {
    if (this.#finished === 0 && this.#running.size === 0) this.start();
    else void this.#show();
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
    this.#timer = undefined;
    this.#bars?.stop();
    this.#bars = undefined;
    this.#output.attach(undefined);
  }

  writeAbove(line: string): void {
    if (this.#bars === undefined) {
      process.stderr.write(`${line}\n`);
      return;
    }
    this.#bars.log(`${line}\n`);
    this.#bars.update();
  }

  makeRoom(): void {
    process.stderr.write('\r\x1b[K\x1b[?25h');
  }

  async #show(): Promise<void> {
    const { default: progress } = await import('cli-progress');
    if (this.#timer === undefined) return;
    this.#bars = new progress.MultiBar({
      stream: process.stderr,
      format: '  {bar} {percentage}%  {what}  {left}',
      barCompleteChar: '█',
      barIncompleteChar: '░',
      barsize: 28,
      clearOnComplete: true,
      hideCursor: true,
      forceRedraw: true,
      gracefulExit: false,
    });
    this.#bar = this.#bars.create(this.#total, 0, this.#payload(0));
    this.#output.attach(this);
    this.#draw();
  }

  #draw(): void {
    if (this.#bars === undefined) return;
    const running = [...this.#running.values()];
    const value = this.#finished + running.reduce((sum, { fraction }) => sum + fraction, 0);
    this.#bar?.update(value, this.#payload(running.reduce((sum, { bytes }) => sum + bytes, 0)));
  }

  #payload(runningBytes: number): { what: string; left: string } {
    const bytes = formatBytes(this.#finishedBytes + runningBytes);
    if (this.#total === 1) return { what: this.#label, left: bytes };
    return { what: `${this.#finished} of ${count(this.#total, 'file')}`, left: bytes };
  }
}
