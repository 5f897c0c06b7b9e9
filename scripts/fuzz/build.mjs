/** The fuzzers' programs, and the FIPS module that they run on. */

import { rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { findFipsModule } from '../../dist/fips/discover.js';
import { SANITIZED, sanitizedBuild } from '../native/sanitized.mjs';
import { made, ROOT, run } from './run.mjs';

/** @returns {Promise<string>} the path of the fuzzer, built if it was not */
export async function builtFuzzer(name) {
  for (const args of sanitizedBuild(SANITIZED, { compiler: 'clang++', fuzzers: true, targets: [name] })) {
    const { status, output } = await run('flock', args);
    if (status !== 0) throw new Error(`flock ${args.join(' ')} ended with ${status}\n${output.slice(-8000)}`);
  }
  return join(SANITIZED.directory, name);
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
