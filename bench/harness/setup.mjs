/** What the benchmarks need beside the built project: peers' packages and commands, and the compiled limit programs. */

import { existsSync, mkdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { run, runStep, SetupError } from '../../scripts/setup/run.mjs';
import { filesUnder, hashOf, isStamped, makeStamped } from '../../scripts/setup/stamp.mjs';
import { BENCH, LIMIT_PROGRAMS } from './paths.mjs';

/** Debian packages by the command that each brings. Without one of them its figures are left out. */
const COMMANDS = { age: 'age', gpg: 'gnupg', hyperfine: 'hyperfine' };

export async function setUp() {
  for (const step of [commands(), packages(), limitPrograms()]) await runStep(step);
}

function commands() {
  const missing = () => Object.keys(COMMANDS).filter((command) => !onPath(command));
  return {
    name: 'commands to compare with',
    isDone: () => missing().length === 0,
    run() {
      const debian = missing().map((command) => COMMANDS[command]);
      if (!onPath('apt-get') || process.getuid() !== 0) {
        throw new SetupError(`not installed: ${debian.join(' ')} (sudo apt-get install ${debian.join(' ')})`);
      }
      const environment = { env: { DEBIAN_FRONTEND: 'noninteractive' } };
      run('apt-get-update', 'apt-get', ['-q', 'update'], environment);
      run('apt-get-bench', 'apt-get', ['-q', 'install', '--yes', '--no-install-recommends', ...debian], environment);
    },
    without: 'their figures are left out; starts are timed without hyperfine',
  };
}

function packages() {
  return {
    name: 'packages to compare with (npm ci in bench)',
    isDone: () => existsSync(join(BENCH, 'node_modules/.package-lock.json')),
    run: () => run('npm-ci-bench', 'npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: BENCH }),
  };
}

function limitPrograms() {
  const sources = () => filesUnder('bench/limit');
  return {
    name: 'limit programs',
    isDone: () => isStamped('limit-programs', hashOf(sources())) && existsSync(join(LIMIT_PROGRAMS, 'timed')),
    run: () =>
      makeStamped('limit-programs', hashOf(sources()), () => {
        mkdirSync(LIMIT_PROGRAMS, { recursive: true });
        run('limit-configure', 'cmake', ['-S', join(BENCH, 'limit'), '-B', LIMIT_PROGRAMS]);
        run('limit-build', 'cmake', ['--build', LIMIT_PROGRAMS]);
      }),
  };
}

export function onPath(program) {
  return (process.env.PATH ?? '').split(delimiter).some((directory) => existsSync(join(directory, program)));
}
