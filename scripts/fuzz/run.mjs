/** Places, and programs that are run until they end or are told to. */

import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
/** What was found: a file each, named after its target. Nothing here is ever removed. */
export const FINDINGS = join(ROOT, '.cache/fuzz/findings');

/** @returns `directory`, which is there now */
export function made(directory) {
  mkdirSync(directory, { recursive: true });
  return directory;
}

/**
 * @param {AbortSignal} [stop] interrupts the program, which may still say what it has to say
 * @returns {Promise<{ status: number | null, signal: string | null, output: string }>} how it ended, and the last mebibyte of both its outputs
 */
export function run(program, args, { env = {}, stop } = {}) {
  const child = spawn(program, args, {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const interrupt = () => child.kill('SIGINT');
  stop?.addEventListener('abort', interrupt);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output = (output + text).slice(-(1 << 20));
    });
  }
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status, signal) => {
      stop?.removeEventListener('abort', interrupt);
      resolve({ status, signal, output });
    });
  });
}
