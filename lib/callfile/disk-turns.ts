/**
 * Waiting for the disk, for hundreds of files that are written at once: a few threads of the pool wait, and the others
 * go on with everything else; files whose flush is due share one timer.
 */

import { dirname } from 'node:path';
import { syncDirectory } from '../sync-directory.ts';

/** How many files are synced at once: half of libuv's threads, unless it was given more. */
const SYNCS_AT_ONCE = Math.max(2, Math.floor(Number(process.env.UV_THREADPOOL_SIZE ?? 4) / 2) || 2);

let syncing = 0;
const waiting: (() => void)[] = [];

/** Runs a sync as soon as fewer than {@link SYNCS_AT_ONCE} others run. */
export async function syncInTurn(sync: () => Promise<void>): Promise<void> {
  if (syncing >= SYNCS_AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve));
  else syncing++;
  try {
    await sync();
  } finally {
    const next = waiting.shift();
    if (next === undefined) syncing--;
    else next(); // it takes the place
  }
}

/** Directory syncs by directory: the one that runs, and the one that has not begun, which all who come meanwhile share. */
const running = new Map<string, Promise<void>>();
const queued = new Map<string, Promise<void>>();

/** Waits until the name of a file that was created is on the disk. */
export function syncNameOf(path: string): Promise<void> {
  const directory = dirname(path);
  let next = queued.get(directory);
  if (next === undefined) {
    next = syncAfter(directory, running.get(directory));
    queued.set(directory, next);
  }
  return next;
}

async function syncAfter(directory: string, earlier: Promise<void> | undefined): Promise<void> {
  // Its failure is told to those who wait for it.
  await earlier?.catch(() => {});
  await Promise.resolve();
  const sync = syncInTurn(() => syncDirectory(directory));
  queued.delete(directory);
  running.set(directory, sync);
  try {
    await sync;
  } finally {
    if (running.get(directory) === sync) running.delete(directory);
  }
}

/** Moments at which flushes are due are rounded up to these milliseconds, so that many fall together. */
const TICK = 50;

/** What is flushed and when, by `performance.now()`. */
const due = new Map<() => void, number>();
let timer: NodeJS.Timeout | undefined;
let timerAt = Number.POSITIVE_INFINITY;

/** Calls `flush` once, after about `milliseconds`, unless that was asked for already. Keeps no process alive. */
export function flushWithin(flush: () => void, milliseconds: number): void {
  if (due.has(flush)) return;
  const at = Math.ceil((performance.now() + milliseconds) / TICK) * TICK;
  due.set(flush, at);
  arm(at);
}

/** Takes {@link flushWithin} back. */
export function forgetFlush(flush: () => void): void {
  due.delete(flush);
}

function arm(at: number): void {
  if (at >= timerAt) return;
  clearTimeout(timer);
  timerAt = at;
  timer = setTimeout(flushDue, at - performance.now()).unref();
}

function flushDue(): void {
  timerAt = Number.POSITIVE_INFINITY;
  const now = performance.now() + 1; // timers may fire a little early
  let next = Number.POSITIVE_INFINITY;
  for (const [flush, at] of due) {
    if (at > now) {
      next = Math.min(next, at);
      continue;
    }
    due.delete(flush);
    flush();
  }
  if (next < Number.POSITIVE_INFINITY) arm(next);
}
