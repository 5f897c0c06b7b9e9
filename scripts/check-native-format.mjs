#!/usr/bin/env node
/**
 * Checks the layout of all C++ sources against .clang-format; `--write` corrects it.
 *
 * Versions of clang-format disagree in details, so one of them is the measure. With another nothing is checked, which
 * is said, and nothing is written.
 */

import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { NOT_DONE } from './check.mjs';

const MEASURE = 14;
const NATIVE = fileURLToPath(new URL('../native', import.meta.url));

const write = process.argv.includes('--write');
const program = [`clang-format-${MEASURE}`, 'clang-format'].find((name) => spawnSync(name, ['--version']).status === 0);
if (program === undefined) fail('clang-format is not installed; run: node scripts/setup.mjs test');

const major = Number(/version (\d+)/.exec(spawnSync(program, ['--version'], { encoding: 'utf8' }).stdout)?.[1]);
if (major !== MEASURE) {
  if (write) fail(`clang-format ${MEASURE} is needed to write, this is ${major}`);
  console.error(`C++ layout not checked: clang-format ${MEASURE} decides, this is ${major}`);
  process.exit(NOT_DONE);
}

const mode = write ? ['-i'] : ['--dry-run', '--Werror'];
const files = readdirSync(NATIVE, { recursive: true }).filter((file) => /\.(h|cc)$/.test(file));
const { status } = spawnSync(program, ['--style=file', ...mode, ...files], { cwd: NATIVE, stdio: 'inherit' });
if (status !== 0) fail('the layout of C++ sources is wrong; run: npm run format');

function fail(message) {
  console.error(message);
  process.exit(1);
}
