/** Pages that listen: they are told what happens, and as long as one does, somebody is there. */

import type { ServerResponse } from 'node:http';
import type { DeskEvent } from './protocol.ts';
import { SECURITY_HEADERS } from './security-headers.ts';

/** So that a connection that has died is noticed. */
const ALIVE_INTERVAL = 10_000;
const LAST_WORD_TIME = 500;

export class Listeners {
  /** With what each has still to be told: the last of each kind, as a page that is slow needs no more. */
  readonly #responses = new Map<ServerResponse, Map<DeskEvent['event'], DeskEvent>>();
  readonly #timer = setInterval(() => this.tell({ event: 'alive' }), ALIVE_INTERVAL).unref();
  readonly #onLeave: () => void;

  /** @param onLeave Called when the last page has gone. */
  constructor(onLeave: () => void) {
    this.#onLeave = onLeave;
  }

  get size(): number {
    return this.#responses.size;
  }

  /** Lines of JSON, for as long as the page listens. */
  add(response: ServerResponse): void {
    response.writeHead(200, { ...SECURITY_HEADERS, 'Content-Type': 'application/x-ndjson; charset=utf-8' });
    this.#responses.set(response, new Map());
    response.on('drain', () => this.#catchUp(response));
    response.once('close', () => {
      if (this.#responses.delete(response) && this.#responses.size === 0) this.#onLeave();
    });
    response.write(lineOf({ event: 'hello' }));
  }

  tell(event: DeskEvent): void {
    for (const [response, waiting] of this.#responses) {
      if (response.writableNeedDrain) waiting.set(event.event, event);
      else response.write(lineOf(event));
    }
  }

  #catchUp(response: ServerResponse): void {
    const waiting = this.#responses.get(response);
    const lines = [...(waiting?.values() ?? [])].map(lineOf);
    waiting?.clear();
    if (lines.length > 0) response.write(lines.join(''));
  }

  /** Tells every page that keys are forgotten and the desk ends; over when they have been sent that, or will not take it. */
  async end(): Promise<void> {
    this.tell({ event: 'ended' });
    const all = [...this.#responses];
    // What happens from now on is told to nobody: nothing may be written behind an end.
    this.#responses.clear();
    const ends = all.map(
      ([response, waiting]) =>
        new Promise<void>((resolve) => {
          setTimeout(resolve, LAST_WORD_TIME).unref();
          response.once('close', resolve).end([...waiting.values()].map(lineOf).join(''), resolve);
        }),
    );
    await Promise.all(ends);
  }

  close(): void {
    clearInterval(this.#timer);
    const responses = [...this.#responses.keys()];
    this.#responses.clear();
    for (const response of responses) response.end();
  }
}

function lineOf(event: DeskEvent): string {
  return `${JSON.stringify(event)}\n`;
}
