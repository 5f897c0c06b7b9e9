/** The private keys at the desk. They are in native memory, and nowhere else, until they are forgotten. */

import { CallsealError } from '../errors.ts';
import { hex } from '../hex.ts';
import { native } from '../native/load.ts';
import { Passphrase } from '../native/passphrase.ts';
import { KeyRing } from '../recipients/keyring.ts';
import { openEncryptedKey, type PassphraseSource } from '../recipients/passphrases.ts';
import { decodePrivateKey, loadPrivateKey, type PrivateKey } from '../recipients/private-key.ts';
import { safe } from '../safe-text.ts';
import type { KeyView } from './protocol.ts';

/** Keys that a person has at hand. */
const MAX_KEYS = 64;

interface KeyAtDesk {
  id: number;
  name: string;
  /** Of a key file that the command line names. */
  path: string | null;
  /** Null while it is locked. */
  key: PrivateKey | null;
  /** How often it was forgotten: a key that is opened meanwhile comes too late. */
  forgotten: number;
}

export class KeyTray {
  readonly #keys: KeyAtDesk[] = [];
  #nextId = 0;
  /** How often all were forgotten. */
  #forgotten = 0;
  #closed = false;

  /**
   * Takes the key files of the command line: those that need no passphrase, or one that is at hand, are opened.
   *
   * @throws {CallsealError} `ERR_WRONG_PASSPHRASE`, `ERR_KEY_UNREADABLE`, `ERR_IO`
   */
  async takeFiles(paths: readonly string[], passphrases: readonly PassphraseSource[]): Promise<void> {
    for (const path of paths) {
      const encrypted = native().PrivateKey.probe(path).privateKeys[0]?.encrypted ?? false;
      const atDesk: KeyAtDesk = { id: this.#nextId++, name: path, path, key: null, forgotten: 0 };
      if (!encrypted) atDesk.key = requireRsa(await loadPrivateKey(path), path);
      else if (passphrases.length > 0) {
        atDesk.key = requireRsa(await openEncryptedKey(path, passphrases, () => undefined), path);
      }
      this.#keys.push(atDesk);
    }
  }

  /**
   * Opens a key that the page has sent. Neither of the two is kept; overwriting them is the caller's.
   *
   * @param passphrase UTF-8; empty for none.
   * @throws {CallsealError} `ERR_PASSPHRASE_REQUIRED`, `ERR_WRONG_PASSPHRASE`, `ERR_KEY_UNREADABLE`;
   *   `ERR_INVALID_ARGUMENT` when there are too many, or all were forgotten meanwhile
   */
  async add(name: string, bytes: Uint8Array, passphrase: Uint8Array): Promise<KeyView> {
    if (this.#keys.length >= MAX_KEYS) {
      throw new CallsealError('ERR_INVALID_ARGUMENT', `the desk holds ${MAX_KEYS} keys; forget some first`);
    }
    const forgotten = this.#forgotten;
    const key = await withPassphrase(passphrase, (given) => decodePrivateKey(bytes, name, given));
    this.#requireNow(forgotten === this.#forgotten, key, name);
    requireRsa(key, name);
    const twin = this.#keys.find((other) => other.key !== null && idOf(other.key) === idOf(key));
    if (twin !== undefined) {
      key.destroy();
      return viewOf(twin);
    }
    const atDesk = { id: this.#nextId++, name, path: null, key, forgotten: 0 };
    this.#keys.push(atDesk);
    return viewOf(atDesk);
  }

  /**
   * Opens a locked key of the command line.
   *
   * @throws {CallsealError} `ERR_WRONG_PASSPHRASE`, `ERR_PASSPHRASE_REQUIRED`, `ERR_KEY_UNREADABLE`, `ERR_IO`, `ERR_INVALID_ARGUMENT`
   */
  async unlock(id: number, passphrase: Uint8Array): Promise<KeyView> {
    const atDesk = this.#find(id);
    const { path, forgotten } = atDesk;
    if (path !== null && atDesk.key === null) {
      const key = await withPassphrase(passphrase, (given) => loadPrivateKey(path, given));
      this.#requireNow(forgotten === atDesk.forgotten, key, path);
      // Whoever asked twice has two keys now, and one is enough.
      if (atDesk.key === null) atDesk.key = requireRsa(key, path);
      else key.destroy();
    }
    return viewOf(atDesk);
  }

  list(): KeyView[] {
    return this.#keys.map(viewOf);
  }

  /** The open keys. They stay the desk's: the ring is not to be destroyed. */
  ring(): KeyRing {
    return KeyRing.of(...this.#keys.flatMap(({ key }) => key ?? []));
  }

  /**
   * Cleanses a key. One of the command line is locked again.
   *
   * @returns the id of the key that was open, if it was
   */
  forget(id: number): string | null {
    const atDesk = this.#find(id);
    const keyId = atDesk.key && idOf(atDesk.key);
    atDesk.key?.destroy();
    atDesk.key = null;
    atDesk.forgotten += 1;
    if (atDesk.path === null) this.#keys.splice(this.#keys.indexOf(atDesk), 1);
    return keyId;
  }

  /** Cleanses all keys. */
  forgetAll(): void {
    this.#forgotten += 1;
    for (const { id } of [...this.#keys]) this.forget(id);
  }

  /** Cleanses all keys, also those that are still to come. */
  close(): void {
    this.#closed = true;
    this.forgetAll();
  }

  #requireNow(isWanted: boolean, key: PrivateKey, name: string): void {
    if (isWanted && !this.#closed) return;
    key.destroy();
    throw new CallsealError('ERR_INVALID_ARGUMENT', `keys were forgotten while ${name} was opened; give it again`);
  }

  #find(id: number): KeyAtDesk {
    const found = this.#keys.find((key) => key.id === id);
    if (found === undefined) throw new CallsealError('ERR_INVALID_ARGUMENT', 'this key is not at the desk any more');
    return found;
  }
}

async function withPassphrase<T>(bytes: Uint8Array, use: (given: Passphrase | undefined) => Promise<T>): Promise<T> {
  if (bytes.length === 0) return use(undefined);
  const passphrase = Passphrase.fromBytes(bytes);
  try {
    return await use(passphrase);
  } finally {
    passphrase.destroy();
  }
}

function requireRsa(key: PrivateKey, name: string): PrivateKey {
  if (key.algorithm === 'RSA') return key;
  const message = `${name} holds a key of the algorithm ${key.algorithm}, which opens no files: they are encrypted for RSA keys`;
  key.destroy();
  throw new CallsealError('ERR_KEY_UNREADABLE', message);
}

function idOf(key: PrivateKey): string {
  return hex(key.spkiSha256);
}

function viewOf({ id, name, key }: KeyAtDesk): KeyView {
  const base = { id, name: safe(name), locked: key === null };
  if (key === null) return { ...base, keyId: null, bits: null, note: null };
  return { ...base, keyId: idOf(key), bits: key.bits, note: key.unwrappedOutside };
}
