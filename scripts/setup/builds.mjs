/** Dependencies, TypeScript and the native module: each made again when what it is made from has changed. */

import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, run } from './run.mjs';
import { filesUnder, hashOf, isStamped, makeStamped } from './stamp.mjs';

export const builds = () => [dependencies(), typescript(), native()];

function dependencies() {
  return {
    name: 'dependencies (npm ci)',
    isDone: dependenciesAreInstalled,
    run() {
      // Without scripts: our own `install` would build the native module here, and again below. NODE_ENV=production
      // must not leave out the compiler.
      run('npm-ci', 'npm', ['ci', '--ignore-scripts', '--include=dev', '--no-audit', '--no-fund']);
    },
  };
}

/**
 * Compares package-lock.json with the record npm leaves in node_modules as the last act of an installation. So an
 * interrupted one is seen, and one that was made by hand is respected.
 */
function dependenciesAreInstalled() {
  const record = join(ROOT, 'node_modules/.package-lock.json');
  if (!existsSync(record)) return false;
  const installed = JSON.parse(readFileSync(record, 'utf8')).packages;
  const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'));
  return Object.entries(packages).every(([path, wanted]) => {
    if (path === '') return true;
    const found = installed[path];
    if (found === undefined) return wanted.optional === true;
    return found.version === wanted.version && found.integrity === wanted.integrity;
  });
}

function typescript() {
  const sources = () =>
    filesUnder('lib', 'desk', 'scripts/man.mjs', 'tsconfig.json', 'tsconfig.build.json', 'package-lock.json');
  const outputs = () =>
    filesUnder('lib')
      .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))
      .map((file) => file.replace(/^lib/, 'dist').replace(/\.ts$/, '.js'))
      .concat('dist/desk/page/index.html');
  return {
    name: 'TypeScript build',
    isDone: () => isStamped('typescript', hashOf(sources())) && areThere(outputs()),
    run: () => makeStamped('typescript', hashOf(sources()), () => run('typescript', 'npm', ['run', 'build:ts'])),
  };
}

function native() {
  const sources = () => filesUnder('native', 'CMakeLists.txt', 'cmake', 'package-lock.json');
  const outputs = ['build/Release/callseal.node', 'build/Testing/callseal_testing.node'];
  return {
    name: 'native build',
    isDone: () => isStamped('native', hashOf(sources())) && areThere(outputs),
    run() {
      makeStamped('native', hashOf(sources()), () => {
        forgetMovedBuild();
        run('native', 'npm', ['run', 'build:native']);
      });
    },
  };
}

const areThere = (files) => files.every((file) => existsSync(join(ROOT, file)));

/** CMake refuses a build directory that was copied along with the project from another place. */
function forgetMovedBuild() {
  const cache = join(ROOT, 'build/CMakeCache.txt');
  if (!existsSync(cache)) return;
  const home = /^CMAKE_HOME_DIRECTORY:INTERNAL=(.*)$/m.exec(readFileSync(cache, 'utf8'))?.[1];
  if (home !== ROOT) rmSync(join(ROOT, 'build'), { recursive: true });
}
