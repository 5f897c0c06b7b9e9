/** The bytes of a working key's row that its MAC covers: "Working key row" in docs/keys.md. */

import { encodeFields, u8 } from './fields.ts';
import { sameBytes } from './ids.ts';
import type { WorkingRow } from './stores/store.ts';

/** A row that has no MAC yet. */
export type BareWorkingRow = Omit<WorkingRow, 'mac'>;

export function workingRowBytes(storeId: Uint8Array, row: BareWorkingRow): Uint8Array {
  return encodeFields(
    'callseal working v1',
    storeId,
    row.id,
    row.area,
    row.version,
    row.masterId,
    u8(row.suite),
    row.state,
    row.sequence,
    row.createdAt,
    row.reserved,
    row.wrapped,
  );
}

/** Whether a row read again is, in every column, the one that was verified before. */
export function sameWorkingRow(a: WorkingRow, b: WorkingRow): boolean {
  return (
    a.area === b.area &&
    a.version === b.version &&
    a.suite === b.suite &&
    a.state === b.state &&
    a.sequence === b.sequence &&
    a.createdAt === b.createdAt &&
    a.reserved === b.reserved &&
    sameBytes(a.id, b.id) &&
    sameBytes(a.masterId, b.masterId) &&
    sameBytes(a.wrapped, b.wrapped) &&
    sameBytes(a.mac, b.mac)
  );
}

/** Ascending by area, then version: the order of the manifest. Areas are ASCII. */
export function byAreaAndVersion(a: BareWorkingRow, b: BareWorkingRow): number {
  if (a.area !== b.area) return a.area < b.area ? -1 : 1;
  return a.version - b.version;
}
