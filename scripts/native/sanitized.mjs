/** The one build of the core under sanitizers, with its tests and fuzzers: it takes minutes, so `npm test` and `npm run fuzz` share it. */

import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
export const SANITIZED = join(ROOT, '.cache/native-sanitized');

/**
 * The commands that build it, each the arguments of `flock`: two processes that build wait for each other. Quick when
 * nothing has changed.
 *
 * @param {{ compiler: string, fuzzers: boolean, targets?: string[] }} options all targets unless some are named
 * @returns {string[][]}
 */
export function sanitizedBuild({ compiler, fuzzers, targets = [] }) {
  forgetMovedBuild();
  const options = [
    `-DCMAKE_CXX_COMPILER=${compiler}`,
    '-DCMAKE_BUILD_TYPE=Debug',
    '-DCALLSEAL_SANITIZE=address,undefined',
    '-DCALLSEAL_CORE_TESTS=ON',
    `-DCALLSEAL_FUZZERS=${fuzzers ? 'ON' : 'OFF'}`,
  ];
  const chosen = targets.length > 0 ? ['--target', ...targets] : [];
  return [
    ['-S', ROOT, '-B', SANITIZED, ...options],
    ['--build', SANITIZED, '--parallel', '2', ...chosen],
  ].map((args) => [`${SANITIZED}.lock`, 'cmake', ...args]);
}

/** CMake refuses a build directory that was copied along with the project from another place. */
function forgetMovedBuild() {
  const cache = join(SANITIZED, 'CMakeCache.txt');
  if (!existsSync(cache)) return;
  const home = /^CMAKE_HOME_DIRECTORY:INTERNAL=(.*)$/m.exec(readFileSync(cache, 'utf8'))?.[1];
  if (home !== ROOT) rmSync(SANITIZED, { recursive: true });
}
