/** Processes that are ended in the middle of native work, and what must be true of their end. */

import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { KeyHierarchy } from '../../lib/keys/index.ts';
import { generatePrivateKey } from '../../lib/recipients/private-key.ts';
import { makeKeyPair } from './keys.ts';
import { tempDir } from './temp.ts';

/** Certificates, keys and a key store, as files that children open, and a directory for what they write. */
export interface LifePlace {
  certificates: string[];
  key: string;
  installation: string;
  store: string;
  stateDirectory: string;
  scratch: string;
  /** Bytes of a large file. */
  large: number;
}

export async function lifePlace({ large = 9 << 20 }: { large?: number } = {}): Promise<LifePlace> {
  const directory = tempDir();
  const [mary, fred] = [makeKeyPair(directory, { name: 'mary' }), makeKeyPair(directory, { name: 'fred' })];
  const installation = join(directory, 'installation.key');
  await (await generatePrivateKey(2048)).save(installation, null);
  const store = `sqlite:${join(directory, 'keys.db')}`;
  const stateDirectory = join(directory, 'state');
  // Made here: many threads that open an empty store at once would wait for each other first of all.
  const keys = await KeyHierarchy.open({ store, stateDirectory, installation: { key: installation }, actor: 'life' });
  await keys.protect('models', { tenant: 'acme', type: 'claimant', id: 'c-41', field: 'template' }, new Uint8Array(1));
  await keys.close();
  const certificates = [mary.certificate, fred.certificate];
  return { certificates, key: mary.privateKey, installation, store, stateDirectory, scratch: tempDir(), large };
}

export interface Ending {
  status: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
  /** It did not end by itself in time, which is a hang. */
  hung: boolean;
}

const WORK = pathToFileURL(join(import.meta.dirname, 'life-work.mjs')).href;
const HANG_MILLISECONDS = 110_000;

/** A module that has `place`, `openLife` and `WORK` of `life-work.mjs` at hand, also as a worker. */
export function lifeScript(place: LifePlace, body: string): string {
  const path = join(tempDir(), 'life.mjs');
  const prelude = `import { openLife, WORK } from '${WORK}';\nconst place = ${JSON.stringify(place)};\n`;
  writeFileSync(path, prelude + body);
  return path;
}

export interface LifeOptions {
  args?: readonly string[];
  env?: NodeJS.ProcessEnv;
}

/** Runs a script in a process of its own. */
export function endOf(script: string, { args = [], env = {} }: LifeOptions = {}): Promise<Ending> {
  const child = spawn(process.execPath, [...args, script], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ending: Ending = { status: null, signal: null, stdout: '', stderr: '', hung: false };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    ending.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    ending.stderr += text;
  });
  const watchdog = setTimeout(() => {
    ending.hung = true;
    child.kill('SIGKILL');
  }, HANG_MILLISECONDS);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status, signal) => {
      clearTimeout(watchdog);
      resolve({ ...ending, status, signal });
    });
  });
}

/** What a script that must end well says last, as JSON. */
export async function reportOf<T>(script: string, options: LifeOptions = {}): Promise<T> {
  const { status, signal, stdout, stderr, hung } = await endOf(script, options);
  if (status !== 0) throw new Error(`node ended with ${hung ? 'a hang' : (signal ?? status)}\n${stderr}${stdout}`);
  return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as T;
}
