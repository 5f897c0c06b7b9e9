/** `--store` and everything that opens the key hierarchy in it. */

import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { CallsealError } from '../../errors.ts';
import type { KeyHierarchy, KeyHierarchyOptions } from '../../keys/hierarchy.ts';
import type { InstallationKey } from '../../keys/installation-key.ts';
import { noticeFipsOff } from '../fips-notice.ts';
import { interruptSignal } from '../interrupt.ts';
import type { Output } from '../output.ts';
import type { PassphrasePlace } from '../passphrase-options.ts';
import { addInstallationOptions, folderOf, type InstallationOptions, openKey } from './installation-options.ts';

/** Names the store when `--store` does not. */
const STORE_VARIABLE = 'CALLSEAL_STORE';

/** Names the directory in which this host remembers how far stores had come, when `--state-dir` does not. */
const STATE_VARIABLE = 'CALLSEAL_STATE_DIR';

/** The store when nothing names another: a file where this host keeps what it remembers. */
const DEFAULT_STORE_FILE = 'keys.db';

export interface StoreOption {
  store?: string;
}

export interface HierarchyOptions extends StoreOption, InstallationOptions {
  stateDir?: string;
}

export type HierarchyOpener = (options: HierarchyOptions, output: Output) => Promise<InstallationKey>;

export function addStoreOption(command: Command): Command {
  return command.option(
    '--store <url>',
    `key store: sqlite:PATH or postgres://USER@HOST/DATABASE (or ${STORE_VARIABLE})`,
  );
}

/** Adds the options; the result opens the installation key that they name. */
export function addHierarchyOptions(command: Command): HierarchyOpener {
  const places = addKeyStoreOptions(command);
  return async (options, output) => openKey({ folder: await folderOf(options) }, places, output);
}

/** The options alone. */
export function addKeyStoreOptions(command: Command): PassphrasePlace[] {
  return addInstallationOptions(addStateDirOption(addStoreOption(command)));
}

export function addStateDirOption(command: Command): Command {
  return command.option(
    '--state-dir <dir>',
    `where this host remembers how far the store had come (or ${STATE_VARIABLE})`,
  );
}

/** Where this host remembers how far stores had come. */
export async function stateDirectory({ stateDir }: HierarchyOptions): Promise<string> {
  const named = stateDir ?? (process.env[STATE_VARIABLE] || undefined);
  if (named !== undefined) return resolve(named);
  const { defaultStateDirectory } = await import('../../keys/high-water.ts');
  return defaultStateDirectory();
}

/** The store to use. */
export async function storeUrl(options: HierarchyOptions): Promise<string> {
  return namedStore(options) ?? `sqlite:${join(await stateDirectory(options), DEFAULT_STORE_FILE)}`;
}

/** The store that the command line or the environment names. */
export function namedStore({ store }: StoreOption): string | undefined {
  return store ?? (process.env[STORE_VARIABLE] || undefined);
}

/** The store that stands in the place of a named one, when it is there. */
export function storeWithoutName(state: string): string | null {
  const path = join(state, DEFAULT_STORE_FILE);
  return existsSync(path) ? `sqlite:${path}` : null;
}

/** What {@link withHierarchy} does about a store in which there is nothing. */
export interface Beginning {
  /** Begin a hierarchy in it. Default: false. */
  create?: boolean;
  /** Of the first master key. */
  suite?: string;
}

/**
 * Opens the hierarchy, works with it, and closes it.
 *
 * @param work also told whether the hierarchy was begun just now
 */
export async function withHierarchy<T>(
  open: HierarchyOpener,
  options: HierarchyOptions,
  output: Output,
  work: (keys: KeyHierarchy, opened: { begun: boolean }) => Promise<T>,
  beginning: Beginning = {},
): Promise<T> {
  noticeFipsOff(output);
  const signal = interruptSignal();
  const store = await storeUrl(options);
  if (beginning.create === true && namedStore(options) === undefined) await makeDirectoryOf(store);
  const installation = await open(options, output);
  try {
    const remembered = await stateDirectory(options);
    const { keys, begun } = await openHierarchy({ store, installation, stateDirectory: remembered, signal }, beginning);
    try {
      return await work(keys, { begun });
    } finally {
      await keys.close();
    }
  } finally {
    installation.destroy();
  }
}

/** Of the default store; others are put where somebody has made room for them. */
async function makeDirectoryOf(store: string): Promise<void> {
  await mkdir(dirname(store.slice('sqlite:'.length)), { recursive: true, mode: 0o700 });
}

/** A store is begun only when it turns out to be empty, so that it is known who began it. */
async function openHierarchy(
  options: KeyHierarchyOptions,
  { create = false, suite }: Beginning,
): Promise<{ keys: KeyHierarchy; begun: boolean }> {
  const { KeyHierarchy } = await import('../../keys/hierarchy.ts');
  try {
    return { keys: await KeyHierarchy.open({ ...options, create: false }), begun: false };
  } catch (error) {
    if (!isNothingThere(error)) throw error;
    if (!create) throw withRemedy(error);
    return {
      keys: await KeyHierarchy.open({ ...options, create: true, ...(suite !== undefined && { suite }) }),
      begun: true,
    };
  }
}

/** A PostgreSQL server that does not answer is tried again in vain, which harms nothing. */
function isNothingThere(error: unknown): error is CallsealError {
  return error instanceof CallsealError && (error.code === 'ERR_KEY_UNKNOWN' || error.code === 'ERR_STORE_UNAVAILABLE');
}

function withRemedy(error: CallsealError): CallsealError {
  if (error.code !== 'ERR_KEY_UNKNOWN') return error;
  return new CallsealError(error.code, 'the key store is empty; callseal master create makes the first master key', {
    cause: error,
  });
}
