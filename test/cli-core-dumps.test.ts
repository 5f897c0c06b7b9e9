/** A command that may hold keys leaves no core dump, however it ends. */

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, it } from 'vitest';

import { CALLSEAL } from './helpers/cli.ts';
import { makeKeyPair } from './helpers/keys.ts';
import { tempDir } from './helpers/temp.ts';

const limitOf = (pid: number): string =>
  /^Max core file size +(\S+) +(\S+)/m
    .exec(readFileSync(`/proc/${pid}/limits`, 'latin1'))!
    .slice(1)
    .join(' of ');

it('has its soft limit lowered, and keeps the hard one for whoever debugs it', async () => {
  const dir = tempDir();
  const { privateKey } = makeKeyPair(dir);
  // It waits for the file to appear.
  const line = 'ulimit -S -c "$(ulimit -H -c)" && exec "$@"';
  const command = [process.execPath, CALLSEAL, 'tail', '-f', '-k', privateKey, join(dir, 'not-there-yet')];
  const child = spawn('bash', ['-c', line, 'bash', ...command], { stdio: 'ignore' });
  const ended = new Promise((resolve) => child.once('close', resolve));
  try {
    const hard = limitOf(process.pid).split(' of ')[1]!;
    // At 1 the kernel neither writes a file nor pipes to a program; at 0 it pipes.
    while (limitOf(child.pid!) !== `${hard === '0' ? 0 : 1} of ${hard}`) {
      expect(child.exitCode).toBeNull();
      await pause(20);
    }
  } finally {
    child.kill('SIGKILL');
    await ended;
  }
});
