/**
 * The hierarchy's state in this process: the last verified snapshot, until when it may be relied on, and the only way to
 * change it. What is built on it hears of every new snapshot.
 */

import { CallsealError, hasCode } from '../errors.ts';
import { hex } from '../hex.ts';
import type { Who } from './audit.ts';
import { Change } from './change.ts';
import { STORE_ROW, substituted } from './faults.ts';
import { type HighWater, markOf, type RowMark } from './high-water.ts';
import { newId } from './ids.ts';
import type { InstallationKey } from './installation-key.ts';
import { Loader } from './loader.ts';
import { sameManifest } from './manifest.ts';
import { makeMaster } from './master-key.ts';
import type { Snapshot } from './snapshot.ts';
import type { KeyStore, StoreWriter } from './stores/store.ts';
import type { Suite } from './suites.ts';
import { MasterVault } from './vault.ts';

export interface EngineParts {
  readonly store: KeyStore;
  readonly installation: InstallationKey;
  readonly highWater: HighWater;
  readonly who: Who;
  readonly ttlMilliseconds: number;
}

/** Told of every verified state; null when none may be relied on any more. */
export type StateListener = (snapshot: Snapshot | null) => void;

/** From one attempt to read a change that was announced, to the next. */
const RETRY_MILLISECONDS = 200;

export class Engine {
  readonly parts: EngineParts;
  readonly vault: MasterVault;
  readonly #loader: Loader;
  readonly #listeners: StateListener[] = [];
  #snapshot: Snapshot | null = null;
  /** In the time of `performance.now()`. */
  #freshUntil = 0;
  #expiry: NodeJS.Timeout | undefined;
  #retry: NodeJS.Timeout | undefined;
  #stopHearing: (() => void) | undefined;
  #loading: Promise<Snapshot> | null = null;
  #nextLoad: Promise<Snapshot> | null = null;
  #closed = false;

  constructor(parts: EngineParts) {
    this.parts = parts;
    this.vault = new MasterVault(parts.installation);
    this.#loader = new Loader(parts.installation, this.vault, parts.highWater);
  }

  /** Loads the store; makes the first master key when there is none and `suite` is given. */
  async start(suite: Suite | null): Promise<void> {
    const found = await this.load();
    if (found === null) {
      if (suite === null) throw nothingThere(this.parts.store);
      await this.#firstStart(suite);
    } else {
      await this.adopt(found);
    }
    this.#stopHearing = this.parts.store.onChange(() => this.#heard());
  }

  listen(listener: StateListener): void {
    this.#listeners.push(listener);
  }

  /** Whether what was verified may still be relied on; asked once a record. */
  get isFresh(): boolean {
    return performance.now() < this.#freshUntil;
  }

  /** The last verified state while it may be relied on. Whoever has waited asks again: what held before may be over. */
  get relied(): Snapshot | null {
    return !this.#closed && this.isFresh ? this.#snapshot : null;
  }

  /** The last verified state; loads it again when that is too long ago. */
  async fresh(): Promise<Snapshot> {
    if (this.#closed) throw closed();
    return this.relied ?? this.refresh();
  }

  /** Destroys master keys that were opened for a state that is over. */
  tidy(): void {
    const now = this.relied;
    this.vault.keepOnly((id) => now?.master(id)?.state === 'active');
  }

  /** Loads and verifies everything, beginning after this call. */
  refresh(): Promise<Snapshot> {
    if (this.#loading === null) {
      this.#loading = this.#reload().finally(() => {
        this.#loading = null;
      });
      return this.#loading;
    }
    // A load that has begun may have missed what the caller knows of.
    this.#nextLoad ??= this.#loading
      .catch(() => {})
      .then(() => {
        this.#nextLoad = null;
        return this.refresh();
      });
    return this.#nextLoad;
  }

  /** Looks whether there is another manifest than the one that is known, and loads it when there is. */
  async lookAgain(): Promise<Snapshot> {
    const known = await this.fresh();
    const store = await this.#reading(() => this.parts.store.readStore());
    return store !== null && sameManifest(store, known.store) ? known : this.refresh();
  }

  /**
   * One change of the hierarchy, alone in the store: everything is loaded and verified in the transaction, `work` drafts,
   * the change signs and writes.
   */
  async change<T>(work: (change: Change, now: Snapshot, writer: StoreWriter) => T | Promise<T>): Promise<T> {
    const { result, snapshot } = await this.transaction(async (writer) => {
      const change = new Change(await this.loadIn(writer));
      const result = await work(change, change.before!, writer);
      return { result, snapshot: await this.write(writer, change) };
    });
    try {
      await this.adopt(snapshot);
    } catch (error) {
      throw afterCommit(error);
    }
    return result;
  }

  /** A transaction; whoever writes a {@link Change} in it calls {@link Engine.adopt} after the commit. */
  transaction<T>(work: (writer: StoreWriter) => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(closed());
    return this.parts.store.transaction(work);
  }

  /** The whole store as it is inside a transaction, verified. */
  async loadIn(writer: StoreWriter): Promise<Snapshot> {
    const mark = await this.#loader.mark(writer);
    const snapshot = await this.#loader.load(writer, mark, this.#snapshot);
    if (snapshot === null) throw substituted(STORE_ROW, 'is missing');
    return snapshot;
  }

  /** The whole store as it is inside a transaction, verified, whatever this host remembers; null when it is empty. */
  loadUnremembered(writer: StoreWriter): Promise<Snapshot | null> {
    return this.#loader.load(writer, null, null);
  }

  write(writer: StoreWriter, change: Change): Promise<Snapshot> {
    return change.write(writer, { installation: this.parts.installation, vault: this.vault, who: this.parts.who });
  }

  /** Makes a verified state the known one, unless a later one is known. */
  async adopt(snapshot: Snapshot): Promise<void> {
    if (this.#closed) throw closed();
    const known = this.#snapshot;
    if (known !== null && known.store.sequence > snapshot.store.sequence) return;
    this.#snapshot = snapshot;
    this.#freshUntil = performance.now() + this.parts.ttlMilliseconds;
    clearTimeout(this.#expiry);
    this.#expiry = setTimeout(() => this.#forgetKeys(), this.parts.ttlMilliseconds).unref();
    this.vault.keepOnly((id) => snapshot.master(id)?.state === 'active');
    for (const listener of this.#listeners) listener(snapshot);
    await this.parts.highWater.advance(snapshot.store.storeId, markOf(snapshot));
  }

  /**
   * Remembers how far a row has come that was changed without a new manifest. Nobody waits for the file: the memory may lag
   * behind, and a file that cannot be written shows at the next load or change.
   */
  remember(snapshot: Snapshot, workingId: Uint8Array, row: RowMark): void {
    this.parts.highWater.advanceRow(snapshot.store.storeId, workingId, row).catch(() => {});
  }

  /** What this host has seen of the store at hand. */
  async seen(): Promise<{ sequence: number; hash: Uint8Array } | null> {
    const mark = await this.#loader.mark(this.parts.store);
    return mark === null
      ? null
      : { sequence: mark.auditSequence, hash: new Uint8Array(Buffer.from(mark.auditHash, 'hex')) };
  }

  /** Everything in the store, verified, without becoming the state that is relied on. Null when there is nothing. */
  async load(): Promise<Snapshot | null> {
    const mark = await this.#loader.mark(this.parts.store);
    return this.parts.store.snapshot((reader) => this.#loader.load(reader, mark, this.#snapshot));
  }

  /** Forgets all keys. The store is the owner's to close. */
  close(): void {
    this.#closed = true;
    this.#stopHearing?.();
    clearTimeout(this.#retry);
    this.#drop();
  }

  async #reload(): Promise<Snapshot> {
    if (this.#closed) throw closed();
    return this.#reading(async () => {
      const snapshot = await this.load();
      if (snapshot === null) throw substituted(STORE_ROW, 'is missing');
      await this.adopt(snapshot);
      // A change that was made meanwhile is known already, and was not in what was read.
      return this.#snapshot!;
    });
  }

  async #reading<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      // A store that cannot be reached says nothing against what is known of it.
      if (!isUnavailable(error)) this.#drop();
      throw error;
    }
  }

  async #firstStart(suite: Suite): Promise<void> {
    const { installation } = this.parts;
    const snapshot = await this.transaction(async (writer) => {
      // Another process may have been first.
      const mark = await this.#loader.mark(writer);
      const found = await this.#loader.load(writer, mark, null);
      if (found !== null) return found;
      const change = new Change({ storeId: newId(), createdAt: Date.now() });
      const master = await makeMaster(installation, this.vault, change.storeId, suite, change.at);
      change.putMaster(master);
      change.makeCurrent(master.id);
      change.record('store.create', {
        store: hex(change.storeId),
        installation: hex(installation.id),
        master: hex(master.id),
        suite: suite.text,
      });
      return this.write(writer, change);
    });
    await this.adopt(snapshot);
  }

  /** Nothing may be relied on: keys go, and the next use loads anew. The snapshot stays only to save work then. */
  #drop(): void {
    this.#freshUntil = 0;
    this.#forgetKeys();
  }

  #forgetKeys(): void {
    clearTimeout(this.#expiry);
    for (const listener of this.#listeners) listener(null);
    this.vault.clear();
  }

  #heard(): void {
    clearTimeout(this.#retry);
    this.lookAgain().catch((error: unknown) => {
      // What has changed is unknown as long as the store cannot be read: ask until it can, or until nothing is relied on.
      if (isUnavailable(error) && !this.#closed && this.isFresh) {
        this.#retry = setTimeout(() => this.#heard(), RETRY_MILLISECONDS).unref();
      }
    });
  }
}

function isUnavailable(error: unknown): boolean {
  return hasCode(error, 'ERR_STORE_UNAVAILABLE');
}

/** So that nobody repeats what was done. */
function afterCommit(error: unknown): unknown {
  if (!(error instanceof CallsealError) || error.code !== 'ERR_IO') return error;
  return new CallsealError('ERR_IO', `the change was made, but ${error.message}`, { ...error, cause: error });
}

function closed(): CallsealError {
  return new CallsealError('ERR_KEY_USE', 'the key hierarchy is closed');
}

function nothingThere(store: KeyStore): CallsealError {
  return new CallsealError(
    'ERR_KEY_UNKNOWN',
    `${store.description} holds no key hierarchy, and \`create: false\` forbids to begin one`,
  );
}
