/**
 * Private keys lying on the recording host. It needs none: with one, whoever gets into the host can open the recordings
 * that the certificates were to protect.
 */

import { readdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { native } from '../native/load.ts';
import { findKeyHints } from '../recipients/key-hints.ts';

/** A file that holds a private key. */
export interface StrayKey {
  path: string;
  /** Whether a passphrase protects it. */
  encrypted: boolean;
  /** Whether it opens what is encrypted for the recipients: null when that cannot be told without a passphrase. */
  opensRecordings: boolean | null;
}

/** Larger files are no key files. */
const MAX_KEY_FILE_BYTES = 1 << 20;

/**
 * Looks into the files given and into everything beside them.
 *
 * @param paths certificates and configuration
 * @param recipientIds key ids of the recipients, in hexadecimal
 */
export async function findStrayKeys(paths: readonly string[], recipientIds: ReadonlySet<string>): Promise<StrayKey[]> {
  const found: StrayKey[] = [];
  for (const path of await candidates(paths)) {
    const key = await examine(path, recipientIds);
    if (key !== null) found.push(key);
  }
  return found;
}

/** Regular files of the directories in which the given ones lie, and those themselves; each once. */
async function candidates(given: readonly string[]): Promise<string[]> {
  const paths = given.map((path) => resolve(path));
  const files = new Set<string>();
  for (const directory of new Set(paths.map((path) => dirname(path)))) {
    const names = await readdir(directory).catch(() => []);
    for (const name of names.sort()) files.add(join(directory, name));
  }
  for (const path of paths) files.add(path);
  return [...files];
}

async function examine(path: string, recipientIds: ReadonlySet<string>): Promise<StrayKey | null> {
  const entry = await stat(path).catch(() => undefined);
  if (entry === undefined || !entry.isFile() || entry.size > MAX_KEY_FILE_BYTES) return null;
  try {
    const { privateKeys, publicKeyHints } = native().PrivateKey.probe(path);
    const [first] = privateKeys;
    if (first === undefined) return null;
    const ids = first.encrypted ? (await findKeyHints(path, publicKeyHints)).keyIds : new Set([await idOf(path)]);
    const opensRecordings = ids.size === 0 ? null : [...ids].some((id) => recipientIds.has(id));
    return { path, encrypted: first.encrypted, opensRecordings };
  } catch {
    return null; // not readable by this user, or only resembles a key
  }
}

async function idOf(path: string): Promise<string> {
  const key = await native().PrivateKey.load(path, null);
  try {
    return Buffer.from(key.spkiSha256).toString('hex');
  } finally {
    key.destroy();
  }
}
