#!/usr/bin/env node
/** `npm run docs`: checks the drawings of all pages, and builds the API's pages in `docs/site/dist`. */

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { runStep, SetupError } from './setup/run.mjs';
import { docsSite, SITE } from './setup/site.mjs';

try {
  const { without: _, ...step } = docsSite();
  await runStep(step);
} catch (error) {
  console.error(error instanceof SetupError ? `docs: ${error.message}` : error);
  process.exit(1);
}
node('check-drawings.mjs');
node('node_modules/typedoc/bin/typedoc');
console.error(`docs: ${join(SITE, 'dist/index.html')}`);

function node(script) {
  const { status } = spawnSync(process.execPath, [script], { cwd: SITE, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
