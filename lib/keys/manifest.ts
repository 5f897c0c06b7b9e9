/** The one signed statement of everything in the store that changes seldom: "Manifest" in docs/keys.md. */

import type { NativePrivateKey } from '../native/binding.ts';
import { sha256 } from './digest.ts';
import { concatLengthPrefixed, encodeFields } from './fields.ts';
import { sameBytes } from './ids.ts';
import { masterDigest } from './master-record.ts';
import type { MasterRow, StoreRow, WorkingRow } from './stores/store.ts';
import { byAreaAndVersion, workingRowBytes } from './working-row.ts';

/** The store's own row before it is signed. */
export type BareStoreRow = Omit<StoreRow, 'signature'>;

const NOTHING = new Uint8Array(0);

/** Rows in any order. */
function manifestBytes(store: BareStoreRow, masters: readonly MasterRow[], working: readonly WorkingRow[]): Uint8Array {
  const digests = [...masters]
    .sort((a, b) => Buffer.compare(a.id, b.id))
    .flatMap((row) => [row.id, masterDigest(store.storeId, store.installationId, row)]);
  return encodeFields(
    'callseal manifest v1',
    store.storeId,
    store.createdAt,
    store.sequence,
    store.installationId,
    store.currentMasterId,
    store.auditSequence,
    store.auditHash,
    workingSetDigest(store.storeId, working),
    ...digests,
  );
}

export async function signManifest(
  key: NativePrivateKey,
  store: BareStoreRow,
  masters: readonly MasterRow[],
  working: readonly WorkingRow[],
): Promise<StoreRow> {
  const signature = await key.sign('pss-sha256', manifestBytes(store, masters, working));
  return { ...store, signature };
}

export async function manifestFits(
  key: NativePrivateKey,
  store: StoreRow,
  masters: readonly MasterRow[],
  working: readonly WorkingRow[],
): Promise<boolean> {
  return key.publicKey.verify('pss-sha256', manifestBytes(store, masters, working), store.signature);
}

/** Whether two store rows are the same in every column: then there were reservations at most between them. */
export function sameManifest(a: StoreRow, b: StoreRow): boolean {
  return (
    a.createdAt === b.createdAt &&
    a.sequence === b.sequence &&
    a.auditSequence === b.auditSequence &&
    sameBytes(a.storeId, b.storeId) &&
    sameBytes(a.installationId, b.installationId) &&
    sameBytes(a.currentMasterId, b.currentMasterId) &&
    sameBytes(a.auditHash, b.auditHash) &&
    sameBytes(a.signature, b.signature)
  );
}

/** What the manifest holds of one working key's row: all of it, but for what a reservation changes. */
export function workingEntry(storeId: Uint8Array, row: WorkingRow): Uint8Array {
  if (row.state !== 'active') return concatLengthPrefixed([workingRowBytes(storeId, row), row.mac]);
  return concatLengthPrefixed([workingRowBytes(storeId, { ...row, sequence: 0, reserved: 0 }), NOTHING]);
}

function workingSetDigest(storeId: Uint8Array, working: readonly WorkingRow[]): Uint8Array {
  return sha256(...[...working].sort(byAreaAndVersion).map((row) => workingEntry(storeId, row)));
}
