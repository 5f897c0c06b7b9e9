/** The command line with an installation key, a key store and a memory of its own. */

import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { callseal, type Run, type RunOptions } from './cli.ts';
import { tempDir } from './temp.ts';

export const PASSPHRASE = 'correct horse';

/** Where one test keeps its keys. */
export interface Site {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** Runs `callseal` there; words are split at blanks when they are given in one string. */
  run(args: string | readonly string[], options?: RunOptions): Promise<Run>;
  /** Runs it, and fails when it does; gives standard output. */
  ok(args: string | readonly string[], options?: RunOptions): Promise<string>;
  json<T = Record<string, unknown>>(args: string | readonly string[]): Promise<T>;
}

let made: Promise<string> | undefined;

/** The folder of an installation key, made once a test file: that takes a while. */
async function installation(): Promise<string> {
  const folder = join(tempDir(), 'installation');
  const args = ['installation', 'request', '--subject', '/CN=voice', '--installation', folder];
  const run = await callseal([...args, '--passphrase-env', 'SITE_PASSPHRASE'], {
    env: { SITE_PASSPHRASE: PASSPHRASE },
  });
  if (run.status !== 0) throw new Error(run.stderr);
  return folder;
}

/** A place with a fresh copy of the installation key and no store yet. */
export async function makeSite(settings: { store?: string; ownKey?: boolean } = {}): Promise<Site> {
  const cwd = tempDir();
  made ??= installation();
  if (settings.ownKey !== true) {
    // Node 22 and later do not take over a directory's mode when they copy it.
    mkdirSync(join(cwd, 'installation'), { mode: 0o700 });
    cpSync(await made, join(cwd, 'installation'), { recursive: true });
  }
  return siteAt(cwd, settings.store ?? `sqlite:${join(cwd, 'keys.db')}`);
}

/** A place where everything may be there already. */
export function siteAt(cwd: string, store: string): Site {
  const env = {
    CALLSEAL_INSTALLATION: join(cwd, 'installation'),
    CALLSEAL_STORE: store,
    CALLSEAL_STATE_DIR: join(cwd, 'state'),
    SITE_PASSPHRASE: PASSPHRASE,
  };
  const run: Site['run'] = (args, options = {}) => {
    const words = typeof args === 'string' ? args.split(' ') : args;
    return callseal(words, { cwd, ...options, env: { ...env, ...options.env } });
  };
  const ok: Site['ok'] = async (args, options) => {
    const { status, stdout, stderr } = await run(withKey(args), options);
    if (status !== 0) throw new Error(`${String(args)} ended with ${status}: ${stderr}`);
    return stdout.toString();
  };
  return { cwd, env, run, ok, json: async (args) => JSON.parse(await ok([...withKey(args), '--json'])) };
}

/** With the passphrase of the installation key. */
export function withKey(args: string | readonly string[]): string[] {
  const words = typeof args === 'string' ? args.split(' ') : [...args];
  return words.includes('--passphrase-env') ? words : [...words, '--passphrase-env', 'SITE_PASSPHRASE'];
}
