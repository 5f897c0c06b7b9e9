/**
 * The builds of the core under sanitizers: one with its tests and fuzzers, which `npm test` and `npm run fuzz` share as it takes
 * minutes, and one under ThreadSanitizer, which does not go together with the others.
 */

import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

/** Address and undefined-behaviour sanitizers. */
export const SANITIZED = { directory: join(ROOT, '.cache/native-sanitized'), sanitizers: 'address,undefined' };
export const THREAD_SANITIZED = { directory: join(ROOT, '.cache/native-thread-sanitized'), sanitizers: 'thread' };

/**
 * The commands that build one of them, each the arguments of `flock`: two processes that build wait for each other. Quick
 * when nothing has changed.
 *
 * @param {{ directory: string, sanitizers: string }} build
 * @param {{ compiler: string, fuzzers?: boolean, targets?: string[] }} options all targets unless some are named
 * @returns {string[][]}
 */
export function sanitizedBuild({ directory, sanitizers }, { compiler, fuzzers = false, targets = [] }) {
  mkdirSync(directory, { recursive: true });
  forgetMovedBuild(directory);
  const options = [
    `-DCMAKE_CXX_COMPILER=${compiler}`,
    '-DCMAKE_BUILD_TYPE=Debug',
    `-DCALLSEAL_SANITIZE=${sanitizers}`,
    '-DCALLSEAL_CORE_TESTS=ON',
    `-DCALLSEAL_FUZZERS=${fuzzers ? 'ON' : 'OFF'}`,
  ];
  const chosen = targets.length > 0 ? ['--target', ...targets] : [];
  return [
    ['-S', ROOT, '-B', directory, ...options],
    ['--build', directory, '--parallel', '2', ...chosen],
  ].map((args) => [`${directory}.lock`, 'cmake', ...args]);
}

/** CMake refuses a build directory that was copied along with the project from another place. */
function forgetMovedBuild(directory) {
  const cache = join(directory, 'CMakeCache.txt');
  if (!existsSync(cache)) return;
  const home = /^CMAKE_HOME_DIRECTORY:INTERNAL=(.*)$/m.exec(readFileSync(cache, 'utf8'))?.[1];
  if (home === ROOT) return;
  rmSync(directory, { recursive: true });
  mkdirSync(directory);
}
