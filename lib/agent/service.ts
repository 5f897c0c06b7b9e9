/**
 * What the service manager is told: sd_notify(3). Without systemd nothing is told to anybody.
 *
 * The watchdog is fed by a timer, so that it starves with the event loop, and only while the engine gets on.
 */

import type { AgentState } from './types.ts';

/** Sends one datagram to the service manager; false when there is none. */
export type Notify = (state: string) => boolean;

export interface ServiceOptions {
  notify: Notify;
  /** Milliseconds within which the service manager wants a sign of life; null: it wants none. */
  watchdog: number | null;
  /** What `systemctl status` shows. */
  status: () => string;
  /** Whether the engine gets on. */
  alive: () => boolean;
}

const STATUS_INTERVAL = 10_000;

export class ServiceManager {
  readonly #options: ServiceOptions;
  #feeding: NodeJS.Timeout | undefined;
  #telling: NodeJS.Timeout | undefined;
  #status = '';

  constructor(options: ServiceOptions) {
    this.#options = options;
  }

  /** The agent works from now on. */
  ready(): void {
    const { notify, watchdog } = this.#options;
    notify(`READY=1\nSTATUS=${this.#currentStatus()}`);
    if (watchdog !== null) this.#feeding = setInterval(() => this.#feed(), watchdog / 2).unref();
    this.#telling = setInterval(() => this.#tell(), STATUS_INTERVAL).unref();
  }

  /** Call {@link reloaded} when it is done. */
  reloading(): void {
    this.#options.notify(`RELOADING=1\nMONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`);
  }

  reloaded(): void {
    this.#options.notify('READY=1');
  }

  /** What was begun is being finished. The watchdog is fed until {@link close}. */
  stopping(): void {
    clearInterval(this.#telling);
    this.#options.notify('STOPPING=1\nSTATUS=finishing what was begun');
  }

  close(): void {
    clearInterval(this.#telling);
    clearInterval(this.#feeding);
  }

  #feed(): void {
    if (this.#options.alive()) this.#options.notify('WATCHDOG=1');
  }

  #tell(): void {
    const before = this.#status;
    const status = this.#currentStatus();
    if (status !== before) this.#options.notify(`STATUS=${status}`);
  }

  #currentStatus(): string {
    this.#status = this.#options.status().replaceAll('\n', ' ');
    return this.#status;
  }
}

/**
 * Milliseconds of the service manager's watchdog, from WATCHDOG_USEC and WATCHDOG_PID; null when it is off or meant for
 * another process.
 */
export function watchdogInterval(env: NodeJS.ProcessEnv = process.env): number | null {
  if (env.WATCHDOG_PID !== undefined && Number(env.WATCHDOG_PID) !== process.pid) return null;
  const microseconds = Number(env.WATCHDOG_USEC);
  return Number.isSafeInteger(microseconds) && microseconds >= 2000 ? microseconds / 1000 : null;
}

/** Longer than any one file should take, a slow file system included. */
const PATIENCE = 15 * 60_000;

/** Tells an engine that is stuck from one that has nothing to do. */
export class ProgressWatch {
  readonly #state: () => AgentState;
  readonly #patience: number;
  #last = Date.now();

  /** @param patience Milliseconds without any outcome, while there is work, after which the engine counts as stuck. */
  constructor(state: () => AgentState, patience = PATIENCE) {
    this.#state = state;
    this.#patience = patience;
  }

  /** Call it for every file that came to an end of any kind. */
  happened(): void {
    this.#last = Date.now();
  }

  alive(): boolean {
    const { working, queueLength, retrying, alarms } = this.#state();
    // What an alarm holds up does not get better by a restart.
    const busy = working > 0 || (queueLength > retrying && alarms.length === 0);
    if (!busy) this.happened();
    return Date.now() - this.#last < this.#patience;
  }
}
