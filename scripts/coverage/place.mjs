/** Where the measurement keeps what it makes. */

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
export const CACHE = join(ROOT, '.cache/coverage');
/** Built again only where sources have changed, so it survives {@link CACHE}. */
export const NATIVE = join(ROOT, '.cache/coverage-native');

/**
 * What was found of one file: its lines with code, and which of them were run.
 * @typedef {Map<number, boolean>} Lines
 */
