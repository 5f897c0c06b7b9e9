/**
 * Working keys at hand, as native handles: found without waiting for every record, opened when they are not there, and
 * destroyed as soon as the engine says that they may not be used.
 */

import { CallsealError } from '../errors.ts';
import { hex } from '../hex.ts';
import type { NativeWorkingKey } from '../native/keys-binding.ts';
import { blocksOf, costOf, type Load } from './budget.ts';
import type { Engine } from './engine.ts';
import { masterDisabled, removedKey, unknownKey } from './faults.ts';
import { sameBytes } from './ids.ts';
import { encodeHeader, parseHeader, WORKING_AT } from './record.ts';
import { type Reservation, reserve } from './reservations.ts';
import type { Snapshot } from './snapshot.ts';
import type { WorkingRow } from './stores/store.ts';
import { type Suite, suiteOfByte } from './suites.ts';
import { workingRowBytes } from './working-row.ts';

/** What this process may still encrypt with a key. Outlives the handle, as it was paid for in the store. */
interface Allotment {
  readonly id: string;
  left: number;
}

export class OpenKey {
  readonly id: string;
  readonly area: string;
  readonly suite: Suite;
  /** Of every record that it protects. */
  readonly header: Uint8Array;
  readonly handle: NativeWorkingKey;
  /** Records that it may serve before it is opened anew. */
  usesLeft: number;
  /** Null for a key that only decrypts. */
  allotment: Allotment | null = null;
  /** False once the handle is destroyed. */
  alive = true;

  constructor(row: WorkingRow, handle: NativeWorkingKey, uses: number) {
    this.id = hex(row.id);
    this.area = row.area;
    this.suite = suiteOfByte(row.suite);
    this.header = encodeHeader(this.suite, row.masterId, row.id, row.area);
    this.handle = handle;
    this.usesLeft = uses;
  }

  /** Takes one record's cost from what is reserved; false when there is not enough. */
  take(length: number): boolean {
    return this.#take(this.suite.working === 'aes' ? 1 : blocksOf(length), 1);
  }

  takeLoad(load: Load): boolean {
    return this.#take(costOf(this.suite, load), load.messages);
  }

  /** Whether a record begins with this key's header. */
  matches(record: Uint8Array): boolean {
    const { header } = this;
    if (record.length < header.length) return false;
    for (let index = 0; index < header.length; index += 1) {
      if (record[index] !== header[index]) return false;
    }
    return true;
  }

  destroy(): void {
    this.alive = false;
    this.handle.destroy();
  }

  #take(cost: number, records: number): boolean {
    const { allotment } = this;
    if (!this.alive || this.usesLeft <= 0 || allotment === null || allotment.left < cost) return false;
    allotment.left -= cost;
    this.usesLeft -= records;
    return true;
  }
}

export class OpenKeys {
  readonly #engine: Engine;
  readonly #maxUses: number;
  readonly #byId = new Map<string, OpenKey>();
  /** By the first four bytes of the id: enough to find, the whole header is compared. */
  readonly #byTag = new Map<number, OpenKey>();
  readonly #byArea = new Map<string, OpenKey>();
  readonly #allotments = new Map<string, Allotment>();
  readonly #reserving = new Map<string, Promise<Reservation>>();

  constructor(engine: Engine, maxUses: number) {
    this.#engine = engine;
    this.#maxUses = maxUses;
    engine.listen((snapshot) => this.#keepWhatHolds(snapshot));
  }

  /** The key that encrypts for an area, when it is at hand. */
  encrypting(area: string): OpenKey | undefined {
    return this.#engine.isFresh ? this.#byArea.get(area) : undefined;
  }

  /** The key of a record, when it is at hand and may serve one more. */
  decrypting(record: Uint8Array): OpenKey | undefined {
    const key = this.#byTag.get(tagOf(record, WORKING_AT));
    if (key === undefined || key.usesLeft <= 0 || !this.#engine.isFresh || !key.matches(record)) return undefined;
    return key;
  }

  /**
   * The key that encrypts for an area, with enough reserved for `load`. Take it at once: others may take it, too.
   *
   * @throws {CallsealError} as {@link reserve}
   */
  async forEncryption(area: string, load: Load): Promise<OpenKey> {
    for (;;) {
      const snapshot = await this.#engine.fresh();
      if (snapshot.current.state !== 'active') throw masterDisabled(snapshot.current.id);
      const row = snapshot.encryptsFor(area);
      const allotment = this.#allotments.get(area);
      if (
        row === undefined ||
        allotment === undefined ||
        allotment.id !== hex(row.id) ||
        allotment.left < costOf(suiteOfByte(row.suite), load)
      ) {
        await this.#reserve(area, load);
        continue;
      }
      const key = await this.#open(snapshot, row);
      if (!key?.alive || this.#allotments.get(area) !== allotment) continue;
      // It may have retired meanwhile, and would encrypt on unnoticed.
      if (hex(this.#engine.relied?.encryptsFor(area)?.id ?? NONE) !== key.id) continue;
      key.allotment = allotment;
      this.#byArea.set(area, key);
      return key;
    }
  }

  /**
   * The key of a record.
   *
   * @throws {CallsealError} `ERR_NOT_CALLSEAL`, `ERR_UNSUPPORTED_VERSION`, `ERR_TRUNCATED`, `ERR_TAMPERED`, `ERR_KEY_UNKNOWN`,
   * `ERR_KEY_DISABLED`, `ERR_KEY_SUBSTITUTED`, `ERR_STORE_UNAVAILABLE`
   */
  async forRecord(record: Uint8Array): Promise<OpenKey> {
    const header = parseHeader(record);
    const id = hex(header.workingId);
    for (;;) {
      let snapshot = await this.#engine.fresh();
      // A key that is not known may be another process's newest.
      if (snapshot.workingKey(id) === undefined) snapshot = await this.#engine.lookAgain();
      const row = snapshot.workingKey(id);
      if (row === undefined) throw unknownKey('working key', id);
      if (row.area !== header.area || row.suite !== header.suite.byte || !sameBytes(row.masterId, header.masterId)) {
        throw new CallsealError(
          'ERR_TAMPERED',
          `the protected record was altered: its header does not fit working key ${id}`,
        );
      }
      if (row.state === 'removed') throw removedKey('working key', id);
      const master = snapshot.masterOf(row);
      if (master.state !== 'active') throw masterDisabled(master.id);
      const key = await this.#open(snapshot, row);
      if (key?.alive) return key;
    }
  }

  /** Null when the key may not be used any more by the time that its master key is open, which takes a while. */
  #open(snapshot: Snapshot, row: WorkingRow): Promise<OpenKey | null> | OpenKey {
    const id = hex(row.id);
    const open = this.#byId.get(id);
    if (open !== undefined && open.usesLeft > 0) return open;
    const suite = suiteOfByte(row.suite);
    const bytes = workingRowBytes(snapshot.store.storeId, row);
    return this.#engine.vault.with(snapshot.store.storeId, snapshot.masterOf(row), (master) => {
      const meanwhile = this.#byId.get(id);
      if (meanwhile !== undefined && meanwhile.usesLeft > 0) return meanwhile;
      if (meanwhile !== undefined) this.#close(meanwhile);
      if (!mayServe(this.#engine.relied, id)) {
        this.#engine.tidy();
        return null;
      }
      const handle = master.openWorkingKey(suite.working, suite.hash, bytes, row.mac, row.wrapped);
      const key = new OpenKey(row, handle, this.#maxUses);
      this.#byId.set(id, key);
      this.#byTag.set(tagOf(row.id, 0), key);
      return key;
    });
  }

  /** Once at a time for an area: whoever waits looks again, and there may be enough. */
  async #reserve(area: string, load: Load): Promise<void> {
    const running = this.#reserving.get(area);
    if (running !== undefined) {
      await running.catch(() => {}); // its error is for whoever asked; this caller asks again
      return;
    }
    const reserving = reserve(this.#engine, area, load);
    this.#reserving.set(area, reserving);
    try {
      const { workingId, granted } = await reserving;
      const id = hex(workingId);
      const allotment = this.#allotments.get(area);
      if (allotment?.id === id) allotment.left += granted;
      else this.#allotments.set(area, { id, left: granted });
    } finally {
      this.#reserving.delete(area);
    }
  }

  #keepWhatHolds(snapshot: Snapshot | null): void {
    for (const key of [...this.#byId.values()]) {
      if (!mayServe(snapshot, key.id)) {
        this.#close(key);
      } else if (this.#byArea.get(key.area) === key && hex(snapshot?.encryptsFor(key.area)?.id ?? NONE) !== key.id) {
        this.#byArea.delete(key.area);
      }
    }
  }

  #close(key: OpenKey): void {
    key.destroy();
    this.#byId.delete(key.id);
    if (this.#byArea.get(key.area) === key) this.#byArea.delete(key.area);
    for (const [tag, open] of this.#byTag) if (open === key) this.#byTag.delete(tag);
  }
}

const NONE = new Uint8Array(0);

/** Whether records of a working key may be decrypted by what a state says. */
function mayServe(snapshot: Snapshot | null, id: string): boolean {
  const row = snapshot?.workingKey(id);
  return row !== undefined && row.state !== 'removed' && snapshot?.masterOf(row).state === 'active';
}

function tagOf(bytes: Uint8Array, offset: number): number {
  return (bytes[offset]! << 24) | (bytes[offset + 1]! << 16) | (bytes[offset + 2]! << 8) | bytes[offset + 3]!;
}
