/** `npm test` ends with honest totals: checks and tests, what was skipped, and what vitest's report does not say. */

import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { PROJECT } from './helpers/native-build.ts';
import { tempDir } from './helpers/temp.ts';

const OK = 0;
const FAILED = 1;
const NOT_DONE = 77;

type Outcome = 'passed' | 'failed' | 'pending';

/** Runs the real scripts in a project whose tools end as they are told to. */
function totals(checks: Record<string, number>, tests: readonly Outcome[] | null, args: readonly string[] = []) {
  const root = tempDir();
  const bin = join(root, 'node_modules/.bin');
  mkdirSync(join(root, 'scripts'));
  mkdirSync(bin, { recursive: true });
  mkdirSync(join(root, 'node_modules/vitest'));
  writeFileSync(join(root, 'package.json'), '{"type":"module"}');
  for (const name of ['test.mjs', 'check.mjs']) cpSync(join(PROJECT, 'scripts', name), join(root, 'scripts', name));
  for (const name of ['biome', 'tsc']) {
    writeFileSync(join(bin, name), `#!/bin/sh\nexit ${checks[name] ?? OK}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  for (const name of ['check-native-format', 'check-exports', 'check-package']) {
    writeFileSync(join(root, `scripts/${name}.mjs`), `process.exit(${checks[name] ?? OK});\n`);
  }
  const assertionResults = tests?.map((status, index) => ({ status, fullName: `test ${index}` }));
  const failed = tests === null || tests.includes('failed');
  const report = JSON.stringify({
    testResults: [{ name: 'file', status: failed ? 'failed' : 'passed', assertionResults }],
  });
  const write = tests === null ? '' : `writeFileSync('.cache/vitest.json', ${JSON.stringify(report)});`;
  const vitest = `import { writeFileSync } from 'node:fs';\n${write}\nprocess.exit(${failed ? 1 : 0});\n`;
  writeFileSync(join(root, 'node_modules/vitest/vitest.mjs'), vitest);
  const { CALLSEAL_LONG: _, ...env } = process.env;
  const run = spawnSync(process.execPath, ['scripts/test.mjs', ...args], { cwd: root, env, encoding: 'utf8' });
  return { status: run.status, last: run.stdout.trimEnd().split('\n').at(-1), output: run.stdout };
}

it.each<[string, Record<string, number>, Outcome[] | null, string[], number, string]>([
  ['everything passed', {}, ['passed', 'passed'], [], 0, '8 passed, 0 failed'],
  ['a check failed', { biome: FAILED }, ['passed'], [], 1, '6 passed, 1 failed'],
  [
    'a check could not be done',
    { 'check-native-format': NOT_DONE },
    ['passed'],
    [],
    0,
    '6 passed, 0 failed, 1 skipped',
  ],
  [
    'checks and tests failed',
    { tsc: FAILED, 'check-package': FAILED },
    ['failed', 'pending'],
    [],
    1,
    '3 passed, 4 failed, 1 skipped',
  ],
  ['vitest crashed', {}, null, [], 1, '6 passed, 1 failed'],
  ['some tests only, and no checks', { biome: FAILED }, ['passed'], ['test/one.test.ts'], 0, '1 passed, 0 failed'],
])('%s', (_, checks, tests, args, status, last) => {
  const run = totals(checks, tests, args);
  expect([run.status, run.last]).toEqual([status, last]);
  if (checks.biome === FAILED && args.length === 0) expect(run.output).toMatch(/^failed: check: .*biome/m);
});
