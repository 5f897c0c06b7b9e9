#!/usr/bin/env node
/**
 * The suite's core part in every environment that can be had here:
 *
 *   npm run test:everywhere                       all of them; docs/everywhere.md gets the results
 *   npm run test:everywhere -- --only 'Node 22'   those whose name contains this; repeatable
 *   npm run test:everywhere -- --jobs 4           so many at once; default: one
 *
 * Ends with the totals of all on the last line. What could not be run is said, and is no failure.
 */

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { CORE } from './everywhere/core-tests.mjs';
import { ENVIRONMENTS } from './everywhere/environments.mjs';
import { runTests } from './everywhere/run-tests.mjs';
import { resultOf, writePage } from './everywhere/table.mjs';
import { ROOT } from './setup/run.mjs';

const { values } = parseArgs({
  options: { only: { type: 'string', multiple: true, default: [''] }, jobs: { type: 'string', default: '1' } },
});
const chosen = ENVIRONMENTS.filter(({ name }) => values.only.some((part) => name.includes(part)));
if (chosen.length === 0) throw new Error(`no environment's name contains ${values.only}`);

const NAMES = ENVIRONMENTS.map(({ name }) => name);
const settings = [];
for (const environment of chosen) settings.push(await prepared(environment));
const results = new Array(settings.length);
const waiting = settings.entries();
await Promise.all(Array.from({ length: Number(values.jobs) }, takeTurns));

const sum = (key) => results.reduce((total, { totals }) => total + (totals?.[key] ?? 0), 0);
const absent = results.filter(({ totals }) => totals === undefined).length;
if (absent > 0) console.log(`${absent} of ${results.length} environments could not be had here`);
console.log(`${sum('passed')} passed, ${sum('failed')} failed, ${sum('skipped')} skipped`);
process.exitCode = sum('failed') > 0 ? 1 : 0;

async function takeTurns() {
  for (const [index, { name, setting, reason }] of waiting) {
    const date = new Date().toISOString().slice(0, 10);
    const result = { name, date, what: '', reason };
    if (setting !== undefined) {
      result.what = whatRuns(setting);
      result.totals = await runTests(CORE, setting);
    }
    results[index] = result;
    writePage(result, NAMES);
    console.log(`${name}: ${resultOf(result)}`);
    for (const failure of result.totals?.failures ?? []) console.log(`  failed: ${failure}`);
  }
}

/** Before any test runs, as it may compile. */
async function prepared({ name, prepare }) {
  try {
    return { name, setting: await prepare() };
  } catch (error) {
    return { name, reason: error.message.split('\n')[0] };
  }
}

/** As the product itself says it, there. */
function whatRuns({ node = process.execPath, prefix = [], env = {} }) {
  const index = pathToFileURL(join(ROOT, 'dist/index.js')).href;
  const script = `import { status } from '${index}';
    const { provider, libcrypto } = status();
    console.log([process.version, provider.name + ' ' + provider.version, libcrypto.version].join(', '));`;
  const [program, ...args] = [...prefix, node, '--input-type=module', '-e', script];
  return execFileSync(program, args, { env: { ...process.env, ...env }, encoding: 'utf8' }).trim();
}
