/** Rows of a key store with every field set, and every field open to change. */

import { randomBytes } from 'node:crypto';
import type { AuditRow, MasterRow, ReencryptionRow, StoreRow, WorkingRow } from '../../lib/keys/stores/store.ts';

/** Fresh random bytes, as the store gives them back. */
export const random = (length: number) => new Uint8Array(randomBytes(length));

const TIME = 1_790_000_000_123;

export const storeRow = (change: Partial<StoreRow> = {}): StoreRow => ({
  storeId: random(16),
  installationId: random(32),
  createdAt: TIME,
  sequence: 1,
  currentMasterId: random(16),
  auditSequence: 1,
  auditHash: random(32),
  signature: random(512),
  ...change,
});

export const masterRow = (change: Partial<MasterRow> = {}): MasterRow => ({
  id: random(16),
  suite: 0,
  state: 'active',
  sequence: 1,
  createdAt: TIME,
  changedAt: TIME + 1,
  wrapped: random(512),
  signature: random(512),
  ...change,
});

export const workingRow = (change: Partial<WorkingRow> = {}): WorkingRow => ({
  id: random(16),
  area: 'models',
  version: 1,
  masterId: random(16),
  suite: 6,
  state: 'active',
  sequence: 1,
  createdAt: TIME,
  reserved: 0,
  wrapped: random(40),
  mac: random(32),
  ...change,
});

export const auditRow = (change: Partial<AuditRow> = {}): AuditRow => ({
  sequence: 1,
  at: TIME,
  actor: 'zoë',
  host: 'ivr-1',
  event: 'master.create',
  details: '{"id":"00"}',
  hash: random(32),
  ...change,
});

export const reencryptionRow = (change: Partial<ReencryptionRow> = {}): ReencryptionRow => ({
  source: 'voice_models(id, template)',
  area: 'models',
  startedAt: TIME,
  changedAt: TIME + 2,
  finishedAt: null,
  cursor: null,
  report: '{}',
  ...change,
});
