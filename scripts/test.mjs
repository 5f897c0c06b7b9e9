#!/usr/bin/env node
/**
 * Runs the static checks and the tests, and ends with the totals alone on the last line: `12 passed, 0 failed`
 * (`, 1 skipped`). Each check counts as one test. Arguments go to vitest, and leave the checks out:
 * `npm test -- test/config.test.ts -t expired`.
 */

import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runChecks } from './check.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const REPORT = join(ROOT, '.cache/vitest.json');

const args = process.argv.slice(2);
const checks = args.length === 0 && process.env.CALLSEAL_LONG !== '1' ? runChecks() : [];
const { status, signal } = runVitest(args);
const totals = withChecks(count(readReport(), status, signal), checks);

for (const name of totals.skipped) console.log(`skipped: ${name}`);
for (const trouble of totals.troubles) console.log(`failed: ${trouble}`);
const failed = totals.failed + totals.troubles.length;
const skipped = totals.skipped.length > 0 ? `, ${totals.skipped.length} skipped` : '';
console.log(`${totals.passed} passed, ${failed} failed${skipped}`);
process.exitCode = failed > 0 ? 1 : 0;

function runVitest(args) {
  mkdirSync(join(ROOT, '.cache'), { recursive: true });
  rmSync(REPORT, { force: true });
  const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${REPORT}`];
  return spawnSync(process.execPath, [vitest, 'run', ...reporters, ...args], { cwd: ROOT, stdio: 'inherit' });
}

function readReport() {
  try {
    return JSON.parse(readFileSync(REPORT, 'utf8'));
  } catch {
    return null;
  }
}

/** Totals of both: a check that failed is told once more at the end, where one looks. */
function withChecks({ passed, failed, skipped, troubles }, checks) {
  const names = (outcome) => checks.filter((check) => check.outcome === outcome).map(({ name }) => `check: ${name}`);
  return {
    passed: passed + names('passed').length,
    failed,
    skipped: [...names('skipped'), ...skipped],
    troubles: [...names('failed'), ...troubles],
  };
}

/**
 * What vitest's report says, and what it does not say: a file that could not be loaded, an error outside any test, a
 * crash, and a run without a test are each a trouble that counts as one failure.
 */
function count(report, status, signal) {
  const files = report?.testResults ?? [];
  const tests = files.flatMap((file) => file.assertionResults);
  const passed = tests.filter((test) => test.status === 'passed').length;
  const failed = tests.filter((test) => test.status === 'failed').length;
  const skipped = tests
    .filter((test) => test.status !== 'passed' && test.status !== 'failed')
    .map((test) => test.fullName);

  const unloaded = files.filter((file) => file.status === 'failed' && !file.assertionResults.some(isFailed));
  const troubles = unloaded.map((file) => `${file.name}: ${file.message.split('\n')[0] || 'could not be run'}`);
  if (report === null) troubles.push(`vitest ended with ${signal ?? status} and left no report`);
  else if (passed + failed === 0 && troubles.length === 0) troubles.push('no test ran');
  if (status !== 0 && failed + troubles.length === 0) troubles.push(`vitest ended with ${signal ?? status}; see above`);
  return { passed, failed, skipped, troubles };
}

function isFailed(test) {
  return test.status === 'failed';
}
