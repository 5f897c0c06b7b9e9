/** Runs programs and tells what they cost. */

import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { findFipsModule } from '../../dist/fips/discover.js';
import { LIMIT_PROGRAMS } from './paths.mjs';

/** @typedef {import('../../dist/bench/cost.js').Cost} Cost */
/** @typedef {{ exitCode: number, signal: number, stderr: string }} Ending */

/**
 * Runs a command to its end through bench/limit/timed.c.
 *
 * @param {string[]} command
 * @param {{ env?: Record<string, string>, input?: string }} [options] `input`: the file that is its standard input
 * @returns {Promise<Cost & Ending>}
 */
export async function timeCommand(command, { env = {}, input = '/dev/null' } = {}) {
  const source = openSync(input, 'r');
  const child = spawn(join(LIMIT_PROGRAMS, 'timed'), command, {
    env: { ...process.env, ...env },
    stdio: [source, 'ignore', 'pipe', 'pipe'],
  });
  closeSync(source);
  const [cost, stderr] = await Promise.all([text(child.stdio[3]), text(child.stderr), ended(child)]);
  return { ...JSON.parse(cost), stderr };
}

/** As {@link timeCommand}, but a command that fails is an error. */
export async function timeSuccess(command, options) {
  const result = await timeCommand(command, options);
  if (result.exitCode === 0) return result;
  throw new Error(`\`${command.join(' ')}\` ended with ${result.exitCode}: ${result.stderr.trim().slice(-400)}`);
}

/**
 * Runs a limit program with the crypto module that Callseal uses.
 *
 * @param {'gcm' | 'rsa' | 'copy' | 'callfile' | 'record'} name
 * @param {Record<string, string | number>} options
 * @param {{ wrapper?: string[] }} [how] as Worker has it
 * @returns {Promise<any>} what it printed
 */
export async function runLimit(name, options, { wrapper = [] } = {}) {
  const settings = Object.entries(options).flatMap(([key, value]) => [`--${key}`, String(value)]);
  const [program, ...args] = [...wrapper, join(LIMIT_PROGRAMS, name), ...settings];
  const child = spawn(program, args, {
    env: { ...process.env, ...moduleEnvironment() },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [output, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended(child)]);
  if (code !== 0) throw new Error(`limit program ${name} failed: ${stderr.trim()}`);
  return JSON.parse(output);
}

function moduleEnvironment() {
  if (process.env.CALLSEAL_FIPS === 'off') return { CALLSEAL_BENCH_MODULE: '' };
  const { modulePath, moduleConfig } = findFipsModule();
  return { CALLSEAL_BENCH_MODULE: modulePath, CALLSEAL_BENCH_MODULE_CONFIG: moduleConfig };
}

function ended(child) {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
}
