#!/usr/bin/env node
/**
 * Measures which lines the tests run: `npm run coverage`, `npm run coverage -- test/config.test.ts` for some of them only.
 * With `--add` what was counted before stays, so that it can be done in parts; with `--write` the figures go into docs/coverage.md.
 *
 * TypeScript: vitest counts what tests import, Node counts what the commands and other children that they start do. C++: the
 * core's own tests and the addon in all those processes count by gcov, in a build of their own. A process that is killed
 * counts nothing. Everything is kept in `.cache/coverage/`.
 */

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ADDON, buildCounting, CORE_TESTS, forgetCounts, nativeLines } from './coverage/native.mjs';
import { CACHE, ROOT } from './coverage/place.mjs';
import { figuresOf, gapsOf, writePage } from './coverage/report.mjs';
import { typescriptLines } from './coverage/typescript.mjs';

const args = process.argv.slice(2);
const [add, write] = ['--add', '--write'].map((option) => args.includes(option));
const tests = args.filter((arg) => !['--add', '--write'].includes(arg));

const VITEST = ['node_modules/vitest/vitest.mjs', 'run', '--config', 'vitest.coverage.config.ts'];
const AT_ROOT = { cwd: ROOT, stdio: 'inherit' };

if (!add) rmSync(CACHE, { recursive: true, force: true });
mkdirSync(join(CACHE, 'children'), { recursive: true });
await measure();

async function measure() {
  buildCounting();
  if (!add) forgetCounts();
  execFileSync('npx', ['--no-install', 'tsc', '-p', 'tsconfig.build.json', '--sourceMap'], AT_ROOT);
  let failed;
  try {
    failed = await runTests();
    const lines = { ...(await typescriptLines()), ...nativeLines() };
    const figures = `By ${testFiles()} files of tests and the tests of the core.\n\n${figuresOf(lines)}`;
    writeFileSync(join(CACHE, 'gaps.txt'), gapsOf(lines));
    console.log(`${figures}\nwhat no test runs, line by line: .cache/coverage/gaps.txt`);
    if (write) writePage(figures);
  } finally {
    // What is packaged refers to no source.
    const maps = readdirSync(join(ROOT, 'dist'), { recursive: true }).filter((name) => name.endsWith('.map'));
    for (const map of maps) rmSync(join(ROOT, 'dist', map));
    execFileSync('npm', ['run', '--silent', 'build:ts'], AT_ROOT);
  }
  if (failed) console.error('some tests failed; the figures are of those that ran');
  process.exitCode = failed ? 1 : 0;
}

/** Whether any failed. */
async function runTests() {
  const env = { ...process.env, CALLSEAL_FIPS_DIR: await fipsDirectory() };
  const core = add ? { status: 0 } : spawnSync(CORE_TESTS, [], { env, stdio: ['ignore', 'ignore', 'inherit'] });
  const vitest = spawnSync(process.execPath, [...VITEST, ...tests], {
    cwd: ROOT,
    env: {
      ...process.env,
      CALLSEAL_PREBUILD: ADDON,
      CALLSEAL_COVERAGE_CHILDREN: join(CACHE, 'children'),
      CALLSEAL_COVERAGE_RUN: join(CACHE, 'runs', `${Date.now()}`),
    },
    stdio: 'inherit',
  });
  return core.status !== 0 || vitest.status !== 0;
}

/** How many have counted. */
function testFiles() {
  const runs = readdirSync(join(CACHE, 'runs'));
  const reports = runs.map((run) => JSON.parse(readFileSync(join(CACHE, 'runs', run, 'tests.json'), 'utf8')));
  return new Set(reports.flatMap(({ testResults }) => testResults.map(({ name }) => name))).size;
}

/** A directory as CALLSEAL_FIPS_DIR wants it, wherever the module really lies. */
async function fipsDirectory() {
  const { findFipsModule } = await import('../dist/fips/discover.js');
  const { modulePath, moduleConfig } = findFipsModule();
  const directory = join(CACHE, 'fips');
  if (add) return directory;
  mkdirSync(directory);
  symlinkSync(modulePath, join(directory, 'fips.so'));
  writeFileSync(join(directory, 'fipsmodule.cnf'), `[fips_sect]\n${moduleConfig}`);
  return directory;
}
