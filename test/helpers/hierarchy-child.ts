/** Processes of their own that use a key hierarchy, against `dist/`. */

import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach } from 'vitest';
import { installationFile, type Place } from './hierarchy.ts';
import { DIST } from './native-child.ts';
import { tempDir } from './temp.ts';

const PRELUDE = `
  import { KeyHierarchy } from '${DIST}keys/index.js';
  import { setTimeout as pause } from 'node:timers/promises';
  const [store, stateDirectory, key] = process.argv.slice(2);
  const say = (word) => process.stdout.write(word + '\\n');
  const ENTITY = { tenant: 'acme', type: 'claimant', id: 'c-41', field: 'template' };
  const open = (options) => KeyHierarchy.open({ store, stateDirectory, installation: { key }, actor: 'child', ...options });
  const given = () => Buffer.from(process.env.SEALED, 'base64');
`;

const running = new Set<ChildProcess>();

afterEach(() => {
  for (const child of running) child.kill('SIGKILL');
});

export interface HierarchyChild {
  readonly process: ChildProcess;
  /** The next line that it says; null once it has ended. */
  next(): Promise<string | null>;
  /** Waits for its end. What it has said and nobody has read is in `lines`. */
  end(): Promise<{ status: number | null; lines: string[]; stderr: string }>;
}

/** Runs a module with `open(options)`, `say(word)`, `pause(ms)`, `ENTITY` and `given()`, the bytes of `sealed`. Ends with the test. */
export async function startHierarchyChild(
  { store, stateDirectory }: Place,
  body: string,
  sealed: Uint8Array = new Uint8Array(0),
): Promise<HierarchyChild> {
  const script = join(tempDir(), 'child.mjs');
  writeFileSync(script, `${PRELUDE}\n${body}`);
  const child = spawn(process.execPath, [script, store, stateDirectory, await installationFile()], {
    env: { ...process.env, SEALED: Buffer.from(sealed).toString('base64') },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  const lines: string[] = [];
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = new Promise<number | null>((resolve) => {
    child.once('close', (status) => {
      running.delete(child);
      resolve(status);
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
  const end = async () => ({ status: await ended, lines, stderr });
  return { process: child, next, end };
}
