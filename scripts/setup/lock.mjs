/**
 * One set-up at a time. The kernel's lock (flock) is released however its holder ends, so there is nothing stale to
 * recognise or to clean up.
 */

import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, SetupError, STATE, say } from './run.mjs';

/** What `flock -n` ends with when another process holds the lock; none of our own exit codes. */
const BUSY = 75;

/** Runs this script again, with `args`, while holding the lock. */
export function underLock(args) {
  mkdirSync(STATE, { recursive: true });
  const command = [join(STATE, 'lock'), process.execPath, join(ROOT, 'scripts/setup.mjs'), ...args];
  let result = flock(['-n', '-E', String(BUSY), ...command]);
  if (result.status === BUSY) {
    say('another set-up is running here; waiting for it');
    result = flock(command);
  }
  process.exitCode = result.status ?? 1;
}

function flock(args) {
  const result = spawnSync('flock', args, { stdio: 'inherit' });
  if (result.error) throw new SetupError(`flock cannot be run (${result.error.message}); install util-linux`);
  return result;
}
