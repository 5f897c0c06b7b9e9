/** `npm run fuzz`, with a target that needs no sanitizers. */

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import { PROJECT, run } from './helpers/native-build.ts';

const SCRIPT = join(PROJECT, 'scripts/fuzz.mjs');
const TIMEOUT = 180_000;

test.each([
  [['--minutes', '0'], /--minutes is a number above 0, not 0/],
  [['--minutes', 'ten'], /not ten/],
  [['--seconds', '3'], /Unknown option '--seconds'/],
])('%j is refused, and the usage shown', async (args, message) => {
  const { status, stderr } = await run(process.execPath, [SCRIPT, ...args]);
  expect(status).toBe(2);
  expect(stderr).toMatch(message);
  expect(stderr).toContain('usage: npm run fuzz');
});

test('a target is tried for its time, and told of', { timeout: TIMEOUT }, async () => {
  const { status, stdout } = await run(process.execPath, [SCRIPT, '--minutes', '0.03', '--target', 'configuration']);
  expect(stdout).toMatch(/^configuration: [1-9]\d* executions in \d+ s \(\d+\/s\), nothing found\n$/m);
  expect(status).toBe(0);
});

test('an interrupted run says what it has done, and what it has not', { timeout: TIMEOUT }, async () => {
  const targets = ['--target', 'configuration', '--target', 'header'];
  const child = spawn(process.execPath, [SCRIPT, '--minutes', '60', ...targets], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    if (text.includes('configuration: 3600 s')) child.kill('SIGINT');
  });
  const status = await new Promise((resolve) => child.once('close', resolve));
  expect(stdout).toMatch(/^configuration: \d+ executions in .* nothing found$/m);
  expect(stdout).toContain('interrupted: 1 target was not run');
  expect(status).toBe(0);
});
