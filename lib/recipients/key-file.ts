/** One private-key file of a key ring: examined when first needed, opened when it fits. */

import { CallsealError } from '../errors.ts';
import type { NativePrivateKey } from '../native/binding.ts';
import { native } from '../native/load.ts';
import { findKeyHints, type KeyHints } from './key-hints.ts';
import { openEncryptedKey, type PassphraseSource } from './passphrases.ts';

/** Whether the key in a file can be one of those wanted. */
export type Likelihood = 'fits' | 'unknown' | 'other';

export class KeyFile {
  readonly path: string;
  readonly #passphrases: readonly PassphraseSource[];
  #encrypted: boolean | null = null;
  #hints: KeyHints | null = null;
  #key: NativePrivateKey | null = null;
  #refusal: CallsealError | null = null;
  #passedOver = false;
  #considered = false;

  constructor(path: string, passphrases: readonly PassphraseSource[]) {
    this.path = path;
    this.#passphrases = passphrases;
  }

  /** The key, once opened. */
  get key(): NativePrivateKey | null {
    return this.#key;
  }

  /** The certificate beside the file that says that it holds another key, when it was left alone for that alone. */
  get passedOverFor(): string | null {
    return this.#passedOver && !this.#considered ? (this.#hints?.from ?? null) : null;
  }

  /**
   * Whether a passphrase is needed. A file without any private key counts as one that needs none: opening it then says
   * what is there instead.
   *
   * @throws {CallsealError} `ERR_IO`, `ERR_KEY_UNREADABLE`.
   */
  async isEncrypted(): Promise<boolean> {
    if (this.#encrypted === null) {
      const contents = native().PrivateKey.probe(this.path);
      const encrypted = contents.privateKeys[0]?.encrypted ?? false;
      if (encrypted) this.#hints = await findKeyHints(this.path, contents.publicKeyHints);
      this.#encrypted = encrypted;
    }
    return this.#encrypted;
  }

  /** Compares what is known about the key with the ids wanted. Only after {@link isEncrypted}. */
  likelihood(wanted: ReadonlyMap<string, number>): Likelihood {
    const ids = this.#hints?.keyIds;
    if (ids === undefined || ids.size === 0) return 'unknown';
    if (this.hinted(wanted) !== null) return 'fits';
    this.#passedOver = true;
    return 'other';
  }

  /** Which of the ids wanted a certificate or public key says it has, if one says so. Only after {@link isEncrypted}. */
  hinted(wanted: ReadonlyMap<string, number>): { index: number; keyId: string } | null {
    for (const keyId of this.#hints?.keyIds ?? []) {
      const index = wanted.get(keyId);
      if (index === undefined) continue;
      this.#considered = true;
      return { index, keyId };
    }
    return null;
  }

  /**
   * Opens the key. That no passphrase opened it is remembered: nobody is asked again for every file of a batch.
   *
   * @param requireAlive Throws when the ring was destroyed; then nobody is asked for anything more.
   * @throws {CallsealError} `ERR_PASSPHRASE_REQUIRED`, `ERR_WRONG_PASSPHRASE`, `ERR_KEY_UNREADABLE`, `ERR_IO`; what
   *   `requireAlive` throws.
   */
  async open(requireAlive: () => void): Promise<NativePrivateKey> {
    this.#considered = true;
    if (this.#refusal !== null) throw this.#refusal;
    if (this.#key !== null) return this.#key;
    try {
      this.#key = (await this.isEncrypted())
        ? await openEncryptedKey(this.path, this.#passphrases, requireAlive)
        : await native().PrivateKey.load(this.path, null);
      return this.#key;
    } catch (error) {
      if (isPassphraseProblem(error)) this.#refusal = error;
      throw error;
    }
  }

  destroy(): void {
    this.#key?.destroy();
    this.#key = null;
  }
}

/** Whether an error says that the passphrase was the problem. */
export function isPassphraseProblem(error: unknown): error is CallsealError {
  if (!(error instanceof CallsealError)) return false;
  return error.code === 'ERR_WRONG_PASSPHRASE' || error.code === 'ERR_PASSPHRASE_REQUIRED';
}
