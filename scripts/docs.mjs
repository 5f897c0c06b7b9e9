#!/usr/bin/env node
/**
 * `npm run docs`: checks the drawings of all pages, and builds the API's pages in `docs/site/dist`.
 *
 * TypeDoc needs a TypeScript with an API of its own, which the one that builds the package no longer has. So it has a
 * package in `docs/site`, with a lock file, which is installed when it is not there.
 */

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SITE = fileURLToPath(new URL('../docs/site', import.meta.url));

if (!isInstalled()) {
  console.error('docs: installing what builds the pages (npm ci in docs/site)');
  run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund']);
}
run(process.execPath, ['check-drawings.mjs']);
run(process.execPath, ['node_modules/typedoc/bin/typedoc']);
console.error(`docs: ${join(SITE, 'dist/index.html')}`);

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

function run(program, args) {
  const { status, error } = spawnSync(program, args, { cwd: SITE, stdio: 'inherit' });
  if (error !== undefined) console.error(`docs: ${program}: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
}
