/** A progress bar on standard error, and the lines that are written above it. */

import type { MultiBar, SingleBar } from 'cli-progress';
import type { LineOwner, Output } from './output.ts';

/** Milliseconds that work goes on before its bar appears: what is over before anyone looks has none. */
export const BAR_DELAY = 300;

/** Whether there is a terminal to draw on, and nobody asked for quiet. */
export function drawsBars(output: Output): boolean {
  return process.stderr.isTTY === true && process.env.TERM !== 'dumb' && !output.quiet;
}

export class TerminalBar implements LineOwner {
  readonly #output: Output;
  #bars: MultiBar | undefined;
  #bar: SingleBar | undefined;
  #stopped = false;

  constructor(output: Output) {
    this.#output = output;
  }

  get shown(): boolean {
    return this.#bars !== undefined;
  }

  /** @param text what stands behind the bar */
  async show(total: number, value: number, text: string): Promise<void> {
    const { default: progress } = await import('cli-progress');
    if (this.#stopped || this.#bars !== undefined) return;
    this.#bars = new progress.MultiBar({
      stream: process.stderr,
      format: '  {bar} {percentage}%  {text}',
      barCompleteChar: '█',
      barIncompleteChar: '░',
      barsize: 28,
      clearOnComplete: true,
      hideCursor: true,
      forceRedraw: true,
      gracefulExit: false,
    });
    this.#bar = this.#bars.create(total, value, { text });
    this.#output.attach(this);
  }

  update(total: number, value: number, text: string): void {
    this.#bar?.setTotal(total);
    this.#bar?.update(value, { text });
  }

  /** Takes the bar away, for good. */
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
}
