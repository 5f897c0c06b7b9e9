/** Steps and the commands they run: one line for each thing done, everything a command prints in a log. */

import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
export const CACHE = join(ROOT, '.cache');
/** Logs, stamps and the lock of the set-up itself. */
export const STATE = join(CACHE, 'setup');

/** Of a failed command's output: some tools say what is wrong first, some last. */
const HEAD_LINES = 12;
const TAIL_LINES = 18;

/** A failure whose message is all that the reader needs. */
export class SetupError extends Error {}

export function say(text) {
  console.log(`set-up: ${text}`);
}

/**
 * @typedef {object} Step
 * @property {string} name what is made
 * @property {() => boolean | Promise<boolean>} isDone cheap: it runs every time
 * @property {() => void | Promise<void>} run must leave nothing that `isDone` would take for a finished step, if it fails
 * @property {string} [without] what to do without it: such a step may fail
 */

/** @param {Step} step */
export async function runStep(step) {
  if (await step.isDone()) return;
  const started = Date.now();
  process.stdout.write(`set-up: ${step.name} …`);
  try {
    await step.run();
    console.log(` ${((Date.now() - started) / 1000).toFixed(1)} s`);
  } catch (error) {
    console.log(' failed');
    if (step.without === undefined) throw error;
    say(`${error.message}\nset-up: going on: ${step.without}`);
  }
}

/** Runs a command in the project's root; its output goes to `.cache/setup/<log>.log`, the end of it into the error. */
export function run(log, program, args, { cwd = ROOT, env = {} } = {}) {
  mkdirSync(STATE, { recursive: true });
  const path = join(STATE, `${log}.log`);
  const descriptor = openSync(path, 'w');
  const { status, signal, error } = spawnSync(program, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', descriptor, descriptor],
  });
  closeSync(descriptor);
  if (error) throw new SetupError(`${program} cannot be run: ${error.message}`);
  if (status === 0) return;
  const command = [program, ...args].join(' ');
  throw new SetupError(`\`${command}\` ended with ${status ?? signal} (${relative(ROOT, path)}):\n${excerpt(path)}`);
}

function excerpt(path) {
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  if (lines.length <= HEAD_LINES + TAIL_LINES) return lines.join('\n');
  return [...lines.slice(0, HEAD_LINES), '[…]', ...lines.slice(-TAIL_LINES)].join('\n');
}
