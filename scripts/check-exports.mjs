#!/usr/bin/env node
/**
 * Finds values that a file of `lib/` or a test helper exports and no other file names: code that is dead, or need not be
 * exported. Names are looked for as words, which finds dynamic imports, too; types are the compiler's matter, as a type that
 * an exported function mentions has to be exported. Locals and parameters are tsc's (`noUnusedLocals`). Files of `lib/` that
 * nothing imports are found, too.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withoutComments } from './exports/without-comments.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const FOLDERS = ['lib', 'test', 'bench', 'scripts', 'examples'];
const CHECKED = /^(lib|test\/helpers)\/.*\.ts$/;
/** What the package exports is for others to use; the last two are where processes begin. */
const ENTRIES = [
  'lib/index.ts',
  'lib/keys/index.ts',
  'lib/agent/index.ts',
  'lib/cli/main.ts',
  'lib/cli/doctor-examiner.ts',
];

const files = new Map(
  FOLDERS.flatMap(sourcesBelow).map((path) => [path, withoutComments(path, readFileSync(join(ROOT, path), 'utf8'))]),
);
const words = new Map([...files].map(([path, text]) => [path, new Set(text.match(/[A-Za-z_$][\w$]*/g))]));

const unused = [...files]
  .filter(([path]) => CHECKED.test(path) && !ENTRIES.includes(path))
  .flatMap(([path, text]) => exportedValues(text).map((name) => ({ path, name })))
  .filter(({ path, name }) => ![...words].some(([other, names]) => other !== path && names.has(name)));

for (const { path, name } of unused)
  console.error(`${path}: nothing else uses ${name}; remove it, or do not export it`);
const imported = new Set([...files].flatMap(([path, text]) => importsOf(path, text)));
const orphans = [...files.keys()].filter(
  (path) => path.startsWith('lib/') && !ENTRIES.includes(path) && !imported.has(path),
);
for (const path of orphans) console.error(`${path}: nothing imports it`);

if (files.size < 100) throw new Error('the sources were not found');
process.exitCode = unused.length + orphans.length > 0 ? 1 : 0;

function sourcesBelow(folder) {
  return readdirSync(join(ROOT, folder), { recursive: true })
    .filter((name) => /\.(ts|mjs|js)$/.test(name) && !/(^|\/)(node_modules|dist)\//.test(name))
    .map((name) => join(folder, name));
}

function exportedValues(text) {
  return [...text.matchAll(/^export (?:async )?(?:function\*?|const|let|class|abstract class) ([\w$]+)/gm)].map(
    ([, name]) => name,
  );
}

/** Static and dynamic ones, by their place in the project; `bench/` and scripts import what was built from `lib/`. */
function importsOf(path, text) {
  return [...text.matchAll(/(?:from|import\()\s*'(\.[^']*)'/g)].map(([, target]) =>
    normalize(join(dirname(path), target)).replace(/^dist\/(.*)\.js$/, 'lib/$1.ts'),
  );
}
