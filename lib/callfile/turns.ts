/**
 * Bulk cryptography on the JavaScript thread, a turn at a time.
 *
 * AES-GCM in the module is as fast as memory: to hand bytes to another thread safely means to copy them first, as a script
 * could transfer or resize its buffer meanwhile, and that takes the event loop longer than encrypting them here does.
 * So they are encrypted here, for a bounded time between two turns of the event loop, however many calls are under way.
 */

/**
 * How long bulk work may take between two turns of the event loop. A turn costs it a tenth of a millisecond, as memory as fast
 * as this has emptied the caches meanwhile; timers and sockets are late by at most so much.
 */
const TURN_MICROSECONDS = 2500;

/** Works for about so many microseconds, at least a little; returns whether all is done. */
export type Step = (microseconds: number) => boolean;

interface Task {
  step: Step;
  resolve: () => void;
  reject: (error: unknown) => void;
}

const tasks: Task[] = [];
/** What is left of this turn. */
let microseconds = TURN_MICROSECONDS;
let scheduled = false;

/** Calls `step`, at first at once if this turn has time left, until it returns true; rejects with what it throws. */
export function inTurns(step: Step): Promise<void> {
  return new Promise((resolve, reject) => {
    tasks.push({ step, resolve, reject });
    work();
  });
}

function work(): void {
  if (!scheduled) setImmediate(nextTurn);
  scheduled = true;
  while (microseconds > 0) {
    const task = tasks.shift();
    if (task === undefined) return;
    const started = performance.now();
    if (!finish(task)) tasks.push(task);
    microseconds -= Math.ceil((performance.now() - started) * 1000);
  }
}

function nextTurn(): void {
  scheduled = false;
  microseconds = TURN_MICROSECONDS;
  if (tasks.length > 0) work();
}

/** One step of a task; whether it has ended, well or not. */
function finish({ step, resolve, reject }: Task): boolean {
  try {
    if (!step(microseconds)) return false;
    resolve();
  } catch (error) {
    reject(error);
  }
  return true;
}
