/** Commands one of whose system calls fails, whoever in the process makes it: see `fault-launcher.c`. */

import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, statSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';

import { type Outcome, PROJECT, run } from './native-build.ts';
import { tempDir } from './temp.ts';

/** The call that fails: the `nth` of its kind on files of the directory. */
export interface Fault {
  call: string;
  nth: number;
  /** A system's error name; `short` for a call that does half of what it was asked for. */
  how: 'short' | keyof typeof constants.errno;
  /** All calls from the n-th on. */
  sticky?: boolean;
}

export interface Launched extends Outcome {
  /** How many calls of each kind there were. */
  calls: Map<string, number>;
  /** `call path` of each that was made to fail. */
  failed: string[];
}

const SOURCE = join(import.meta.dirname, 'fault-launcher.c');
const CACHE = join(PROJECT, '.cache');

/** Compiles the launcher unless that is done. */
export function buildLauncher(): string {
  const program = join(CACHE, 'fault-launcher');
  const built = statSync(program, { throwIfNoEntry: false });
  if (built !== undefined && built.mtimeMs > statSync(SOURCE).mtimeMs) return program;
  mkdirSync(CACHE, { recursive: true });
  const fresh = `${program}.${process.pid}`;
  execFileSync('cc', ['-std=gnu11', '-O1', '-Wall', '-Wextra', '-Werror', SOURCE, '-o', fresh], { stdio: 'pipe' });
  renameSync(fresh, program); // another process may have it open
  return program;
}

/** Why calls cannot be made to fail here, or null: a kernel without seccomp_unotify, or a container that forbids it. */
export async function launcherMisses(): Promise<string | null> {
  const log = join(tempDir(), 'log');
  const { status, stderr } = await run(buildLauncher(), ['true'], { FAULT_ROOT: '/nowhere', FAULT_LOG: log });
  return status === 0 ? null : `system calls cannot be intercepted: ${stderr.trim()}`;
}

/** Runs node with these arguments in `root`, whose files the fault is about; without a fault, counts. */
export async function launch(
  root: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  fault?: Fault,
  input?: string,
): Promise<Launched> {
  const log = join(tempDir(), 'log');
  const chosen: NodeJS.ProcessEnv = fault === undefined ? {} : environmentOf(fault);
  // `sh` changes the directory, and gives standard input without anybody who would have to write it.
  const script = 'cd "$FAULT_ROOT" && exec "$@" < "$FAULT_INPUT"';
  const command = ['-c', script, 'sh', buildLauncher(), process.execPath, ...args];
  const outcome = await run('sh', command, {
    ...env,
    ...chosen,
    FAULT_ROOT: root,
    FAULT_LOG: log,
    FAULT_INPUT: input ?? '/dev/null',
  });
  return { ...outcome, ...readLog(readFileSync(log, 'utf8')) };
}

function environmentOf({ call, nth, how, sticky }: Fault): NodeJS.ProcessEnv {
  const kind = how === 'short' ? { FAULT_SHORT: '1' } : { FAULT_ERRNO: String(constants.errno[how]) };
  return { FAULT_CALL: call, FAULT_NTH: String(nth), ...kind, ...(sticky && { FAULT_STICKY: '1' }) };
}

/** What the launcher wrote. */
export function readLog(text: string): Pick<Launched, 'calls' | 'failed'> {
  const calls = new Map<string, number>();
  const failed: string[] = [];
  for (const line of text.trimEnd().split('\n')) {
    const [word, ...rest] = line.split(' ');
    if (word === 'failed') failed.push(rest.join(' '));
    else if (word !== undefined && word !== '') calls.set(word, Number(rest[0]));
  }
  return { calls, failed };
}
