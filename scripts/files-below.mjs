/** Paths of every regular file below a directory, sorted. */

import { readdirSync } from 'node:fs';
import { join } from 'node:path';

export function filesBelow(directory) {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
