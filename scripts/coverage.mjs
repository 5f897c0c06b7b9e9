#!/usr/bin/env node
/**
 * Measures which lines the tests run: `npm run coverage`, `npm run coverage -- test/config.test.ts` for some of them only.
 * With `--write` the figures go into docs/coverage.md.
 *
 * TypeScript: vitest counts what tests import, Node counts what the commands and other children that they start do. C++: the
 * core's own tests and the addon in all those processes count by gcov, in a build of their own. A process that is killed
 * counts nothing. Everything is kept in `.cache/coverage/`.
 */

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ADDON, buildCounting, CORE_TESTS, nativeLines } from './coverage/native.mjs';
import { CACHE, ROOT } from './coverage/place.mjs';
import { figuresOf, gapsOf, writePage } from './coverage/report.mjs';
import { typescriptLines } from './coverage/typescript.mjs';

const args = process.argv.slice(2);
const write = args.includes('--write');
const tests = args.filter((arg) => arg !== '--write');

const AT_ROOT = { cwd: ROOT, stdio: 'inherit' };

rmSync(CACHE, { recursive: true, force: true });
mkdirSync(join(CACHE, 'children'), { recursive: true });
await measure();

async function measure() {
  buildCounting();
  execFileSync('npx', ['--no-install', 'tsc', '-p', 'tsconfig.build.json', '--sourceMap'], AT_ROOT);
  let failed;
  try {
    failed = await runTests();
    const lines = { ...(await typescriptLines()), ...nativeLines() };
    const page = { figures: figuresOf(lines), gaps: gapsOf(lines) };
    writeFileSync(join(CACHE, 'gaps.txt'), page.gaps);
    console.log(`${page.figures}\nwhat no test runs, line by line: .cache/coverage/gaps.txt`);
    if (write) writePage(page.figures);
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
  const core = spawnSync(CORE_TESTS, [], { env, stdio: ['ignore', 'ignore', 'inherit'] });
  const vitest = spawnSync(
    process.execPath,
    ['node_modules/vitest/vitest.mjs', 'run', '--config', 'vitest.coverage.config.ts', '--reporter=dot', ...tests],
    {
      cwd: ROOT,
      env: { ...process.env, CALLSEAL_PREBUILD: ADDON, CALLSEAL_COVERAGE_CHILDREN: join(CACHE, 'children') },
      stdio: 'inherit',
    },
  );
  return core.status !== 0 || vitest.status !== 0;
}

/** A directory as CALLSEAL_FIPS_DIR wants it, wherever the module really lies. */
async function fipsDirectory() {
  const { findFipsModule } = await import('../dist/fips/discover.js');
  const { modulePath, moduleConfig } = findFipsModule();
  const directory = join(CACHE, 'fips');
  mkdirSync(directory);
  symlinkSync(modulePath, join(directory, 'fips.so'));
  writeFileSync(join(directory, 'fipsmodule.cnf'), `[fips_sect]\n${moduleConfig}`);
  return directory;
}
