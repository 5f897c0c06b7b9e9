/**
 * SIGINT, SIGTERM and SIGHUP.
 *
 * The first asks the running jobs to stop, which removes their unfinished outputs; the command then says what was
 * finished. A second one ends the process at once, for whoever cannot wait; but not a SIGHUP, as kernel, shell
 * and service manager each send one, alone or right after a SIGTERM.
 */

import { CallsealError } from '../errors.ts';
import { EXIT_HUNG_UP, EXIT_INTERRUPTED, EXIT_TERMINATED } from './exit-codes.ts';

const EXIT_BY_SIGNAL = { SIGINT: EXIT_INTERRUPTED, SIGTERM: EXIT_TERMINATED, SIGHUP: EXIT_HUNG_UP } as const;

type Signal = keyof typeof EXIT_BY_SIGNAL;

const WORD: Record<Signal, string> = { SIGINT: 'interrupted', SIGTERM: 'terminated', SIGHUP: 'hung up' };

const controller = new AbortController();
let received: Signal | undefined;

/** Fires at the first of the signals. Nothing is caught before the first call. */
export function interruptSignal(): AbortSignal {
  for (const name of Object.keys(EXIT_BY_SIGNAL) as Signal[]) {
    if (!process.listeners(name).includes(onSignal)) process.on(name, onSignal);
  }
  return controller.signal;
}

/** The exit code of the signal that came; that of Ctrl-C when none did (a prompt reads it from the terminal itself). */
export function interruptExitCode(): number {
  return EXIT_BY_SIGNAL[received ?? 'SIGINT'];
}

/** Whether a signal came. */
export function wasInterrupted(): boolean {
  return received !== undefined;
}

/**
 * Does what the first Ctrl-C does: for a prompt, which reads it from the terminal itself.
 *
 * @returns the error to throw
 */
export function interrupt(): unknown {
  if (received === undefined) onSignal('SIGINT');
  return controller.signal.reason;
}

function onSignal(name: NodeJS.Signals): void {
  if (received !== undefined) {
    if (name === 'SIGHUP') return;
    // `process.exit` would wait for the jobs of the thread pool, and a signal ends all threads.
    process.emit('exit', interruptExitCode()); // what is to be cleared away
    process.removeAllListeners(received);
    process.kill(process.pid, received);
    return;
  }
  received = name as Signal;
  controller.abort(new CallsealError('ERR_ABORTED', WORD[received]));
}
