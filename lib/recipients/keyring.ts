/** The private keys at hand: none is opened, and no passphrase asked for, before a file needs it. */

import { CallsealError, type ErrorCode } from '../errors.ts';
import type { NativePrivateKey } from '../native/binding.ts';
import { isPassphraseProblem, KeyFile } from './key-file.ts';
import { pairedFiles } from './key-hints.ts';
import type { PassphraseSource } from './passphrases.ts';
import type { PrivateKey } from './private-key.ts';
import { assertSources } from './sources.ts';

/** A private-key file (PEM, DER or PKCS#12), and what may open it. */
export interface KeySource {
  path: string;
  /** For this key alone; they are tried before those of the ring. */
  passphrases?: readonly PassphraseSource[] | undefined;
}

/** What goes for all keys of a ring. */
export interface KeyRingOptions {
  passphrases?: readonly PassphraseSource[] | undefined;
}

/** The key that opens one of the entries asked for. */
export interface RingMatch {
  key: NativePrivateKey;
  /** Which of the key ids asked for it has. */
  index: number;
  /** That id, in lower-case hexadecimal. */
  keyId: string;
}

/** The id of an open key, asked of native code once. */
interface KeyId {
  bytes: Buffer;
  text: string;
}

/** A key file with one of these problems is passed over as long as another key may open the file. */
const PASSED_OVER: ReadonlySet<ErrorCode> = new Set([
  'ERR_PASSPHRASE_REQUIRED',
  'ERR_WRONG_PASSPHRASE',
  'ERR_KEY_UNREADABLE',
  'ERR_NOT_APPROVED',
  'ERR_INVALID_ARGUMENT',
  'ERR_IO',
]);

/**
 * Private keys to open files with. Keys stay open, in native memory only, until {@link KeyRing.destroy}.
 *
 * @example
 * const keys = new KeyRing(['my_private.key'], {
 *   passphrases: [(path, attempt) => Passphrase.prompt(`Passphrase of ${path} (attempt ${attempt}): `)],
 * });
 * try {
 *   await decryptFile('call.callsre.sealed', 'call.callsre', { keys });
 * } finally {
 *   keys.destroy();
 * }
 */
export class KeyRing {
  readonly #files: KeyFile[];
  readonly #given: NativePrivateKey[] = [];
  readonly #ids = new WeakMap<NativePrivateKey, KeyId>();
  #turn: Promise<unknown> = Promise.resolve();
  #destroyed = false;

  /**
   * Names the keys; opens none.
   *
   * @throws {CallsealError} `ERR_INVALID_ARGUMENT`.
   */
  constructor(sources: readonly (string | KeySource)[], options: KeyRingOptions = {}) {
    assertSources(sources);
    const common = options.passphrases ?? [];
    this.#files = sources.map((source) => {
      if (typeof source === 'string') return new KeyFile(source, common);
      return new KeyFile(source.path, [...(source.passphrases ?? []), ...common]);
    });
  }

  /** A ring of open keys, which belong to it from now on: its `destroy()` destroys them. */
  static of(...keys: PrivateKey[]): KeyRing {
    const ring = new KeyRing([]);
    ring.#given.push(...keys);
    return ring;
  }

  /**
   * Finds the key with one of the ids. Looked at in turn: keys that are open; unencrypted files; encrypted files that a
   * certificate or public key, in the same file or beside it under a name that pairs, says to fit; encrypted files of
   * which nothing is known. A passphrase is asked for only in the last two cases, by one caller at a time.
   *
   * @param keyIds SHA-256 of each DER SubjectPublicKeyInfo, 32 bytes.
   * @returns Null when every key is another one.
   * @throws {CallsealError} `ERR_WRONG_PASSPHRASE` or `ERR_PASSPHRASE_REQUIRED` when a key that fits, or may fit, stays
   *   closed; `ERR_KEY_UNREADABLE` or `ERR_IO` when a file may hold the key and cannot be read; `ERR_KEY_USE` after
   *   `destroy()`.
   */
  async open(keyIds: readonly Uint8Array[]): Promise<RingMatch | null> {
    this.#requireAlive();
    const found = this.#findOpened(keyIds);
    if (found !== null) return found;
    const search = this.#turn.then(() => this.#search(keyIds));
    this.#turn = search.catch(() => undefined);
    return search;
  }

  /**
   * As {@link open}, but an encrypted key is left closed where a certificate or public key says that it fits: its word is
   * taken for it. @internal
   */
  async recognise(keyIds: readonly Uint8Array[]): Promise<Omit<RingMatch, 'key'> | null> {
    this.#requireAlive();
    const found = this.#findOpened(keyIds) ?? (await this.#hinted(wantedIds(keyIds))) ?? (await this.open(keyIds));
    return found && { index: found.index, keyId: found.keyId };
  }

  /** The keys that are open now. */
  opened(): NativePrivateKey[] {
    const fromFiles = this.#files.flatMap((file) => (file.key === null ? [] : [file.key]));
    return [...this.#given, ...fromFiles];
  }

  /**
   * Opens every key, for inputs that do not say whose key opens them. `problem` is that of a key that stayed closed,
   * which may be the one. @internal
   *
   * @throws {CallsealError} `ERR_KEY_USE` after `destroy()`.
   */
  async openAll(): Promise<{ keys: NativePrivateKey[]; problem: CallsealError | null }> {
    this.#requireAlive();
    const opening = this.#turn.then(async () => {
      const problems: CallsealError[] = [];
      for (const file of this.#files) await this.#openFile(file, problems);
      return { keys: this.opened(), problem: worst(problems) };
    });
    this.#turn = opening.catch(() => undefined);
    return opening;
  }

  /** Files that may hold certificates of the keys: the key files, and those beside them whose names pair. @internal */
  async certificateFiles(): Promise<string[]> {
    const files = this.#files.map(({ path }) => path);
    for (const { path } of this.#files) files.push(...(await pairedFiles(path)));
    return [...new Set(files)];
  }

  /** What was done outside the FIPS module to open the keys, a sentence each; empty when nothing was. */
  get notes(): string[] {
    const ofFiles = this.#files.flatMap(({ path, key }) =>
      key?.unwrappedOutside ? [`${path}: ${key.unwrappedOutside}`] : [],
    );
    return [...this.#given.flatMap((key) => key.unwrappedOutside ?? []), ...ofFiles];
  }

  /** Why keys were not tried, a sentence each, for messages. @internal */
  get untried(): string[] {
    return this.#files.flatMap(({ path, passedOverFor }) => {
      if (passedOverFor === null) return [];
      return [
        `key ${path} was not tried, as the certificate beside it, ${passedOverFor}, is of another key; ` +
          'if the two do not belong together, move the certificate away',
      ];
    });
  }

  /** Cleanses every key. The ring opens nothing afterwards. */
  destroy(): void {
    this.#destroyed = true;
    for (const key of this.#given.splice(0)) key.destroy();
    for (const file of this.#files) file.destroy();
  }

  /** For `using`. */
  [Symbol.dispose](): void {
    this.destroy();
  }

  /** For `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.destroy();
  }

  #requireAlive(): void {
    if (this.#destroyed) throw new CallsealError('ERR_KEY_USE', 'the key ring was destroyed; make a new one');
  }

  #idOf(key: NativePrivateKey): KeyId {
    let id = this.#ids.get(key);
    if (id === undefined) {
      const bytes = Buffer.from(key.spkiSha256);
      id = { bytes, text: bytes.toString('hex') };
      this.#ids.set(key, id);
    }
    return id;
  }

  #findOpened(keyIds: readonly Uint8Array[]): RingMatch | null {
    for (const key of this.opened()) {
      const { bytes, text } = this.#idOf(key);
      const index = keyIds.findIndex((id) => id[0] === bytes[0] && bytes.equals(id));
      if (index >= 0) return { key, index, keyId: text };
    }
    return null;
  }

  async #hinted(wanted: ReadonlyMap<string, number>): Promise<Omit<RingMatch, 'key'> | null> {
    for (const file of this.#files) {
      const encrypted = await file.isEncrypted().catch((error: unknown) => passOver(error, []));
      const hint = encrypted === true ? file.hinted(wanted) : null;
      if (hint !== null) return hint;
    }
    return null;
  }

  async #search(keyIds: readonly Uint8Array[]): Promise<RingMatch | null> {
    this.#requireAlive();
    const found = this.#findOpened(keyIds);
    if (found !== null) return found;
    const wanted = wantedIds(keyIds);
    const problems: CallsealError[] = [];
    const groups = await this.#sort(wanted, problems);
    for (const group of groups) {
      for (const file of group) {
        const match = await this.#try(file, keyIds, problems);
        if (match !== null) return match;
      }
      // Nobody is asked for the passphrases of other keys while one that fits stays closed.
      if (group === groups[1]) throwFirst(problems.filter(isPassphraseProblem));
    }
    throwFirst(problems);
    return null;
  }

  /** Unopened files: unencrypted ones, those that fit, those that may fit. The others are left alone. */
  async #sort(wanted: ReadonlyMap<string, number>, problems: CallsealError[]): Promise<KeyFile[][]> {
    const unencrypted: KeyFile[] = [];
    const fitting: KeyFile[] = [];
    const unknown: KeyFile[] = [];
    for (const file of this.#files) {
      this.#requireAlive();
      if (file.key !== null) continue;
      try {
        if (!(await file.isEncrypted())) unencrypted.push(file);
        else if (file.likelihood(wanted) === 'fits') fitting.push(file);
        else if (file.likelihood(wanted) === 'unknown') unknown.push(file);
      } catch (error) {
        passOver(error, problems);
      }
    }
    return [unencrypted, fitting, unknown];
  }

  async #try(file: KeyFile, keyIds: readonly Uint8Array[], problems: CallsealError[]): Promise<RingMatch | null> {
    await this.#openFile(file, problems);
    return this.#findOpened(keyIds);
  }

  async #openFile(file: KeyFile, problems: CallsealError[]): Promise<void> {
    this.#requireAlive();
    try {
      await file.open(() => this.#requireAlive());
    } catch (error) {
      passOver(error, problems);
    }
    if (this.#destroyed) file.destroy();
    this.#requireAlive();
  }
}

/** Ids in lower-case hexadecimal, and where each was asked for. */
function wantedIds(keyIds: readonly Uint8Array[]): Map<string, number> {
  return new Map(keyIds.map((id, index) => [Buffer.from(id).toString('hex'), index]));
}

function passOver(error: unknown, problems: CallsealError[]): void {
  if (!(error instanceof CallsealError) || !PASSED_OVER.has(error.code)) throw error;
  problems.push(error);
}

/** The problem that says most: a wrong passphrase, then a missing one, then a file that cannot be read. */
function worst(problems: readonly CallsealError[]): CallsealError | null {
  const by = (code: ErrorCode) => problems.find((problem) => problem.code === code);
  return by('ERR_WRONG_PASSPHRASE') ?? by('ERR_PASSPHRASE_REQUIRED') ?? problems[0] ?? null;
}

function throwFirst(problems: readonly CallsealError[]): void {
  const first = worst(problems);
  if (first !== null) throw first;
}
