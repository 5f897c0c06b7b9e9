/** What is below a directory. */

import { type Dirent, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';

/** Paths of every regular file, sorted, without those whose names have that pattern. */
export function filesBelow(root: string, without?: RegExp): string[] {
  return pathsBelow(root, (entry) => entry.isFile() && !(without?.test(entry.name) ?? false));
}

/** Names of everything but directories, from there on, sorted. */
export function namesBelow(root: string): string[] {
  return pathsBelow(root, (entry) => !entry.isDirectory()).map((path) => relative(root, path));
}

function pathsBelow(root: string, takes: (entry: Dirent) => boolean): string[] {
  const entries = readdirSync(root, { recursive: true, withFileTypes: true }).filter(takes);
  return entries.map((entry) => join(entry.parentPath, entry.name)).sort();
}
