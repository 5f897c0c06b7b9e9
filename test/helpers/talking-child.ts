/** Node processes that tell the test line by line how far they are, and end with it. */

import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach } from 'vitest';
import { tempDir } from './temp.ts';

const running = new Set<ChildProcess>();

afterEach(() => {
  for (const child of running) child.kill('SIGKILL');
});

export interface TalkingChild {
  readonly process: ChildProcess;
  /** The next line that it says; null once it has ended. */
  next(): Promise<string | null>;
  /** Waits for its end. What it has said and nobody has read is in `lines`. */
  end(): Promise<{ status: number | null; signal: NodeJS.Signals | null; lines: string[]; stderr: string }>;
}

/** Runs the text of a module. `wrapper` is a command that runs the command after it in its own process. */
export function startTalkingChild(
  module: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  wrapper: readonly string[] = [],
): TalkingChild {
  const script = join(tempDir(), 'child.mjs');
  writeFileSync(script, module);
  const [command, ...words] = [...wrapper, process.execPath, script, ...args];
  const child = spawn(command as string, words, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  const lines: string[] = [];
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = new Promise<[number | null, NodeJS.Signals | null]>((resolve) => {
    child.once('close', (status, signal) => {
      running.delete(child);
      resolve([status, signal]);
    });
  });
  let spoke: () => void = () => {};
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    spoke();
  });
  const next = async (): Promise<string | null> => {
    const over = ended.then(() => 'over' as const);
    while (lines.length === 0) {
      const more = new Promise<void>((resolve) => {
        spoke = resolve;
      });
      if ((await Promise.race([more, over])) === 'over' && lines.length === 0) return null;
    }
    return lines.shift() ?? null;
  };
  const end = async () => {
    const [status, signal] = await ended;
    return { status, signal, lines, stderr };
  };
  return { process: child, next, end };
}
