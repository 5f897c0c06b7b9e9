/** The TypeScript half: what vitest counted in its own processes, and Node in those that they started, line by line. */

import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseAstAsync } from 'vite';
import { CACHE, ROOT } from './place.mjs';

// What vitest itself counts with, and brings along.
const vitest = createRequire(createRequire(import.meta.url).resolve('@vitest/coverage-v8'));
const brought = (name) => import(pathToFileURL(vitest.resolve(name)).href);

const DIST = pathToFileURL(join(ROOT, 'dist/')).href;

/** @returns {Promise<Record<string, import('./place.mjs').Lines>>} */
export async function typescriptLines() {
  const lines = {};
  for (const run of inProcess()) for (const [file, counted] of Object.entries(run)) addLines(lines, file, counted);
  for (const [file, counted] of Object.entries(await inChildren())) addLines(lines, file, counted, true);
  return lines;
}

function inProcess() {
  const runs = readdirSync(join(CACHE, 'runs')).map((run) => join(CACHE, 'runs', run, 'coverage-final.json'));
  return runs.map((path) => JSON.parse(readFileSync(path, 'utf8')));
}

/** What children ran of `dist/`, told of `lib/`. */
async function inChildren() {
  const { convert } = await brought('ast-v8-to-istanbul');
  const found = {};
  for (const [url, coverage] of Object.entries(await scriptsOfChildren())) {
    const path = fileURLToPath(url);
    const code = readFileSync(path, 'utf8');
    const sourceMap = JSON.parse(readFileSync(`${path}.map`, 'utf8'));
    Object.assign(found, await convert({ code, sourceMap, coverage, ast: parseAstAsync(code) }));
  }
  return found;
}

/** All reports of one script are one, added up. There are thousands, so that each is read by itself. */
async function scriptsOfChildren() {
  const { mergeScriptCovs } = await brought('@bcoe/v8-coverage');
  const scripts = {};
  const directory = join(CACHE, 'children');
  for (const name of readdirSync(directory)) {
    for (const script of reportIn(join(directory, name))) {
      if (!script.url.startsWith(DIST)) continue;
      const before = scripts[script.url];
      scripts[script.url] = before === undefined ? script : mergeScriptCovs([before, script]);
    }
  }
  return scripts;
}

/** Of a process that was killed while it wrote, there is none. */
function reportIn(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).result;
  } catch {
    return [];
  }
}

/** @param onlyKnown whether lines are left out that only this source takes for code */
function addLines(lines, path, { statementMap, s }, onlyKnown = false) {
  const file = relative(ROOT, path);
  const known = lines[file] ?? new Map();
  for (const [id, { start }] of Object.entries(statementMap)) {
    if (onlyKnown && lines[file] !== undefined && !known.has(start.line)) continue;
    known.set(start.line, known.get(start.line) === true || s[id] > 0);
  }
  lines[file] = known;
}
