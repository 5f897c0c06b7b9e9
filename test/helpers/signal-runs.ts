/** Commands that get a signal at some moment, and what must hold then. */

import { spawn } from 'node:child_process';
import { closeSync, cpSync, existsSync, openSync, readFileSync, rmSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';

import { CALLSEAL } from './cli.ts';
import type { CommandCase } from './command-cases.ts';
import { commandLine, environmentOf, listingOf, problemsIn, type Template } from './command-folder.ts';
import { tempDir } from './temp.ts';

export type Interruption = 'SIGINT' | 'SIGTERM';

export interface Signalled {
  status: number | null;
  signal: NodeJS.Signals | null;
  stderr: string;
  milliseconds: number;
}

export class SignalRuns {
  readonly #template: Template;
  readonly #dir = tempDir();
  #runs = 0;

  constructor(template: Template) {
    this.#template = template;
  }

  /** How long a run takes that nobody interrupts, in milliseconds. A command that does not end by itself gets two seconds. */
  async measure(each: CommandCase): Promise<number> {
    const { status, stderr, milliseconds } = await this.#run(this.#fresh(), each, 'SIGTERM', 60_000);
    if (status !== (each.ends ?? 0)) throw new Error(`${each.command} ends with ${status}: ${stderr}`);
    return milliseconds;
  }

  /** What does not hold after a signal that comes so many milliseconds after the start; nothing, if all is well. */
  async interrupt(each: CommandCase, signal: Interruption, delay: number, again: boolean): Promise<string[]> {
    const root = this.#fresh();
    const before = listingOf(root);
    const run = await this.#run(root, each, signal, delay);
    const problems = [...problemsOfEnd(run, each, signal), ...(await problemsIn(root, before, each))];
    const finished = run.status === (each.ends ?? 0);
    if (again && !finished && each.stops === undefined) {
      const { status, stderr } = await this.#run(root, each, 'SIGTERM', 60_000);
      // The signal came when everything had been written.
      const exists = status === 13 && Object.keys(each.outputs ?? {}).every((name) => existsSync(join(root, name)));
      if (status !== (each.ends ?? 0) && !exists) problems.push(`the next run ends with ${status}: ${stderr}`);
      problems.push(...(await problemsIn(root, before, each)));
    }
    rmSync(root, { recursive: true });
    return problems;
  }

  #fresh(): string {
    this.#runs += 1;
    const root = join(this.#dir, String(this.#runs), 'root');
    cpSync(this.#template.root, root, { recursive: true, preserveTimestamps: true });
    return root;
  }

  async #run(root: string, each: CommandCase, signal: Interruption, delay: number): Promise<Signalled> {
    const begun = performance.now();
    const said = join(root, '..', 'stderr');
    const errors = openSync(said, 'w');
    const input = openSync(each.input === undefined ? '/dev/null' : join(root, each.input), 'r');
    const child = spawn(process.execPath, [CALLSEAL, ...commandLine(each, this.#template.words)], {
      cwd: root,
      env: { ...process.env, ...environmentOf(root) },
      stdio: [input, 'ignore', errors],
      detached: true,
    });
    closeSync(input);
    closeSync(errors);
    const timer = setTimeout(() => child.kill(signal), delay);
    const patience = setTimeout(() => child.kill('SIGKILL'), 90_000);
    const [status, by] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (...end) => resolve(end));
    });
    clearTimeout(timer);
    clearTimeout(patience);
    const milliseconds = performance.now() - begun;
    return { status, signal: by, stderr: readFileSync(said, 'utf8'), milliseconds };
  }
}

/** It has finished, or says that it was interrupted, or had not begun, so that the signal ended it. */
function problemsOfEnd({ status, signal, stderr }: Signalled, each: CommandCase, sent: Interruption): string[] {
  const allowed = [each.ends ?? 0, ...(each.stops ?? []), 128 + constants.signals[sent]];
  const problems: string[] = [];
  if (signal !== null ? signal !== sent : !allowed.includes(status ?? -1)) {
    problems.push(`ended with ${status ?? signal}: ${stderr}`);
  }
  if (/unexpected failure|\[object|^ +at /m.test(stderr)) problems.push(`said: ${stderr}`);
  return problems;
}
