/** Processes of their own that use a key store, against `dist/`. */

import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach } from 'vitest';
import { DIST } from './native-child.ts';
import { tempDir } from './temp.ts';

const PRELUDE = `
  import { openStore } from '${DIST}keys/stores/open-store.js';
  const url = process.argv[2];
  const say = (word) => process.stdout.write(word + '\\n');
  const filled = (length) => new Uint8Array(length).fill(7);
  const counter = (sequence) => ({
    id: filled(16), suite: 0, state: 'active', sequence, createdAt: 1, changedAt: 1, wrapped: filled(512), signature: filled(512),
  });
`;

const running = new Set<ChildProcess>();

afterEach(() => {
  for (const child of running) child.kill('SIGKILL');
});

export interface StoreChild {
  readonly process: ChildProcess;
  /** The next line that it says; null once it has ended. */
  next(): Promise<string | null>;
  /** Waits for its end. What it has not been asked for is in `lines`. */
  end(): Promise<{ status: number | null; signal: NodeJS.Signals | null; lines: string[]; stderr: string }>;
}

/** Ends with the test. Runs a module with `openStore`, `url`, `say(word)` and `counter(n)`, a row of a master key whose sequence is n. */
export function startStoreChild(url: string, body: string, env: NodeJS.ProcessEnv = {}): StoreChild {
  const script = join(tempDir(), 'child.mjs');
  writeFileSync(script, `${PRELUDE}\n${body}`);
  const child = spawn(process.execPath, [script, url], {
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
