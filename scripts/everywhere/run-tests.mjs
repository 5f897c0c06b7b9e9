/** Runs test files by vitest in some environment, and counts. */

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from '../setup/run.mjs';

/**
 * Nothing is written into the project: it may be somebody else's, or on a file system that is read only. And all the
 * time that a test may want where several environments share the processors.
 */
const OPTIONS = ['run', '--configLoader=runner', '--reporter=json', '--no-cache', '--testTimeout=300000'];

/** Characters of a test's name, and of what it says. */
const LONGEST = 200;

/**
 * @param {string[]} files
 * @param {{ node?: string, prefix?: string[], env?: Record<string, string | undefined>, without?: string[] }} environment
 * @returns {Promise<{ passed: number, failed: number, skipped: number, failures: string[] }>}
 */
export async function runTests(files, { node = process.execPath, prefix = [], env = {}, without = [] }) {
  const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs');
  const [program, ...args] = [...prefix, node, vitest, ...OPTIONS, ...files.filter((file) => !without.includes(file))];
  const { stdout, stderr, status, signal } = await finished(program, args, env);
  const report = lastReport(stdout);
  const how = `vitest ended with ${signal ?? `exit code ${status}`}`;
  if (report === null) throw new Error(`${how} and without a report\n${stdout}${stderr}`);
  const totals = count(report);
  if (status !== 0 && totals.failed === 0) fail(totals, `${how}, and no test failed`);
  return totals;
}

function finished(program, args, env) {
  const child = spawn(program, args, { cwd: ROOT, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  const outcome = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr']) {
    child[name].setEncoding('utf8').on('data', (text) => {
      outcome[name] += text;
    });
  }
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status, signal) => resolve({ ...outcome, status, signal }));
  });
}

function lastReport(stdout) {
  const line = stdout.split('\n').findLast((text) => text.startsWith('{"num'));
  return line === undefined ? null : JSON.parse(line);
}

/** A file that could not be loaded is one failure. */
function count({ testResults }) {
  const totals = { passed: 0, failed: 0, skipped: 0, failures: [] };
  for (const { name, status, message, assertionResults } of testResults) {
    for (const test of assertionResults) {
      if (test.status === 'passed') totals.passed += 1;
      else if (test.status === 'failed')
        fail(totals, `${firstLine(test.fullName)}: ${firstLine(test.failureMessages[0])}`);
      else totals.skipped += 1;
    }
    const unloaded = status === 'failed' && !assertionResults.some((test) => test.status === 'failed');
    if (unloaded) fail(totals, `${name}: ${firstLine(message)}`);
  }
  return totals;
}

function fail(totals, what) {
  totals.failed += 1;
  totals.failures.push(what);
}

const firstLine = (text = '') => text.split('\n')[0].slice(0, LONGEST);
