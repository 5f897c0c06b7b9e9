/** The tables, as Kysely's types know them. What comes out of them is unknown until `rows.ts` has looked at it. */

import type { ColumnType } from 'kysely';

type Bytes = ColumnType<unknown, Uint8Array, Uint8Array>;
type Whole = ColumnType<unknown, number, number>;
type Text = ColumnType<unknown, string, string>;

export interface StoreTable {
  /** Always 1: there is one row. */
  single: Whole;
  store_id: Bytes;
  installation_id: Bytes;
  created_at: Whole;
  sequence: Whole;
  current_master_id: Bytes;
  audit_sequence: Whole;
  audit_hash: Bytes;
  signature: Bytes;
}

export interface MasterTable {
  id: Bytes;
  suite: Whole;
  state: Text;
  sequence: Whole;
  created_at: Whole;
  changed_at: Whole;
  wrapped: Bytes;
  signature: Bytes;
}

export interface WorkingTable {
  id: Bytes;
  area: Text;
  version: Whole;
  master_id: Bytes;
  suite: Whole;
  state: Text;
  sequence: Whole;
  created_at: Whole;
  reserved: Whole;
  wrapped: Bytes;
  mac: Bytes;
}

export interface AuditTable {
  sequence: Whole;
  at: Whole;
  actor: Text;
  host: Text;
  event: Text;
  details: Text;
  hash: Bytes;
}

export interface ReencryptionTable {
  source: Text;
  area: Text;
  started_at: Whole;
  changed_at: Whole;
  finished_at: ColumnType<unknown, number | null, number | null>;
  cursor: ColumnType<unknown, string | null, string | null>;
  report: Text;
}

export interface RevisionTable {
  /** Always 1: there is one row. */
  single: Whole;
  revision: Whole;
}

/** Written by Kysely's migrator: one row a migration done. */
export interface MigrationTable {
  name: Text;
}

export interface Tables {
  callseal_store: StoreTable;
  callseal_master_keys: MasterTable;
  callseal_working_keys: WorkingTable;
  callseal_audit: AuditTable;
  callseal_reencryptions: ReencryptionTable;
  callseal_revision: RevisionTable;
  callseal_migrations: MigrationTable;
}
