#!/usr/bin/env node
/**
 * The suite's core part in every environment that can be had here:
 *
 *   npm run test:everywhere                       all of them, and docs/everywhere.md is written anew
 *   npm run test:everywhere -- --only 'Node 22'   those whose name contains this, and no page
 *
 * Ends with the totals of all on the last line. What could not be run is said, and is no failure.
 */

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { CORE } from './everywhere/core-tests.mjs';
import { ENVIRONMENTS } from './everywhere/environments.mjs';
import { runTests } from './everywhere/run-tests.mjs';
import { resultOf, writePage } from './everywhere/table.mjs';
import { ROOT } from './setup/run.mjs';

const { values } = parseArgs({ options: { only: { type: 'string' } } });
const chosen = ENVIRONMENTS.filter(({ name }) => name.includes(values.only ?? ''));
if (chosen.length === 0) throw new Error(`no environment's name contains ${values.only}`);

const results = [];
for (const environment of chosen) {
  const result = await tried(environment);
  results.push(result);
  console.log(`${result.name}: ${resultOf(result)}`);
  for (const failure of result.totals?.failures ?? []) console.log(`  failed: ${failure}`);
}
if (values.only === undefined) writePage(machine(), results);

const sum = (key) => results.reduce((total, { totals }) => total + (totals?.[key] ?? 0), 0);
const absent = results.filter(({ totals }) => totals === undefined).length;
if (absent > 0) console.log(`${absent} of ${results.length} environments could not be had here`);
console.log(`${sum('passed')} passed, ${sum('failed')} failed, ${sum('skipped')} skipped`);
process.exitCode = sum('failed') > 0 ? 1 : 0;

async function tried({ name, prepare }) {
  let setting;
  try {
    setting = await prepare();
  } catch (error) {
    return { name, what: '', reason: error.message.split('\n')[0] };
  }
  return { name, what: whatRuns(setting), totals: await runTests(CORE, setting) };
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

function machine() {
  const release = /^PRETTY_NAME="?(.*?)"?$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1];
  const date = new Date().toISOString().slice(0, 10);
  return `Last run on ${date}: ${release}, ${process.arch}; ${CORE.length} test files.`;
}
