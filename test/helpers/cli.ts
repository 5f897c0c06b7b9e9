/** Runs the real `callseal` in child processes: without a terminal, or on a pseudo-terminal of util-linux `script`. */

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export const CALLSEAL = fileURLToPath(new URL('../../bin/callseal', import.meta.url));

if (!existsSync(new URL('../../dist/cli/main.js', import.meta.url))) {
  throw new Error('dist/ is missing: run `npm run build:ts` before the tests of the command line');
}

export interface RunOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  input?: string | Uint8Array;
  /** Run as another user; for root only. */
  uid?: number;
  /** A command that becomes the command after it. */
  wrapper?: readonly string[];
}

export interface Run {
  /** Exit code, or null when a signal ended it. */
  status: number | null;
  stdout: Buffer;
  stderr: string;
}

/** Starts the command in a session of its own, so that no prompt finds the terminal of whoever runs the tests. */
export function start(args: readonly string[], options: RunOptions = {}): ChildProcessWithoutNullStreams {
  const [command, ...words] = [...(options.wrapper ?? []), process.execPath, CALLSEAL, ...args];
  return spawn(command as string, words, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    detached: true,
    ...(options.uid !== undefined && { uid: options.uid }),
  });
}

/** Waits for the end. */
export async function finish(child: ChildProcessWithoutNullStreams): Promise<Run> {
  const stdout: Buffer[] = [];
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  return { status, stdout: Buffer.concat(stdout), stderr };
}

/** Runs the command to its end. */
export async function callseal(args: readonly string[], options: RunOptions = {}): Promise<Run> {
  const child = start(args, options);
  child.stdin.on('error', () => {}); // it may end without reading its input
  child.stdin.end(options.input ?? '');
  return finish(child);
}

/** Runs a shell command line, in which `callseal` is the real one. */
export async function shell(line: string, options: RunOptions = {}): Promise<Run> {
  const script = `callseal() { '${process.execPath}' '${CALLSEAL}' "$@"; }\n${line}`;
  const child = spawn('bash', ['-c', script], {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    detached: true,
  });
  child.stdin.end(options.input ?? '');
  return finish(child);
}

/** What is typed once the screen shows something new that matches. */
export interface Answer {
  after: RegExp;
  type: string;
}

export const CTRL_C = '\x03';

/** Time for the program to switch echo off after it has printed its prompt. */
const TYPING_DELAY = 300;

/** When a program that waits for something else than the answers is ended. */
const PATIENCE = 30_000;

/** Runs the command on a pseudo-terminal, without colours unless NO_COLOR is emptied. `screen` is everything that appeared, escape sequences included. */
export async function onTerminal(
  args: readonly string[],
  options: RunOptions & { answers?: readonly Answer[] } = {},
): Promise<{ status: number | null; screen: string }> {
  const line = [process.execPath, CALLSEAL, ...args].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
  const child = spawn('script', ['--quiet', '--return', '--flush', '--command', line, '/dev/null'], {
    cwd: options.cwd,
    env: { ...process.env, TERM: 'xterm', NO_COLOR: '1', ...options.env },
  });
  const answers = [...(options.answers ?? [])];
  let screen = '';
  let seen = 0;
  child.stdout.setEncoding('utf8').on('data', async (text: string) => {
    screen += text;
    const [answer] = answers;
    if (answer === undefined || !answer.after.test(screen.slice(seen))) return;
    answers.shift();
    seen = screen.length;
    await pause(TYPING_DELAY);
    child.stdin.write(answer.type);
  });
  const patience = setTimeout(() => child.kill('SIGKILL'), PATIENCE);
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  clearTimeout(patience);
  if (answers.length > 0) throw new Error(`never asked for ${answers[0]?.after}; the screen shows: ${screen}`);
  return { status, screen };
}
