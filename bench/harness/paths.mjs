/** Where things are. */

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
export const BENCH = join(ROOT, 'bench');
/** What is made once and kept: the compiled limit programs and everybody's keys. */
export const CACHE = join(ROOT, '.cache/bench');
export const LIMIT_PROGRAMS = join(CACHE, 'limit');
export const KEYS = join(CACHE, 'keys');
export const CALLSEAL = join(ROOT, 'bin/callseal');
