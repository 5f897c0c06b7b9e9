/** Remembers from which sources something was made, by their content: times change with every checkout. */

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { filesBelow } from '../files-below.mjs';
import { ROOT, STATE } from './run.mjs';

/** All files under the given files and directories, sorted, relative to the project's root; missing ones are left out. */
export function filesUnder(...places) {
  return places.flatMap((place) => {
    const path = join(ROOT, place);
    if (!existsSync(path)) return [];
    if (statSync(path).isFile()) return [place];
    return filesBelow(path).map((file) => relative(ROOT, file));
  });
}

/** One hash over names and contents. */
export function hashOf(files) {
  const hash = createHash('sha256');
  for (const file of files) {
    const bytes = readFileSync(join(ROOT, file));
    hash.update(`${file}\0${bytes.length}\0`).update(bytes);
  }
  return hash.digest('hex');
}

/** Whether `name` was last made from sources with this hash. */
export function isStamped(name, hash) {
  const path = stampPath(name);
  return existsSync(path) && readFileSync(path, 'utf8') === hash;
}

/** Makes something; the stamp is gone while that lasts, so that an interrupted one is done again. */
export function makeStamped(name, hash, make) {
  rmSync(stampPath(name), { force: true });
  make();
  mkdirSync(STATE, { recursive: true });
  writeFileSync(`${stampPath(name)}.new`, hash);
  renameSync(`${stampPath(name)}.new`, stampPath(name));
}

function stampPath(name) {
  return join(STATE, `${name}.stamp`);
}
