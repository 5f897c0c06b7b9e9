/** The fuzzers' programs, and the FIPS module that they run on. */

import { existsSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { findFipsModule } from '../../dist/fips/discover.js';
import { made, ROOT, run } from './run.mjs';

/**
 * Builds them, optimised, in `.cache/native-fuzz`: several times as fast as those of `npm test`, which share the build of
 * the core's tests. Quick when nothing has changed.
 *
 * @returns {Promise<string>} the directory
 */
export async function builtFuzzers() {
  const directory = join(ROOT, '.cache/native-fuzz');
  forgetMovedBuild(directory);
  const options = ['-DCMAKE_CXX_COMPILER=clang++', '-DCMAKE_BUILD_TYPE=RelWithDebInfo'];
  const kind = ['-DCALLSEAL_SANITIZE=address,undefined', '-DCALLSEAL_FUZZERS=ON'];
  for (const args of [
    ['-S', ROOT, '-B', made(directory), ...options, ...kind],
    ['--build', directory, '--parallel', '2'],
  ]) {
    const { status, output } = await run('flock', [`${directory}.lock`, 'cmake', ...args]);
    if (status !== 0) throw new Error(`cmake ${args.join(' ')} ended with ${status}\n${output.slice(-8000)}`);
  }
  return directory;
}

/** CMake refuses a build directory that was copied along with the project from another place. */
function forgetMovedBuild(directory) {
  const cache = join(directory, 'CMakeCache.txt');
  if (!existsSync(cache)) return;
  const home = /^CMAKE_HOME_DIRECTORY:INTERNAL=(.*)$/m.exec(readFileSync(cache, 'utf8'))?.[1];
  if (home !== ROOT) rmSync(directory, { recursive: true });
}

/** @returns {string} a directory with `fips.so` and `fipsmodule.cnf`, as CALLSEAL_FIPS_DIR wants it */
export function fipsDirectory() {
  const { modulePath, moduleConfig } = findFipsModule();
  const directory = made(join(ROOT, '.cache/fuzz/fips'));
  rmSync(join(directory, 'fips.so'), { force: true });
  symlinkSync(modulePath, join(directory, 'fips.so'));
  writeFileSync(join(directory, 'fipsmodule.cnf'), `[fips_sect]\n${moduleConfig}`);
  return directory;
}
