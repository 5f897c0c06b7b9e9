#!/usr/bin/env node
/**
 * What tools that are kept say of the package as a whole: which way dependencies point, and whether its manifest leads
 * every kind of importer to code and types.
 */

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** On `dist/`, as the tool cannot read the TypeScript that is installed. */
const DIRECTIONS = ['depcruise', 'dist', '--config', '.dependency-cruiser.json'];
const MANIFEST = ['publint', '--strict', '--pack', 'false'];

/**
 * On the packed package. Resolutions of Node 10 are left out by the profile, as the package needs Node 20; that CommonJS
 * gets an ES module is what is meant: every supported Node has `require(esm)`.
 */
const TYPES = ['attw', '--profile', 'node16', '--ignore-rules', 'cjs-resolves-to-esm', '--no-definitely-typed'];

let failed = false;
const folder = mkdtempSync(join(tmpdir(), 'callseal-package-'));
try {
  for (const command of [DIRECTIONS, MANIFEST, [...TYPES, '--format', 'ascii', pack()]]) {
    const { status } = spawnSync('npx', ['--no-install', ...command], { cwd: ROOT, stdio: 'inherit' });
    failed ||= status !== 0;
  }
} finally {
  rmSync(folder, { recursive: true });
}
process.exitCode = failed ? 1 : 0;

/** Without scripts: they would build the binary, which has no types. */
function pack() {
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder];
  const [{ filename }] = JSON.parse(execFileSync('npm', args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'ignore'] }));
  return join(folder, filename);
}
