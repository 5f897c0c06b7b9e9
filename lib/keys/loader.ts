/**
 * Reads a whole store and believes nothing of it: every signature, every MAC, the order of versions and the end of the
 * audit log are verified each time.
 */

import { CallsealError } from '../errors.ts';
import { hex } from '../hex.ts';
import { isArea } from './area.ts';
import { readTail, verifyTail } from './audit.ts';
import { blameManifest } from './diagnosis.ts';
import { auditName, behind, masterName, STORE_ROW, substituted, workingName } from './faults.ts';
import type { HighWater, Mark } from './high-water.ts';
import { sameBytes } from './ids.ts';
import type { InstallationKey } from './installation-key.ts';
import { manifestFits } from './manifest.ts';
import { masterSignatureFits } from './master-record.ts';
import { Snapshot } from './snapshot.ts';
import type { AuditRow, MasterRow, StoreReader, StoreRow, WorkingRow } from './stores/store.ts';
import { isSuiteByte } from './suites.ts';
import type { MasterVault } from './vault.ts';
import { sameWorkingRow, workingRowBytes } from './working-row.ts';

interface Rows {
  readonly store: StoreRow;
  readonly masters: readonly MasterRow[];
  readonly working: readonly WorkingRow[];
  readonly tail: readonly AuditRow[];
  /** The entry that this host saw last, as it is now. */
  readonly remembered: AuditRow | null;
}

export class Loader {
  readonly #installation: InstallationKey;
  readonly #vault: MasterVault;
  readonly #highWater: HighWater;

  constructor(installation: InstallationKey, vault: MasterVault, highWater: HighWater) {
    this.#installation = installation;
    this.#vault = vault;
    this.#highWater = highWater;
  }

  /**
   * Everything in the store, verified; null for a store that never held anything.
   *
   * @param reader Sees one state: of a snapshot or a transaction.
   * @param mark What this host had seen before `reader` was made; see {@link mark}.
   * @param before Rows that are the same as in it need no MAC checked again.
   */
  async load(reader: StoreReader, mark: Mark | null, before: Snapshot | null): Promise<Snapshot | null> {
    const store = await reader.readStore();
    if (store === null) {
      await requireEmpty(reader);
      return null;
    }
    const rows = await readRows(reader, store, mark);
    const snapshot = new Snapshot(store, rows.masters, rows.working);
    await this.#verifyManifest(reader, snapshot);
    await this.#verifyMasters(snapshot);
    verifyShape(snapshot);
    await this.#verifyWorking(snapshot, before);
    verifyTail(store, rows.tail);
    if (mark !== null) compareWithMark(snapshot, mark, rows.remembered);
    return snapshot;
  }

  /**
   * What this host has seen of the store at this place.
   *
   * @throws {CallsealError} `ERR_KEY_SUBSTITUTED` when there is another store now, or none.
   */
  async mark(reader: StoreReader): Promise<Mark | null> {
    const known = await this.#highWater.storeAtPlace();
    const found = await reader.readStore();
    if (known !== null && (found === null || hex(found.storeId) !== known)) {
      throw behind(
        STORE_ROW,
        `is ${found === null ? 'missing' : 'of another store'}: this host has seen store ${known} here`,
      );
    }
    return found === null ? null : this.#highWater.read(found.storeId);
  }

  async #verifyManifest(reader: StoreReader, snapshot: Snapshot): Promise<void> {
    const { store, masters, working } = snapshot;
    const { key, id } = this.#installation;
    const unreadable = masters.find((row) => !isSuiteByte(row.suite));
    if (unreadable !== undefined)
      throw substituted(masterName(unreadable.id), `has the unknown suite ${unreadable.suite}`);
    const ours = sameBytes(store.installationId, id);
    if (await manifestFits(key, { ...store, installationId: id }, masters, working)) {
      if (!ours)
        throw substituted(STORE_ROW, 'was altered: it names another installation key than the one that signed it');
      return;
    }
    if (!ours) throw wrongInstallation(store.installationId, id);
    throw await blameManifest(reader, snapshot, key);
  }

  async #verifyMasters(snapshot: Snapshot): Promise<void> {
    const { key } = this.#installation;
    for (const row of snapshot.masters) {
      if (!(await masterSignatureFits(key, snapshot.store.storeId, row))) {
        throw substituted(masterName(row.id), 'was altered: its signature does not fit');
      }
    }
  }

  async #verifyWorking(snapshot: Snapshot, before: Snapshot | null): Promise<void> {
    const { storeId } = snapshot.store;
    for (const row of snapshot.working) {
      const known = before?.workingKey(hex(row.id));
      if (known !== undefined && sameWorkingRow(known, row)) continue;
      const master = snapshot.masterOf(row);
      // The key of its MAC is gone with its master key. Such a row never changes; the manifest holds all of it.
      if (master.state === 'removed') continue;
      const bytes = workingRowBytes(storeId, row);
      if (!(await this.#vault.with(storeId, master, (opened) => opened.verifyRow(bytes, row.mac)))) {
        throw substituted(workingName(row), 'was altered: its MAC does not fit');
      }
    }
  }
}

async function readRows(reader: StoreReader, store: StoreRow, mark: Mark | null): Promise<Rows> {
  return {
    store,
    masters: await reader.readMasters(),
    working: await reader.readWorking(),
    tail: await readTail(reader, store),
    remembered: mark === null ? null : ((await reader.readAudit(mark.auditSequence - 1, 1))[0] ?? null),
  };
}

/** A store without its own row must have nothing: a first start must not begin over somebody's keys. */
async function requireEmpty(reader: StoreReader): Promise<void> {
  const [masters, working, audit] = [
    await reader.readMasters(),
    await reader.readWorking(),
    await reader.readLastAudit(),
  ];
  if (masters.length > 0 || working.length > 0 || audit !== null) {
    throw substituted(STORE_ROW, 'is missing, though there are keys or audit entries');
  }
}

/** What must hold between the rows, whoever signed them. */
function verifyShape(snapshot: Snapshot): void {
  const current = snapshot.master(hex(snapshot.store.currentMasterId));
  if (current === undefined || current.state === 'removed') {
    throw substituted(STORE_ROW, 'names a current master key that does not exist');
  }
  let previous: WorkingRow | undefined;
  for (const row of snapshot.working) {
    const name = workingName(row);
    if (!isArea(row.area)) throw substituted(name, 'has an impossible area');
    const master = snapshot.master(hex(row.masterId));
    if (master === undefined) throw substituted(name, 'belongs to a master key that does not exist');
    if (master.suite !== row.suite) throw substituted(name, "has another suite than its master key's");
    if (master.state === 'removed' && row.state !== 'removed') throw substituted(name, 'outlives its master key');
    if ((row.wrapped.length === 0) !== (row.state === 'removed'))
      throw substituted(name, 'has a state that does not fit its key');
    const expected = previous?.area === row.area ? previous.version + 1 : 1;
    if (row.version !== expected)
      throw substituted(name, `is not version ${expected}: a version is missing or doubled`);
    if (previous?.area === row.area && previous.state === 'active') {
      throw substituted(workingName(previous), 'is active, though there is a newer version');
    }
    previous = row;
  }
}

function compareWithMark(snapshot: Snapshot, mark: Mark, remembered: AuditRow | null): void {
  const { store } = snapshot;
  if (store.sequence < mark.sequence) {
    throw behind(
      STORE_ROW,
      `is older (manifest ${store.sequence}) than what this host has seen (manifest ${mark.sequence})`,
    );
  }
  if (remembered?.sequence !== mark.auditSequence || hex(remembered.hash) !== mark.auditHash) {
    throw behind(auditName(mark.auditSequence), 'is another than this host has seen');
  }
  for (const row of snapshot.working) {
    const seen = mark.working[hex(row.id)];
    if (seen !== undefined && (row.sequence < seen.sequence || row.reserved < seen.reserved)) {
      throw behind(
        workingName(row),
        `is older (sequence ${row.sequence}) than what this host has seen (sequence ${seen.sequence}): its budget would be used twice`,
      );
    }
  }
}

function wrongInstallation(found: Uint8Array, ours: Uint8Array): CallsealError {
  return new CallsealError(
    'ERR_WRONG_INSTALLATION',
    `the key store belongs to installation key ${hex(found)}, not to ${hex(ours)}; use that key, or another store: ` +
      'nothing is created over existing keys',
  );
}
