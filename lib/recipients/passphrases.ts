/** Where the passphrase of a key file comes from, and how often it is asked for. */

import { CallsealError, hasCode } from '../errors.ts';
import type { NativePassphrase, NativePrivateKey } from '../native/binding.ts';
import { native } from '../native/load.ts';
import type { Passphrase } from '../native/passphrase.ts';

/**
 * A passphrase, or a function that asks for one.
 *
 * A function is called only when the key is needed, with the path of the key file and the number of the attempt, from
 * 1; it returns null to give up. A wrong passphrase is asked for again, three times in all. The passphrases remain the
 * caller's to destroy.
 */
export type PassphraseSource =
  | Passphrase
  | ((keyPath: string, attempt: number) => Passphrase | null | Promise<Passphrase | null>);

/** How often a function is asked for the passphrase of one key. */
export const PASSPHRASE_ATTEMPTS = 3;

/**
 * Opens an encrypted key file with the first passphrase that fits: those at hand first, then those that somebody must
 * be asked for.
 *
 * @param requireAlive Called before each attempt and each question; throws when nobody wants the key any more.
 * @throws {CallsealError} `ERR_PASSPHRASE_REQUIRED` when there was none to try, `ERR_WRONG_PASSPHRASE`, and what
 *   loading the file and `requireAlive` throw (`ERR_KEY_UNREADABLE`, `ERR_IO`; `ERR_KEY_USE`).
 */
export async function openEncryptedKey(
  path: string,
  sources: readonly PassphraseSource[],
  requireAlive: () => void,
): Promise<NativePrivateKey> {
  let tried = 0;
  const attempt = (passphrase: NativePassphrase): Promise<NativePrivateKey | null> => {
    requireAlive();
    tried++;
    return tryPassphrase(path, passphrase);
  };
  for (const source of sources) {
    if (typeof source === 'function') continue;
    const key = await attempt(source);
    if (key !== null) return key;
  }
  for (const source of sources) {
    if (typeof source !== 'function') continue;
    for (let count = 1; count <= PASSPHRASE_ATTEMPTS; count++) {
      requireAlive();
      const passphrase = await source(path, count);
      if (passphrase === null) break;
      const key = await attempt(passphrase);
      if (key !== null) return key;
    }
  }
  throw tried === 0 ? passphraseRequired(path) : wrongPassphrase(path, tried);
}

async function tryPassphrase(path: string, passphrase: NativePassphrase): Promise<NativePrivateKey | null> {
  try {
    return await native().PrivateKey.load(path, passphrase);
  } catch (error) {
    if (hasCode(error, 'ERR_WRONG_PASSPHRASE')) return null;
    throw error;
  }
}

function passphraseRequired(path: string): CallsealError {
  const message = `key ${path} is encrypted and no passphrase was given; give the passphrase it was made with`;
  return new CallsealError('ERR_PASSPHRASE_REQUIRED', message, { path });
}

function wrongPassphrase(path: string, tried: number): CallsealError {
  const which = tried === 1 ? 'the passphrase does not open' : `none of ${tried} passphrases opens`;
  const message = `${which} key ${path}; give the passphrase it was made with`;
  return new CallsealError('ERR_WRONG_PASSPHRASE', message, { path });
}
