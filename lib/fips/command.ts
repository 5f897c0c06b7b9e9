/** Runs a system command for the FIPS installation, and turns its failure into an error that says what it said. */

import { spawn } from 'node:child_process';
import { CallsealError } from '../errors.ts';

/** How much of a failed command's output an error repeats. */
const TAIL_LINES = 8;

export interface CommandOptions {
  cwd?: string;
  /** Added to this process's environment. */
  env?: NodeJS.ProcessEnv;
}

/** How a command ended, by itself or by a signal, and what it printed. */
export interface CommandOutcome {
  status: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/**
 * Runs a command without a shell and with no input.
 *
 * @throws CallsealError ERR_FIPS_UNAVAILABLE when it cannot be started
 */
export function runCommand(program: string, args: string[], options: CommandOptions = {}): Promise<CommandOutcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: { ...process.env, LC_ALL: 'C', ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.on('error', (cause) => {
      reject(new CallsealError('ERR_FIPS_UNAVAILABLE', `${program} cannot be run (${cause.message})`, { cause }));
    });
    child.on('close', (status, signal) => resolve({ status, signal, stdout, stderr }));
  });
}

/**
 * As {@link runCommand}, for commands that must succeed; returns what it printed to standard output.
 *
 * @param advice what to do when it fails, appended to the message
 * @throws CallsealError ERR_FIPS_UNAVAILABLE with the end of the command's own messages
 */
export async function mustRun(
  program: string,
  args: string[],
  advice: string,
  options: CommandOptions = {},
): Promise<string> {
  const outcome = await runCommand(program, args, options);
  if (outcome.status !== 0) throw commandFailed(program, args, outcome, advice);
  return outcome.stdout;
}

function commandFailed(program: string, args: string[], outcome: CommandOutcome, advice: string): CallsealError {
  const lines = (outcome.stderr.trim() || outcome.stdout.trim()).split('\n').slice(-TAIL_LINES).join('\n');
  const ending = outcome.signal === null ? `ended with ${outcome.status}` : `was killed by ${outcome.signal}`;
  return new CallsealError('ERR_FIPS_UNAVAILABLE', `\`${program} ${args.join(' ')}\` ${ending}; ${advice}:\n${lines}`);
}
