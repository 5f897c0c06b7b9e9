/** The key hierarchy of a service: the public face of everything in this folder. */

import { throwIfAborted } from '../abort.ts';
import { CallsealError } from '../errors.ts';
import { type AuditEntry, entryOf, readEntries, verifyChain } from './audit.ts';
import { Batches, type PlainItem, type SealedItem } from './batches.ts';
import { Engine } from './engine.ts';
import type { Entity } from './entity.ts';
import { defaultStateDirectory, HighWater } from './high-water.ts';
import { sameBytes } from './ids.ts';
import { openInstallation } from './installation/open.ts';
import type { InstallationSource } from './installation/types.ts';
import type { InstallationKey } from './installation-key.ts';
import { MasterKeys } from './masters.ts';
import { OpenKeys } from './open-keys.ts';
import { type CacheOptions, cacheLimits, who } from './options.ts';
import { type Overview, overviewOf } from './overview.ts';
import { Records } from './records.ts';
import { Reencryptions } from './reencryption-log.ts';
import { acceptRestore, type RestoreAccepted } from './restore.ts';
import type { Snapshot } from './snapshot.ts';
import { openStore } from './stores/open-store.ts';
import type { KeyStore } from './stores/store.ts';
import { DEFAULT_SUITE, parseSuite } from './suites.ts';
import { MasterVault } from './vault.ts';
import { WorkingKeys } from './working.ts';

/** How a hierarchy is opened. */
export interface KeyHierarchyOptions {
  /** `sqlite:PATH`, `postgres://…`, or an open store, which stays the caller's to close. */
  readonly store: string | KeyStore;
  /** Where the installation key is, or an open one, which stays the caller's to destroy, after `close()`. */
  readonly installation: InstallationSource | InstallationKey;
  /** Of the first master key, when there is none yet. Default `aes/aes/sha256`. */
  readonly suite?: string | undefined;
  /** Who changes things, for the audit log. Default: the operating system's user. */
  readonly actor?: string | undefined;
  /**
   * Where this host remembers what it has seen of the store, so that an earlier copy is noticed. Default: `/var/lib/callseal`
   * for root, else `$XDG_STATE_HOME/callseal` or `~/.local/state/callseal`. Null: nowhere; earlier copies go unnoticed.
   */
  readonly stateDirectory?: string | null | undefined;
  readonly cache?: CacheOptions | undefined;
  /** Whether an empty store gets its tables and its first master key. Default true. */
  readonly create?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Options of {@link AuditLog.verify}. */
export interface AuditVerifyOptions {
  /** Cancels it (`ERR_ABORTED`). */
  readonly signal?: AbortSignal | undefined;
}

/** Options of {@link AuditLog.list}. */
export interface AuditListOptions extends AuditVerifyOptions {
  /** Only entries behind this sequence. Default 0: all. */
  readonly after?: number | undefined;
}

/** The audit log. */
export interface AuditLog {
  /** Entries, oldest first. Nothing is verified. */
  list(options?: AuditListOptions): AsyncIterable<AuditEntry>;
  /**
   * Proves that the log is whole: every entry follows from the one before, the last is the one that the signed manifest
   * names, and this host has seen no other.
   *
   * @throws {CallsealError} `ERR_KEY_SUBSTITUTED`; names the entry. `ERR_ABORTED`.
   */
  verify(options?: AuditVerifyOptions): Promise<{ readonly entries: number }>;
}

/**
 * Protects records under working keys, which are kept in a store under master keys, which are kept under the installation
 * key; every level is encrypted and signed or authenticated, every record bound to the entity that it belongs to.
 *
 * All methods that wait may reject with `ERR_STORE_UNAVAILABLE` (the store cannot be reached, and what was read of it is older
 * than the cache's TTL), `ERR_KEY_SUBSTITUTED` (a row is not what was written; the message names it) and `ERR_KEY_USE` (after
 * {@link close}). The store is read again by itself when it can be reached again. `docs/keys.md` describes bytes, states and what is detected.
 *
 * @example
 * await using keys = await KeyHierarchy.open({ store: 'sqlite:/var/lib/voice/keys.db', installation });
 * const entity = { tenant: 'acme', type: 'claimant', id: 'c-41', field: 'template' };
 * const sealed = await keys.protect('models', entity, template);
 * const bytes = await keys.unprotect('models', entity, sealed);
 */
export class KeyHierarchy {
  /** Level 2. */
  readonly masters: MasterKeys;
  /** Level 3. */
  readonly working: WorkingKeys;
  readonly audit: AuditLog;
  /** For jobs that re-encrypt tables: where they are, and what they left. */
  readonly reencryptions: Reencryptions;
  readonly #engine: Engine;
  readonly #records: Records;
  readonly #batches: Batches;
  readonly #stateDirectory: string | null;
  readonly #release: () => Promise<void>;

  private constructor(engine: Engine, maxUses: number, stateDirectory: string | null, release: () => Promise<void>) {
    const keys = new OpenKeys(engine, maxUses);
    this.#engine = engine;
    this.#records = new Records(engine, keys);
    this.#batches = new Batches(keys);
    this.#stateDirectory = stateDirectory;
    this.#release = release;
    this.masters = new MasterKeys(engine);
    this.working = new WorkingKeys(engine);
    this.reencryptions = new Reencryptions(engine);
    this.audit = auditLog(engine);
  }

  /**
   * Opens the hierarchy of a store, and verifies all of it. An empty store gets its first master key, also when several
   * processes open it at once; a store that holds anything is never begun anew.
   *
   * @throws {CallsealError} `ERR_WRONG_INSTALLATION`, `ERR_KEY_SUBSTITUTED`, `ERR_KEY_UNKNOWN` (nothing there, and `create` is false),
   * `ERR_NOT_APPROVED` (the module refuses a step of the suite), `ERR_STORE_UNAVAILABLE`, `ERR_UNSUPPORTED_VERSION`, `ERR_IO`,
   * `ERR_INVALID_ARGUMENT`, `ERR_ABORTED`.
   */
  static async open(options: KeyHierarchyOptions): Promise<KeyHierarchy> {
    const { create = true, signal } = options;
    const suite = options.suite === undefined ? DEFAULT_SUITE : parseSuite(options.suite);
    const { maxUses } = cacheLimits(options.cache);
    const opened = await prepare(options, create);
    const { engine, stateDirectory, release } = opened;
    const hierarchy = new KeyHierarchy(engine, maxUses, stateDirectory, release);
    try {
      throwIfAborted(signal);
      await engine.start(create ? suite : null);
      throwIfAborted(signal);
      return hierarchy;
    } catch (error) {
      await hierarchy.close();
      throw error;
    }
  }

  /**
   * Accepts a store that is older than what this host has seen, or another than was here: after an administrator restored
   * a backup on purpose. Every area goes on with a new working key, as counters may have gone back. Audited; to be done
   * on each host that remembers more.
   *
   * @throws {CallsealError} as {@link open}, but for what the host remembers.
   */
  static async acceptRestore(options: KeyHierarchyOptions): Promise<RestoreAccepted> {
    const { engine, highWater, release } = await prepare(options, false);
    try {
      return await acceptRestore(engine, highWater);
    } finally {
      engine.close();
      await release();
    }
  }

  /**
   * Encrypts bytes for an entity. When the key is at hand it is done when this returns; `bytes` is not kept.
   *
   * @param area Names the set of working keys, such as `models`; made on demand.
   * @returns The protected record: the bytes, and 100 to 200 more.
   * @throws {CallsealError} `ERR_INVALID_ARGUMENT`, `ERR_KEY_DISABLED`, `ERR_USAGE_LIMIT` (more than 8 MiB under 3DES), `ERR_NOT_APPROVED`.
   */
  protect(area: string, entity: Entity, bytes: Uint8Array): Promise<Uint8Array> {
    return this.#records.protect(area, entity, bytes);
  }

  /**
   * Decrypts a protected record for the entity that it belongs to.
   *
   * @throws {CallsealError} `ERR_ENTITY_MISMATCH` (whole, but another entity's), `ERR_TAMPERED`, `ERR_TRUNCATED`, `ERR_NOT_CALLSEAL`,
   * `ERR_UNSUPPORTED_VERSION`, `ERR_KEY_DISABLED`, `ERR_KEY_UNKNOWN`, `ERR_INVALID_ARGUMENT`.
   */
  unprotect(area: string, entity: Entity, sealed: Uint8Array): Promise<Uint8Array> {
    return this.#records.unprotect(area, entity, sealed);
  }

  /**
   * The record, bound to another entity of the same area; verified for `from` first. Nothing is encrypted anew.
   *
   * @throws {CallsealError} as {@link unprotect}
   */
  rebind(area: string, from: Entity, to: Entity, sealed: Uint8Array): Promise<Uint8Array> {
    return this.#records.rebind(area, from, to, sealed);
  }

  /**
   * The record, decrypted and encrypted with the area's newest key; the plaintext stays in native memory.
   *
   * @throws {CallsealError} as {@link unprotect} and {@link protect}
   */
  reencrypt(area: string, entity: Entity, sealed: Uint8Array): Promise<Uint8Array> {
    return this.#records.reencrypt(area, entity, sealed);
  }

  /**
   * Whether the record is under its area's newest key, so that {@link reencrypt} would change nothing. Looks at the header
   * only; proves nothing.
   *
   * @throws {CallsealError} `ERR_NOT_CALLSEAL`, `ERR_UNSUPPORTED_VERSION`, `ERR_TRUNCATED`, `ERR_TAMPERED`.
   */
  isCurrent(sealed: Uint8Array): Promise<boolean> {
    return this.#records.isCurrent(sealed);
  }

  /**
   * {@link protect} of many; results in the order of `items`. They may be views of one buffer: copy a record that is kept
   * for long by itself.
   */
  protectMany(area: string, items: readonly PlainItem[]): Promise<Uint8Array[]> {
    return this.#batches.protectMany(area, items);
  }

  /** {@link unprotect} of many; the error of the first bad one names its index, and nothing is returned. Views as in {@link protectMany}. */
  unprotectMany(area: string, items: readonly SealedItem[]): Promise<Uint8Array[]> {
    return this.#batches.unprotectMany(area, items);
  }

  /** Everything at a glance, read and verified now. */
  overview(): Promise<Overview> {
    return overviewOf(this.#engine, this.#stateDirectory);
  }

  /**
   * Proves that a backup of the installation key opens every master key that is not removed. Changes nothing.
   *
   * @returns How many master keys it opened.
   * @throws {CallsealError} `ERR_WRONG_INSTALLATION`, `ERR_KEY_SUBSTITUTED`.
   */
  async verifyBackup(backup: InstallationSource | InstallationKey): Promise<{ readonly masters: number }> {
    const snapshot = await this.#engine.refresh();
    const installation = await openKey(backup);
    try {
      return { masters: await openAllMasters(snapshot, installation) };
    } finally {
      if (installation !== backup) installation.destroy();
    }
  }

  /** Cleanses all keys in memory and gives up the store. The hierarchy cannot be used afterwards. */
  async close(): Promise<void> {
    this.#engine.close();
    await this.#release();
  }

  /** For `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

async function prepare(options: KeyHierarchyOptions, create: boolean) {
  throwIfAborted(options.signal);
  const { ttlMilliseconds } = cacheLimits(options.cache);
  const { stateDirectory = defaultStateDirectory() } = options;
  const installation = await openKey(options.installation);
  try {
    const store = typeof options.store === 'string' ? await openStore(options.store, { create }) : options.store;
    const highWater = new HighWater(stateDirectory, store.description);
    const engine = new Engine({ store, installation, highWater, who: who(options.actor), ttlMilliseconds });
    const release = async () => {
      // First the store: what still runs in it may want to sign.
      if (store !== options.store) await store.close();
      await highWater.settled();
      if (installation !== options.installation) installation.destroy();
    };
    return { engine, highWater, stateDirectory, release };
  } catch (error) {
    if (installation !== options.installation) installation.destroy();
    throw error;
  }
}

async function openAllMasters(snapshot: Snapshot, installation: InstallationKey): Promise<number> {
  if (!sameBytes(installation.id, snapshot.store.installationId)) {
    throw new CallsealError(
      'ERR_WRONG_INSTALLATION',
      'the backup holds another installation key than the one of this store',
    );
  }
  const vault = new MasterVault(installation);
  const masters = snapshot.masters.filter((row) => row.state !== 'removed');
  try {
    for (const row of masters) await vault.with(snapshot.store.storeId, row, () => {});
  } finally {
    vault.clear();
  }
  return masters.length;
}

async function openKey(installation: InstallationSource | InstallationKey): Promise<InstallationKey> {
  return 'destroy' in installation ? installation : openInstallation(installation);
}

function auditLog(engine: Engine): AuditLog {
  return {
    async *list(options = {}) {
      const { after = 0, signal } = options;
      for await (const row of readEntries(engine.parts.store, after, signal)) yield entryOf(row);
    },
    async verify({ signal } = {}) {
      await engine.refresh();
      const entries = await verifyChain(engine.parts.store, await engine.seen(), signal);
      return { entries };
    },
  };
}
