/** A process that runs one command line after the other, without a terminal, each as if it were the first. */

import { type ChildProcess, fork } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { DIST } from './native-child.ts';
import { tempDir } from './temp.ts';

const MODULE = `
import { Readable } from 'node:stream';
import { run } from '${DIST}cli/main.js';
process.stdout.setMaxListeners(0);
process.stderr.setMaxListeners(0);
const crashes = [];
for (const event of ['uncaughtException', 'unhandledRejection']) process.on(event, (error) => crashes.push(String(error?.stack ?? error)));
const said = { stdout: '', stderr: '' };
for (const name of ['stdout', 'stderr']) {
  process[name].write = (text, encoding, done) => {
    said[name] += text;
    const callback = typeof encoding === 'function' ? encoding : done;
    if (callback) queueMicrotask(callback);
    return true;
  };
}
process.on('message', async (args) => {
  said.stdout = said.stderr = '';
  crashes.length = 0;
  process.exitCode = undefined;
  Object.defineProperty(process, 'stdin', { value: Readable.from([]), configurable: true });
  await run(args).catch((error) => crashes.push(String(error?.stack ?? error)));
  await new Promise(setImmediate);
  process.send({ ...said, crashes, status: process.exitCode ?? 0 });
});
process.send('ready');
`;

export interface LoopRun {
  status: number;
  stdout: string;
  stderr: string;
  /** Stacks of what was thrown and caught by nobody. */
  crashes: string[];
}

export interface CommandLoop {
  run(args: readonly string[]): Promise<LoopRun>;
}

/** Starts in `cwd`; ends with the test file. A run that ends the process, or takes longer than `patience` ms, rejects. */
export async function startCommandLoop(cwd: string, env: NodeJS.ProcessEnv, patience: number): Promise<CommandLoop> {
  const script = join(tempDir(), 'loop.mjs');
  writeFileSync(script, MODULE);
  // A session of its own: no prompt finds the terminal of whoever runs the tests.
  const child = fork(script, [], { cwd, env, detached: true, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  afterAll(() => child.kill('SIGKILL'));
  await answerOf(child, patience);
  return {
    async run(args) {
      const answer = answerOf(child, patience);
      child.send(args);
      return (await answer) as LoopRun;
    },
  };
}

function answerOf(child: ChildProcess, patience: number): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const ended = (status: number | null): void => reject(new Error(`the process ended with ${status}`));
    const timer = setTimeout(() => reject(new Error(`nothing for ${patience} ms`)), patience);
    child.once('exit', ended);
    child.once('message', (message) => {
      clearTimeout(timer);
      child.off('exit', ended);
      resolve(message);
    });
  });
}
