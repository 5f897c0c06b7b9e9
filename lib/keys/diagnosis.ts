/**
 * Finds the row to blame when the manifest does not fit. Each row may be well by itself, and yet be an earlier copy; the
 * audit log holds the digest of each row at its last change.
 */

import { type CallsealError, hasCode } from '../errors.ts';
import { hex } from '../hex.ts';
import type { NativePrivateKey } from '../native/binding.ts';
import { detailsOf, readEntries } from './audit.ts';
import type { Json } from './canonical-json.ts';
import { sha256 } from './digest.ts';
import { masterName, STORE_ROW, substituted, workingName } from './faults.ts';
import { workingEntry } from './manifest.ts';
import { masterDigest } from './master-record.ts';
import type { Snapshot } from './snapshot.ts';
import type { MasterRow, StoreReader, WorkingRow } from './stores/store.ts';

/** Digests of rows by the hexadecimal ids of their keys, as audit entries hold them. */
export type RowDigests = Record<string, string>;

/** What an audit entry says of the rows that were written with it. */
export function rowDigests(
  storeId: Uint8Array,
  installationId: Uint8Array,
  masters: readonly MasterRow[],
  working: readonly WorkingRow[],
): RowDigests {
  const digests: RowDigests = {};
  for (const row of masters) digests[hex(row.id)] = hex(masterDigest(storeId, installationId, row));
  for (const row of working) digests[hex(row.id)] = hex(sha256(workingEntry(storeId, row)));
  return digests;
}

/** The error that names the row; the store's own when every other is as the audit log has it. */
export async function blameManifest(
  reader: StoreReader,
  snapshot: Snapshot,
  key: NativePrivateKey,
): Promise<CallsealError> {
  const { store, masters, working } = snapshot;
  const written = await digestsInAudit(reader);
  if (written === null) return substituted(STORE_ROW, 'or the audit log was altered: its signature does not fit');
  if (written.store !== hex(store.storeId)) {
    return substituted(STORE_ROW, 'was altered: the audit log begins with another store id');
  }
  const found = rowDigests(store.storeId, key.spkiSha256, masters, working);
  for (const row of masters) {
    if (written.rows.get(hex(row.id)) !== found[hex(row.id)]) return substituted(masterName(row.id), NOT_AS_WRITTEN);
  }
  for (const row of working) {
    if (written.rows.get(hex(row.id)) !== found[hex(row.id)]) return substituted(workingName(row), NOT_AS_WRITTEN);
  }
  const missing = [...written.rows.keys()].find((id) => found[id] === undefined);
  if (missing !== undefined) return substituted(`the row of key ${missing}`, 'was deleted');
  return substituted(STORE_ROW, 'was altered: its signature does not fit');
}

const NOT_AS_WRITTEN = 'was altered, or put back to an earlier copy: it is not as the audit log has it';

/** The last digest of each row; null when the log itself cannot be read. */
async function digestsInAudit(reader: StoreReader): Promise<{ store: Json; rows: Map<string, string> } | null> {
  const rows = new Map<string, string>();
  let store: Json = null;
  try {
    for await (const entry of readEntries(reader)) {
      const details = detailsOf(entry);
      if (entry.event === 'store.create') store = details.store ?? null;
      for (const [id, digest] of Object.entries((details.rows ?? {}) as RowDigests)) rows.set(id, digest);
    }
  } catch (error) {
    if (hasCode(error, 'ERR_KEY_SUBSTITUTED')) return null;
    throw error;
  }
  return { store, rows };
}
