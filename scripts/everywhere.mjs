#!/usr/bin/env node
/**
 * The suite's core part in every environment that can be had here:
 *
 *   npm run test:everywhere                       all of them; docs/everywhere.md gets the results
 *   npm run test:everywhere -- --only 'Node 22'   those whose name contains this; repeatable
 *   npm run test:everywhere -- --jobs 4           so many at once; default: one
 *
 * Ends with the totals of all on the last line. What cannot be had here is said, and is no failure; what can be had and then
 * gives no result is one.
 */

import { parseArgs } from 'node:util';
import { CORE } from './everywhere/core-tests.mjs';
import { ENVIRONMENTS } from './everywhere/environments.mjs';
import { resultIn } from './everywhere/result.mjs';
import { resultOf, summary, writePage } from './everywhere/table.mjs';

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

const { lines, exitCode } = summary(results);
for (const line of lines) console.log(line);
process.exitCode = exitCode;

async function takeTurns() {
  for (const [index, { name, setting, reason }] of waiting) {
    const result = setting === undefined ? { name, what: '', reason } : await resultIn(name, setting, CORE);
    results[index] = { ...result, date: new Date().toISOString().slice(0, 10) };
    writePage(results[index], NAMES);
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
