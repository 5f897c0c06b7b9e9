/** The C++ half: a build of core, addon and core tests that counts its lines, and what gcovr says that it counted. */

import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { CACHE, NATIVE, ROOT } from './place.mjs';

/** What node-gyp-build is told to look below: the addon that counts. */
export const ADDON = join(CACHE, 'addon');
export const CORE_TESTS = join(NATIVE, 'core_tests');

export function buildCounting() {
  mkdirSync(NATIVE, { recursive: true });
  const options = ['CALLSEAL_COVERAGE', 'CALLSEAL_CORE_TESTS'].map((name) => `--CD${name}=ON`);
  const cmake = ['--no-install', 'cmake-js', 'compile', '--debug', '--out', NATIVE, ...options];
  execFileSync('npx', cmake, { cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'] });
  const place = join(ADDON, 'prebuilds', `linux-${process.arch}`);
  mkdirSync(place, { recursive: true });
  const built = ['Debug', 'Release', '.'].map((directory) => join(NATIVE, directory, 'callseal.node')).find(existsSync);
  copyFileSync(built, join(place, 'callseal.glibc.node'));
}

export function forgetCounts() {
  for (const counts of readdirSync(NATIVE, { recursive: true }).filter((name) => name.endsWith('.gcda'))) {
    rmSync(join(NATIVE, counts));
  }
}

/** Lines by file. @returns {Record<string, import('./place.mjs').Lines>} */
export function nativeLines() {
  const report = join(CACHE, 'native.json');
  const filters = ['--filter', 'native/core/', '--filter', 'native/addon/'];
  const args = ['--root', ROOT, ...filters, '--json', report, '--gcov-ignore-parse-errors', NATIVE];
  execFileSync('gcovr', args, { cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'] });
  const { files } = JSON.parse(readFileSync(report, 'utf8'));
  return Object.fromEntries(
    files.map(({ file, lines }) => {
      const counted = lines.filter((line) => !line['gcovr/noncode']);
      return [file, new Map(counted.map((line) => [line.line_number, line.count > 0]))];
    }),
  );
}
