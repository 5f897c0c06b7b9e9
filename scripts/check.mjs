#!/usr/bin/env node
/** The static checks, `npm run check`: each by the tool that decides over it. `npm test` runs and counts them, too. */

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** What a check ends with that could not be done here, and has said why (as automake's tests do). */
export const NOT_DONE = 77;

const tool = (name, ...args) => [join(ROOT, 'node_modules/.bin', name), args];
const script = (name) => [process.execPath, [`scripts/${name}.mjs`]];

/** The linter for C++ is the compiler: every warning of `-Wall -Wextra` is an error of the build. */
const CHECKS = [
  { name: 'layout and lint of TypeScript (biome)', command: tool('biome', 'ci', '.') },
  { name: 'types, unused locals and parameters (tsc)', command: tool('tsc', '-p', 'tsconfig.json', '--noEmit') },
  { name: 'types of the desk’s page (tsc)', command: tool('tsc', '-p', 'desk/tsconfig.json') },
  { name: 'layout of C++ (clang-format)', command: script('check-native-format') },
  { name: 'unused exports and files', command: script('check-exports') },
  { name: 'directions of dependencies, manifest (dependency-cruiser, publint)', command: script('check-package') },
];

/** Runs them all, whatever one says. */
export function runChecks() {
  return CHECKS.map(({ name, command: [program, args] }) => {
    console.log(`check: ${name}`);
    const { status } = spawnSync(program, args, { cwd: ROOT, stdio: 'inherit' });
    return { name, outcome: status === 0 ? 'passed' : status === NOT_DONE ? 'skipped' : 'failed' };
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const failed = runChecks().filter(({ outcome }) => outcome === 'failed');
  for (const { name } of failed) console.error(`check failed: ${name}`);
  process.exitCode = failed.length > 0 ? 1 : 0;
}
