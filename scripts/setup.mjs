#!/usr/bin/env node
/**
 * Sets the project up: `node scripts/setup.mjs [build|demo|test|coverage]`. Safe to run at any time; does what is missing.
 *
 *   build     system packages, dependencies, TypeScript, the native module, a FIPS provider in .fips/
 *   demo      also the recordings the demonstration encrypts, in .cache/sounds/
 *   test      also clang and its sanitizers, PostgreSQL, outside test vectors, promtool and other Node versions, in .cache/,
 *             and what builds the API's pages, in docs/site/
 *   coverage  as test, and what counts the lines that the tests run
 *
 * Node's built-in modules only: this runs before there is anything else.
 */

import { builds } from './setup/builds.mjs';
import { nodeVersions, promtool, recordings, vectors } from './setup/downloads.mjs';
import { fipsProvider } from './setup/fips.mjs';
import { underLock } from './setup/lock.mjs';
import { systemPackages } from './setup/packages.mjs';
import { runStep, SetupError, say } from './setup/run.mjs';
import { docsSite } from './setup/site.mjs';

const OLDEST_NODE = [20, 19];

const project = () => [...builds(), fipsProvider()];

const forTests = (target) => [
  systemPackages(target),
  ...project(),
  vectors(),
  promtool(),
  docsSite(),
  ...nodeVersions(),
];

const TARGETS = {
  build: () => [systemPackages('build'), ...project()],
  demo: () => [systemPackages('build'), ...project(), recordings()],
  test: () => forTests('test'),
  coverage: () => forTests('coverage'),
};

async function main([target = 'build', locked]) {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1])) {
    throw new SetupError(`Callseal needs Node ${OLDEST_NODE.join('.')} or newer; this is ${process.versions.node}`);
  }
  if (!Object.hasOwn(TARGETS, target)) throw new SetupError('usage: node scripts/setup.mjs [build|demo|test|coverage]');

  const steps = TARGETS[target]();
  if (await allDone(steps)) return say(`everything for ${target} is in place`);
  if (locked !== '--locked') return underLock([target, '--locked']);
  for (const step of steps) await runStep(step);
}

/** Stops at the first step with work to do: a later one may need what that makes. */
async function allDone(steps) {
  for (const step of steps) if (!(await step.isDone())) return false;
  return true;
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error instanceof SetupError || error.code ? `set-up: ${error.message}` : error);
  process.exitCode = 1;
});
