/** Rounds: the same work again and again until its time is used up. */

import { setImmediate as nextTurn } from 'node:timers/promises';
import { throwIfAborted } from '../../abort.ts';

/** How long a part of the run may take, and what ends it early. */
export interface Pace {
  readonly seconds: number;
  readonly signal: AbortSignal;
}

/**
 * Does `round` at least once, and again until the time is used up.
 *
 * @throws {CallsealError} `ERR_ABORTED`.
 */
export async function inRounds<T>({ seconds, signal }: Pace, round: () => T | Promise<T>): Promise<T[]> {
  const end = performance.now() + seconds * 1000;
  const results: T[] = [];
  do {
    // A signal is heard when the event loop turns.
    await nextTurn();
    throwIfAborted(signal);
    results.push(await round());
  } while (performance.now() < end);
  throwIfAborted(signal);
  return results;
}

/** A part of a pace's time. */
export function share({ seconds, signal }: Pace, part: number): Pace {
  return { seconds: seconds * part, signal };
}

/** How often `work` was done a second, over about `seconds`, by `atOnce` who each begin anew when they are done. */
export async function perSecond(
  { seconds, signal }: Pace,
  atOnce: number,
  work: () => Promise<unknown>,
): Promise<number> {
  const started = performance.now();
  const end = started + seconds * 1000;
  let done = 0;
  const worker = async (): Promise<void> => {
    do {
      await work();
      done += 1;
    } while (performance.now() < end && !signal.aborted);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  await nextTurn();
  throwIfAborted(signal);
  return (done * 1000) / (performance.now() - started);
}
