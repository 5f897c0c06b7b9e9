/**
 * One process that runs commands of `callseal`, or a module of the test, one after another, each with another fault:
 * starting node for each would take most of the time. What a command says and its exit code are caught; everything else is
 * as in the command itself.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

import { buildLauncher, type Fault, type Launched, readLog } from './fault-launcher.ts';
import { DIST } from './native-child.ts';
import { tempDir } from './temp.ts';

const hostOf = (program: string): string => `
  import { createReadStream, openSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
  import { run } from '${program}';

  let said = '';
  let printed = '';
  const caught = (keep) => (text, ...rest) => {
    keep(String(text));
    const told = rest.find((each) => typeof each === 'function');
    if (told) setImmediate(told);
    return true;
  };
  process.stderr.write = caught((text) => { said += text; });
  process.stdout.write = caught((text) => { printed += text; });
  /** To the launcher. */
  const order = (path) => {
    try {
      openSync(path);
    } catch {
      // It is not there.
    }
  };
  const stdin = process.stdin;
  const openBelow = (root) => readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const path = readlinkSync('/proc/self/fd/' + fd);
      return path.startsWith(root) ? [path] : [];
    } catch {
      return [];
    }
  });
  process.on('uncaughtException', (error) => {
    said += 'uncaught: ' + error.stack;
    process.exitCode = 1;
  });
  process.on('message', async ({ root, args, env, input, fault }) => {
    Object.assign(process.env, env);
    process.chdir(root);
    said = printed = '';
    process.exitCode = 0;
    // Standard input is open when a command begins.
    const given = input === null ? stdin : createReadStream('', { fd: openSync(input) });
    given.on('error', () => {});
    Object.defineProperty(process, 'stdin', { value: given, configurable: true });
    order('/callseal-fault/' + fault + '//' + root.slice(1));
    await run(args);
    await new Promise((resolve) => setImmediate(resolve));
    order('/callseal-fault/end');
    if (input !== null) await new Promise((resolve) => given.destroy().once('close', resolve).closed && resolve());
    const status = process.exitCode;
    process.chdir('/');
    process.exitCode = 0;
    process.send({ status, stdout: printed, stderr: said, open: openBelow(root), log: readFileSync(process.env.FAULT_LOG, 'utf8') });
  });
  process.on('disconnect', () => process.exit(0));
  process.send('ready');
`;

interface Answer {
  status: number;
  stdout: string;
  stderr: string;
  open: string[];
  log: string;
}

export interface Hosted extends Launched {
  /** Files below the folder that are still open. */
  open: string[];
}

export interface Hosting {
  root: string;
  args: readonly string[];
  env: NodeJS.ProcessEnv;
  input?: string | undefined;
  fault?: Fault | undefined;
}

/** Ends with the tests of the file. */
export class FaultHost {
  readonly #program: string;
  readonly #launcher: readonly string[];
  #child: ChildProcess | undefined;

  /**
   * @param program A module whose `run(args)` works in the folder, the current directory. Default: `callseal`.
   * @param launcher What makes calls fail; nothing, where no run has a fault.
   */
  constructor(program = `${DIST}cli/main.js`, launcher: readonly string[] = [buildLauncher()]) {
    this.#program = program;
    this.#launcher = launcher;
    afterAll(() => this.#child?.kill('SIGKILL'));
  }

  async run({ root, args, env, input, fault }: Hosting): Promise<Hosted> {
    const child = await this.#living();
    const answer = new Promise<Answer>((resolve, reject) => {
      const ended = (status: number | null, signal: string | null): void => {
        this.#child = undefined;
        reject(
          new Error(
            `the host ended with ${status ?? signal} at ${args.join(' ')} with ${fault && JSON.stringify(fault)}`,
          ),
        );
      };
      child.once('exit', ended);
      child.once('message', (message) => {
        child.off('exit', ended);
        resolve(message as Answer);
      });
    });
    child.send({ root, args, env, input: input ?? null, fault: orderOf(fault) });
    const { log, ...rest } = await answer;
    return { ...rest, ...readLog(log) };
  }

  async #living(): Promise<ChildProcess> {
    if (this.#child !== undefined) return this.#child;
    const dir = tempDir();
    const script = join(dir, 'host.mjs');
    writeFileSync(script, hostOf(this.#program));
    const log = join(dir, 'log');
    writeFileSync(log, '');
    const [command, ...words] = [...this.#launcher, process.execPath, script];
    const child = spawn(command as string, words, {
      env: { ...process.env, FAULT_ROOT: '', FAULT_LOG: log, UV_THREADPOOL_SIZE: '4' },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#child = child;
    await new Promise((resolve, reject) => {
      child.once('message', resolve);
      child.once('error', reject);
      child.once('exit', (status) => reject(new Error(`the host ended with ${status}`)));
    });
    child.removeAllListeners('exit');
    return child;
  }
}

function orderOf(fault: Fault | undefined): string {
  if (fault === undefined) return 'none/0/0/0/0';
  const { call, nth, how, sticky } = fault;
  const [errno, short] = how === 'short' ? [0, 1] : [constants.errno[how], 0];
  return `${call}/${nth}/${errno}/${short}/${sticky ? 1 : 0}`;
}
