/** The verified content of a store at one moment. Nothing in it changes; another load makes another one. */

import { hex } from '../hex.ts';
import { sameBytes } from './ids.ts';
import type { MasterRow, StoreRow, WorkingRow } from './stores/store.ts';
import { byAreaAndVersion } from './working-row.ts';

export class Snapshot {
  readonly store: StoreRow;
  /** Ascending by id. */
  readonly masters: readonly MasterRow[];
  /** Ascending by area and version. */
  readonly working: readonly WorkingRow[];
  readonly #masters: ReadonlyMap<string, MasterRow>;
  readonly #working: ReadonlyMap<string, WorkingRow>;
  readonly #active: ReadonlyMap<string, WorkingRow>;

  constructor(store: StoreRow, masters: readonly MasterRow[], working: readonly WorkingRow[]) {
    this.store = store;
    this.masters = [...masters].sort((a, b) => Buffer.compare(a.id, b.id));
    this.working = [...working].sort(byAreaAndVersion);
    this.#masters = new Map(masters.map((row) => [hex(row.id), row]));
    this.#working = new Map(working.map((row) => [hex(row.id), row]));
    this.#active = new Map(working.filter((row) => row.state === 'active').map((row) => [row.area, row]));
  }

  master(id: string): MasterRow | undefined {
    return this.#masters.get(id);
  }

  /** The master key under which a working key is. */
  masterOf(row: WorkingRow): MasterRow {
    return this.#masters.get(hex(row.masterId))!;
  }

  /** The master key under which new working keys are made; it may be disabled. */
  get current(): MasterRow {
    return this.#masters.get(hex(this.store.currentMasterId))!;
  }

  isCurrent(row: MasterRow): boolean {
    return sameBytes(row.id, this.store.currentMasterId);
  }

  workingKey(id: string): WorkingRow | undefined {
    return this.#working.get(id);
  }

  /** The newest version of an area's key, unless that is retired or removed. */
  activeOf(area: string): WorkingRow | undefined {
    return this.#active.get(area);
  }

  /** The active key of an area when it is also under the current master key: the one that encrypts. */
  encryptsFor(area: string): WorkingRow | undefined {
    const row = this.#active.get(area);
    return row !== undefined && sameBytes(row.masterId, this.store.currentMasterId) ? row : undefined;
  }

  /** All versions of an area's key, ascending. */
  versionsOf(area: string): WorkingRow[] {
    return this.working.filter((row) => row.area === area);
  }

  /** The working keys under a master key that are not removed. */
  dependants(master: MasterRow): WorkingRow[] {
    return this.working.filter((row) => row.state !== 'removed' && sameBytes(row.masterId, master.id));
  }
}
