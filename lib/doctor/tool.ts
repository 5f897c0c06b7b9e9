/** Asks a program of the system that only looks. */

import { execFile } from 'node:child_process';

/** Milliseconds; a service manager that hangs must not hold up the doctor. */
const PATIENCE = 5_000;

/** What it printed; null when it is not there, says nothing in time, or fails. */
export function askTool(program: string, args: readonly string[]): Promise<string | null> {
  const options = { timeout: PATIENCE, env: { ...process.env, LC_ALL: 'C' } };
  return new Promise((resolve) => {
    execFile(program, args, options, (problem, stdout) => resolve(problem === null ? stdout : null));
  });
}
