/** Finds out without a passphrase which key an encrypted key file holds. */

import { opendir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

import { CallsealError, type ErrorCode } from '../errors.ts';
import { hex } from '../hex.ts';
import { native } from '../native/load.ts';

/** Directory entries that are looked at, and files among them that are read. */
const MAX_DIRECTORY_ENTRIES = 4096;
const MAX_CANDIDATES = 16;

const UNREADABLE: ReadonlySet<ErrorCode> = new Set(['ERR_IO', 'ERR_KEY_UNREADABLE', 'ERR_INVALID_ARGUMENT']);

/** What is known about the key in a file. */
export interface KeyHints {
  /** SHA-256 of the SubjectPublicKeyInfo in lower-case hexadecimal. Empty: nothing is known. */
  keyIds: Set<string>;
  /** The certificate beside the key file that the hint comes from; null when it is in the key file itself. */
  from: string | null;
}

/**
 * Hints of the certificates and public keys in the key file itself, or else of those beside it whose names pair with
 * its name, as `my_private.key` does with `my_cert.crt`.
 */
export async function findKeyHints(keyPath: string, inFile: readonly Uint8Array[]): Promise<KeyHints> {
  if (inFile.length > 0) return { keyIds: new Set(inFile.map(hex)), from: null };
  const keyIds = new Set<string>();
  let from: string | null = null;
  for (const candidate of await pairedFiles(keyPath)) {
    for (const id of hintsOf(candidate)) {
      keyIds.add(id);
      from ??= candidate;
    }
  }
  return { keyIds, from };
}

const ROLE_WORDS = new Set([
  'private',
  'priv',
  'key',
  'cert',
  'crt',
  'cer',
  'certificate',
  'public',
  'pub',
  'pem',
  'der',
]);

/** The name without what tells a key from its certificate: `my_private.key` and `my_cert.crt` both give `my`. */
export function pairingStem(fileName: string): string {
  const words = fileName.toLowerCase().split(/[._-]+/);
  return words.filter((word) => word !== '' && !ROLE_WORDS.has(word)).join('.');
}

/** Files in the same directory whose names pair with the key file's. A directory that cannot be read has none. */
export async function pairedFiles(keyPath: string): Promise<string[]> {
  const folder = dirname(keyPath);
  const own = basename(keyPath);
  const stem = pairingStem(own);
  const paired: string[] = [];
  try {
    let seen = 0;
    for await (const entry of await opendir(folder)) {
      if (++seen > MAX_DIRECTORY_ENTRIES || paired.length === MAX_CANDIDATES) break;
      if (entry.name !== own && pairingStem(entry.name) === stem) paired.push(join(folder, entry.name));
    }
  } catch {
    return paired;
  }
  return paired.sort();
}

/** Key ids in a file that may be a certificate. One that cannot be read, or is no small regular file, hints at nothing. */
function hintsOf(path: string): string[] {
  try {
    const contents = native().PrivateKey.probe(path);
    // Another key file with a certificate in it speaks for its own key, not for this one.
    return contents.privateKeys.length > 0 ? [] : contents.publicKeyHints.map(hex);
  } catch (error) {
    if (error instanceof CallsealError && UNREADABLE.has(error.code)) return [];
    throw error;
  }
}
