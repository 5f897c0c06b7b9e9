/** The version of a package in bench/node_modules, or null when it is not installed. */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BENCH } from '../harness/paths.mjs';

export function packageVersion(name) {
  const file = join(BENCH, 'node_modules', name, 'package.json');
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).version : null;
}
