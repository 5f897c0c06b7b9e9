/** One line at the bottom of the terminal that says what is being done. Without a terminal, or with `--quiet`, there is none. */

import type { LineOwner, Output } from './output.ts';

const CLEAR = '\r\x1b[K';

export class StatusLine implements LineOwner {
  readonly #output: Output;
  readonly #wanted: boolean;
  #text = '';

  constructor(output: Output) {
    this.#output = output;
    this.#wanted = process.stderr.isTTY === true && process.env.TERM !== 'dumb' && !output.quiet;
  }

  show(text: string): void {
    if (!this.#wanted) return;
    this.#text = text;
    this.#output.attach(this);
    this.#draw();
  }

  clear(): void {
    if (this.#text === '') return;
    this.#text = '';
    this.#draw();
    this.#output.attach(undefined);
  }

  writeAbove(line: string): void {
    process.stderr.write(`${CLEAR}${line}\n`);
    this.#draw();
  }

  makeRoom(): void {
    process.stderr.write(CLEAR);
  }

  #draw(): void {
    process.stderr.write(`${CLEAR}${this.#text}`);
  }
}
