#!/usr/bin/env node
/**
 * What tools that are kept say of the package as a whole: which way dependencies point, and whether its manifest leads
 * every kind of importer to code and types.
 */

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** On `dist/`, as the tool cannot read the TypeScript that is installed. */
const DIRECTIONS = ['depcruise', 'dist', '--config', '.dependency-cruiser.json'];
const MANIFEST = ['publint', '--strict', '--pack', 'false'];

let failed = false;
for (const command of [DIRECTIONS, MANIFEST]) {
  const { status } = spawnSync('npx', ['--no-install', ...command], { cwd: ROOT, stdio: 'inherit' });
  failed ||= status !== 0;
}
process.exitCode = failed ? 1 : 0;
