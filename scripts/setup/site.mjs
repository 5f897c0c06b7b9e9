/**
 * What builds the API's pages and checks drawings: a package of its own in `docs/site`, with a lock file. TypeDoc needs a
 * TypeScript with an API, which the one that builds Callseal no longer has.
 */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, run } from './run.mjs';

export const SITE = join(ROOT, 'docs/site');

export function docsSite() {
  return {
    name: 'what builds the pages of the API (npm ci in docs/site)',
    without: 'the test of these pages and of drawings is skipped',
    isDone: isInstalled,
    run: () => run('npm-ci-site', 'npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: SITE }),
  };
}

/** Whether what npm wrote down at the end of its last installation is what the lock file asks for. */
function isInstalled() {
  const record = join(SITE, 'node_modules/.package-lock.json');
  if (!existsSync(record)) return false;
  const packages = (path) => JSON.parse(readFileSync(path, 'utf8')).packages;
  const installed = packages(record);
  return Object.entries(packages(join(SITE, 'package-lock.json'))).every(
    ([path, { version, optional }]) => path === '' || optional === true || installed[path]?.version === version,
  );
}
