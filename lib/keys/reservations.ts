/** Reserves a working key's budget in the store, and makes a new version when there is none, or too little left. */

import { hex } from '../hex.ts';
import { grant, type Load } from './budget.ts';
import { Change } from './change.ts';
import type { Engine } from './engine.ts';
import { behind, masterDisabled, STORE_ROW, substituted, workingName } from './faults.ts';
import type { RowMark } from './high-water.ts';
import { sameManifest } from './manifest.ts';
import type { Snapshot } from './snapshot.ts';
import type { StoreWriter, WorkingRow } from './stores/store.ts';
import { suiteOfByte } from './suites.ts';
import { draftVersion, type VersionReason, versionDetails } from './versions.ts';
import { sameWorkingRow, workingRowBytes } from './working-row.ts';

/** A share of a key's budget that belongs to this process. */
export interface Reservation {
  readonly workingId: Uint8Array;
  readonly granted: number;
}

interface Outcome extends Reservation {
  readonly snapshot: Snapshot;
  /** Of a reservation without a new manifest. */
  readonly mark: RowMark | null;
}

/**
 * Reserves at least what `load` needs on the key that encrypts for `area`. Other processes reserve for themselves; what a
 * killed one had left is lost, never used twice.
 *
 * @throws {CallsealError} `ERR_KEY_DISABLED`, `ERR_USAGE_LIMIT`, `ERR_KEY_SUBSTITUTED`, `ERR_NOT_APPROVED`, `ERR_STORE_UNAVAILABLE`
 */
export async function reserve(engine: Engine, area: string, load: Load): Promise<Reservation> {
  const known = await engine.fresh();
  const outcome = await engine.transaction(async (writer): Promise<Outcome> => {
    const store = await writer.readStore();
    if (store === null) throw substituted(STORE_ROW, 'is missing');
    const now = sameManifest(store, known.store) ? known : await engine.loadIn(writer);
    if (now.current.state !== 'active') throw masterDisabled(now.current.id);
    const row = now.encryptsFor(area);
    return (row && (await reserveOn(engine, writer, now, row, load))) ?? makeVersion(engine, writer, area, load);
  });
  if (outcome.snapshot !== known) await engine.adopt(outcome.snapshot);
  if (outcome.mark !== null) engine.remember(outcome.snapshot, outcome.workingId, outcome.mark);
  return outcome;
}

/** Null when the key has not enough left. */
async function reserveOn(
  engine: Engine,
  writer: StoreWriter,
  now: Snapshot,
  known: WorkingRow,
  load: Load,
): Promise<Outcome | null> {
  const row = await readAgain(engine, writer, now, known);
  const granted = grant(suiteOfByte(row.suite), row.reserved, load);
  if (granted === null) return null;
  const { storeId } = now.store;
  const changed = { ...row, sequence: row.sequence + 1, reserved: row.reserved + granted };
  const bytes = workingRowBytes(storeId, changed);
  const mac = await engine.vault.with(storeId, now.masterOf(row), (opened) => opened.macRow(bytes));
  await writer.writeWorking({ ...changed, mac });
  const mark = { sequence: changed.sequence, reserved: changed.reserved };
  return { workingId: row.id, granted, snapshot: now, mark };
}

/** The row as it is now; verified, as other processes' reservations may have changed it. */
async function readAgain(engine: Engine, writer: StoreWriter, now: Snapshot, known: WorkingRow): Promise<WorkingRow> {
  const { storeId } = now.store;
  const row = await writer.readWorkingById(known.id);
  if (row === null) throw substituted(workingName(known), 'was deleted');
  const { sequence, reserved, mac } = row;
  if (!sameWorkingRow({ ...known, sequence, reserved, mac }, row)) throw substituted(workingName(known), 'was altered');
  const bytes = workingRowBytes(storeId, row);
  if (!(await engine.vault.with(storeId, now.masterOf(row), (opened) => opened.verifyRow(bytes, mac)))) {
    throw substituted(workingName(row), 'was altered: its MAC does not fit');
  }
  const seen = (await engine.parts.highWater.read(storeId))?.working[hex(row.id)];
  if (seen !== undefined && (sequence < seen.sequence || reserved < seen.reserved)) {
    throw behind(workingName(row), 'is older than what this host has seen: its budget would be used twice');
  }
  return row;
}

async function makeVersion(engine: Engine, writer: StoreWriter, area: string, load: Load): Promise<Outcome> {
  const now = await engine.loadIn(writer);
  const change = new Change(now);
  const made = await draftVersion(engine, change, area, load);
  change.record('working.create', versionDetails(change, area, made, reasonFor(now, area)));
  const snapshot = await engine.write(writer, change);
  return { workingId: made.id, granted: made.granted, snapshot, mark: null };
}

function reasonFor(now: Snapshot, area: string): VersionReason {
  if (now.encryptsFor(area) !== undefined) return 'budget spent';
  if (now.activeOf(area) !== undefined) return 'new master key';
  return now.versionsOf(area).length === 0 ? 'first use' : 'no active version';
}
