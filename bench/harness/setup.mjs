/** What the benchmarks need beside the built project: peers' packages and commands, and the compiled limit programs. */

import { existsSync, mkdirSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { run, runStep, SetupError } from '../../scripts/setup/run.mjs';
import { filesUnder, hashOf, isStamped, makeStamped } from '../../scripts/setup/stamp.mjs';
import { BENCH, LIMIT_PROGRAMS } from './paths.mjs';

/** Debian packages by the command that each brings. Without one of them its figures are left out. */
const COMMANDS = { age: 'age', gpg: 'gnupg', hyperfine: 'hyperfine' };

export async function setUp() {
  for (const step of [commands(), packages(), mongodbAddon(), limitPrograms()]) await runStep(step);
}

/** What compiles against the system's libmongocrypt. */
const MONGOCRYPT = {
  header: '/usr/include/mongocrypt/mongocrypt.h',
  debian: ['libmongocrypt-dev', 'g++', 'make', 'python3'],
};

function commands() {
  const missing = () => Object.keys(COMMANDS).filter((command) => !onPath(command));
  return {
    name: 'commands to compare with',
    isDone: () => missing().length === 0,
    run() {
      installDebian(missing().map((command) => COMMANDS[command]));
    },
    without: 'their figures are left out; starts are timed without hyperfine',
  };
}

function installDebian(packages) {
  if (!onPath('apt-get') || process.getuid() !== 0) {
    throw new SetupError(`not installed: ${packages.join(' ')} (sudo apt-get install ${packages.join(' ')})`);
  }
  const environment = { env: { DEBIAN_FRONTEND: 'noninteractive' } };
  run('apt-get-update', 'apt-get', ['-q', 'update'], environment);
  run('apt-get-bench', 'apt-get', ['-q', 'install', '--yes', '--no-install-recommends', ...packages], environment);
}

function packages() {
  const wanted = () => hashOf(['bench/package.json', 'bench/package-lock.json']);
  return {
    name: 'packages to compare with (npm ci in bench)',
    isDone: () => isStamped('bench-packages', wanted()) && existsSync(join(BENCH, 'node_modules/.package-lock.json')),
    run: () =>
      makeStamped('bench-packages', wanted(), () =>
        run('npm-ci-bench', 'npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: BENCH }),
      ),
  };
}

/** Compiled here: its binaries are on GitHub, which not every host reaches, and newer releases need a newer library than Debian's. */
function mongodbAddon() {
  const name = 'mongodb-client-encryption';
  return {
    name: `${name} for the system's libmongocrypt`,
    isDone: () => existsSync(join(BENCH, 'node_modules', name, 'build/Release/mongocrypt.node')),
    run() {
      if (!existsSync(MONGOCRYPT.header)) installDebian(MONGOCRYPT.debian);
      const node = dirname(dirname(process.execPath));
      const headers = existsSync(join(node, 'include/node/node_api.h')) ? { npm_config_nodedir: node } : {};
      const env = { BUILD_TYPE: 'dynamic', npm_config_build_from_source: 'true', ...headers };
      run('npm-rebuild-bench', 'npm', ['rebuild', name], { cwd: BENCH, env });
    },
    without: 'its figures are left out',
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
