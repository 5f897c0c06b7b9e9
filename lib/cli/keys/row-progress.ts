/** How far a job over rows has come: a bar with the time left on a terminal, otherwise a line now and then with `--verbose`. */

import type { MultiBar, SingleBar } from 'cli-progress';
import type { TableProgress } from '../../keys/reencryption/reencrypt-table.ts';
import type { LineOwner, Output } from '../output.ts';
import { formatInteger } from '../text.ts';

/** Milliseconds. */
const BAR_DELAY = 300;
const BAR_INTERVAL = 100;
const LINE_INTERVAL = 10_000;

const PASSES = { reencrypt: 're-encrypting', count: 'counting' } as const;

export class RowProgress implements LineOwner {
  readonly #output: Output;
  readonly #onTerminal: boolean;
  #pass: TableProgress['pass'] | undefined;
  #passBegan = 0;
  #shownAt = 0;
  #bars: MultiBar | undefined;
  #bar: SingleBar | undefined;
  #stopped = false;

  constructor(output: Output) {
    this.#output = output;
    this.#onTerminal = process.stderr.isTTY === true && process.env.TERM !== 'dumb' && !output.quiet;
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
    this.#stopped = true;
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

  #line(progress: TableProgress, now: number): string {
    const { done, total } = progress;
    return `${PASSES[progress.pass]}: ${formatInteger(done)} of ${formatInteger(total)} rows, ${this.#left(progress, now)}`;
  }

  /** `about 3 min left`, at the speed of this pass so far. */
  #left({ done, total }: TableProgress, now: number): string {
    const seconds = (((now - this.#passBegan) / Math.max(done, 1)) * Math.max(total - done, 0)) / 1000;
    if (seconds < 90) return `about ${Math.ceil(seconds)} s left`;
    const minutes = Math.round(seconds / 60);
    return minutes < 90 ? `about ${minutes} min left` : `about ${(minutes / 60).toFixed(1)} h left`;
  }

  #draw(progress: TableProgress, now: number): void {
    if (this.#bars === undefined) {
      void this.#show(progress, this.#line(progress, now));
      return;
    }
    this.#bar?.setTotal(Math.max(progress.total, progress.done));
    this.#bar?.update(progress.done, { line: this.#line(progress, now) });
  }

  /** Pages may be a second apart, so the bar begins with what is known. */
  async #show({ done, total }: TableProgress, line: string): Promise<void> {
    const { default: progress } = await import('cli-progress');
    if (this.#stopped || this.#bars !== undefined) return;
    this.#bars = new progress.MultiBar({
      stream: process.stderr,
      format: '  {bar} {percentage}%  {line}',
      barCompleteChar: '█',
      barIncompleteChar: '░',
      barsize: 28,
      clearOnComplete: true,
      hideCursor: true,
      forceRedraw: true,
      gracefulExit: false,
    });
    this.#bar = this.#bars.create(Math.max(total, done), done, { line });
    this.#output.attach(this);
  }
}
