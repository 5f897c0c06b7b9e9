/** What each table's columns hold. */

import { bytes, nullable, oneOf, type RowShape, text, whole } from './columns.ts';
import type { AuditRow, MasterRow, ReencryptionRow, StoreRow, WorkingRow } from './store.ts';

/** Key of the one row of the tables that have one. */
export const SINGLE = 1;

const id = bytes(16);
const sha256 = bytes(32);

export const STORE: RowShape<StoreRow, 'callseal_store'> = {
  table: 'callseal_store',
  nameOf: () => String(SINGLE),
  fields: {
    storeId: ['store_id', id],
    installationId: ['installation_id', sha256],
    createdAt: ['created_at', whole()],
    sequence: ['sequence', whole()],
    currentMasterId: ['current_master_id', bytes(0, 16)],
    auditSequence: ['audit_sequence', whole()],
    auditHash: ['audit_hash', bytes(0, 32)],
    signature: ['signature', bytes()],
  },
};

export const MASTER: RowShape<MasterRow, 'callseal_master_keys'> = {
  table: 'callseal_master_keys',
  nameOf: (row) => nameOfId(row.id),
  fields: {
    id: ['id', id],
    suite: ['suite', whole()],
    state: ['state', oneOf('active', 'disabled', 'removed')],
    sequence: ['sequence', whole()],
    createdAt: ['created_at', whole()],
    changedAt: ['changed_at', whole()],
    wrapped: ['wrapped', bytes()],
    signature: ['signature', bytes()],
  },
};

export const WORKING: RowShape<WorkingRow, 'callseal_working_keys'> = {
  table: 'callseal_working_keys',
  nameOf: (row) => nameOfId(row.id),
  fields: {
    id: ['id', id],
    area: ['area', text()],
    version: ['version', whole(1)],
    masterId: ['master_id', id],
    suite: ['suite', whole()],
    state: ['state', oneOf('active', 'retired', 'removed')],
    sequence: ['sequence', whole()],
    createdAt: ['created_at', whole()],
    reserved: ['reserved', whole()],
    wrapped: ['wrapped', bytes()],
    mac: ['mac', sha256],
  },
};

export const AUDIT: RowShape<AuditRow, 'callseal_audit'> = {
  table: 'callseal_audit',
  nameOf: (row) => String(row.sequence),
  fields: {
    sequence: ['sequence', whole(1)],
    at: ['at', whole()],
    actor: ['actor', text()],
    host: ['host', text()],
    event: ['event', text()],
    details: ['details', text()],
    hash: ['hash', sha256],
  },
};

export const REENCRYPTION: RowShape<ReencryptionRow, 'callseal_reencryptions'> = {
  table: 'callseal_reencryptions',
  nameOf: (row) => `${row.source}, ${row.area}`,
  fields: {
    source: ['source', text()],
    area: ['area', text()],
    startedAt: ['started_at', whole()],
    changedAt: ['changed_at', whole()],
    finishedAt: ['finished_at', nullable(whole())],
    cursor: ['cursor', nullable(text())],
    report: ['report', text()],
  },
};

export const REVISION: RowShape<{ revision: number }, 'callseal_revision'> = {
  table: 'callseal_revision',
  nameOf: () => String(SINGLE),
  fields: { revision: ['revision', whole()] },
};

/** In hexadecimal, whatever somebody made of it. */
function nameOfId(value: unknown): string {
  const found = bytes().read(value);
  return typeof found === 'symbol' ? String(value).slice(0, 100) : Buffer.from(found).toString('hex');
}
