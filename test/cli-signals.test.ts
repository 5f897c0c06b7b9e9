/** Signals while nobody takes what is written to standard output, and the hang-up of a terminal. */

import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { beforeAll, expect, it } from 'vitest';
import { eventually } from './helpers/agent.ts';
import { callseal, start } from './helpers/cli.ts';
import { makeKeyPair } from './helpers/keys.ts';
import { tempDir } from './helpers/temp.ts';

let cwd: string;

beforeAll(async () => {
  cwd = tempDir();
  makeKeyPair(cwd, { name: 'mary' });
  writeFileSync(join(cwd, 'big'), '');
  truncateSync(join(cwd, 'big'), 2 ** 24);
  expect((await callseal(['encrypt', '--no-sync', '-r', 'mary_cert.crt', 'big'], { cwd })).status).toBe(0);
});

const DECRYPT = ['decrypt', '-k', 'mary_private.key', '-o', '-', 'big.sealed'];
const ENCRYPT = ['encrypt', '-r', 'mary_cert.crt', '-o', '-', 'big'];

/** Time for the pipe to fill, once something has come through it. */
const FILLING = 500;

/** Starts a command whose output is not read, and waits until it is stuck. */
async function stuck(args: readonly string[]) {
  const child = start(args, { cwd });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  await new Promise((resolve) => child.stdout.once('readable', resolve));
  await pause(FILLING);
  expect(child.exitCode).toBe(null);
  return { child, ended, stderr: () => stderr };
}

/** Ends a child that one signal did not end, so that a failure is told from a hang. */
async function endOf(child: ChildProcessWithoutNullStreams, ended: Promise<number | null>): Promise<number | null> {
  const patience = setTimeout(() => child.kill('SIGKILL'), 10_000);
  const status = await ended;
  clearTimeout(patience);
  return status;
}

it.each([
  ['SIGINT', 130, 'interrupted', DECRYPT],
  ['SIGTERM', 143, 'terminated', DECRYPT],
  ['SIGHUP', 129, 'hung up', DECRYPT],
  ['SIGTERM', 143, 'terminated', ENCRYPT],
] as const)('one %s ends with %i although the reader takes nothing', async (signal, code, word, args) => {
  const { child, ended, stderr } = await stuck(args);
  child.kill(signal);
  expect(await endOf(child, ended)).toBe(code);
  expect(stderr()).toBe(`callseal: ${args[0]}: ${word}\n`);
  child.stdout.destroy();
});

/** Where a link leads; null when it is gone. */
function linkOf(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}

it('a second signal ends a pass at once, too, and its file is as it was', async () => {
  const calls = tempDir();
  const large = join(calls, 'large.callsre');
  writeFileSync(large, '');
  truncateSync(large, 1 << 30);
  const child = start(['agent', '--once', '-r', join(cwd, 'mary_cert.crt'), '--watch', calls]);
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  // It is at work once it has the file open.
  await eventually(() => {
    const open = `/proc/${child.pid}/fd`;
    return existsSync(open) && readdirSync(open).some((fd) => linkOf(`${open}/${fd}`) === large);
  });
  // Signals that come before the first has been seen are one.
  const signals = setInterval(() => child.kill('SIGTERM'), 100);
  await endOf(child, ended);
  clearInterval(signals);
  expect(child.signalCode).toBe('SIGTERM');
  expect(readdirSync(calls)).toEqual(['large.callsre']);
});

/** Runs the module of signals in a process that reports the first and then waits. */
function listener(action: string) {
  const module = (name: string): string => new URL(`../dist/cli/${name}.js`, import.meta.url).href;
  const program = `const { interruptSignal } = await import('${module('interrupt')}');
    const { watchStandardStreams } = await import('${module('output')}');
    watchStandardStreams();
    interruptSignal().addEventListener('abort', () => { process.stderr.write('first\\n'); ${action} });
    setInterval(() => {}, 1000);
    process.stderr.write('ready\\n');`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program]);
  let output = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const said = async (word: string): Promise<void> => {
    while (!output.includes(word)) {
      if (child.exitCode !== null) throw new Error(`it ended before it said ${word}: ${output}`);
      await pause(2);
    }
  };
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  return { child, said, ended };
}

it('a reader that goes away after the signal does not change the exit code', async () => {
  const { child, said, ended } = listener('setInterval(() => process.stdout.write("more"), 10);');
  await said('ready');
  child.stdout.destroy();
  child.kill('SIGTERM');
  await said('first');
  expect(await endOf(child, ended)).toBe(143);
});

it('a second SIGHUP lets the cleaning up go on; another signal does not', async () => {
  const { child, said, ended } = listener('process.on("SIGHUP", () => process.stderr.write("again\\n"));');
  await said('ready');
  child.kill('SIGTERM');
  await said('first');
  child.kill('SIGHUP');
  await said('again');
  child.kill('SIGINT');
  await endOf(child, ended);
  expect(child.signalCode).toBe('SIGTERM'); // the first: 143 to a shell
});
