/**
 * The key hierarchy: records of a service, protected under working keys, master keys and one installation key, each record
 * bound to the entity that it belongs to.
 *
 * {@link KeyHierarchy.open} is the way in. `docs/keys.md` describes levels, states, bytes and what is detected.
 *
 * @module callseal/keys
 */

export type { CipherKind, HashKind, TokenAddress } from '../native/keys-binding.ts';
export type { Step, StepAssessment, Strength, SuiteAssessment } from './assessment.ts';
export type { AuditEntry, AuditEvent } from './audit.ts';
export type { PlainItem, SealedItem } from './batches.ts';
export type { Json } from './canonical-json.ts';
export type { Entity } from './entity.ts';
export {
  type AuditListOptions,
  type AuditLog,
  type AuditVerifyOptions,
  KeyHierarchy,
  type KeyHierarchyOptions,
} from './hierarchy.ts';
export * from './installation/index.ts';
export type { InstallationKey } from './installation-key.ts';
export type { MasterKeyInfo, MasterKeys, MasterRotateOptions, MasterSuiteOptions } from './masters.ts';
export type { CacheOptions } from './options.ts';
export type { AreaOverview, Overview } from './overview.ts';
export type { ApplicationTable, RowReplacement, TableLayout, TableRow } from './reencryption/application-table.ts';
export type { KeptRecord, Reencrypter } from './reencryption/chunk.ts';
export { EntityColumns } from './reencryption/entity-columns.ts';
export { openApplicationTable } from './reencryption/open-table.ts';
export {
  type CountOptions,
  countAll,
  type RecordCount,
  type ReencryptAllOptions,
  type ReencryptAllResult,
  reencryptAll,
} from './reencryption/reencrypt-all.ts';
export {
  type ReencryptTableOptions,
  reencryptTable,
  type TableProgress,
  type TableReencrypter,
  type TableReport,
} from './reencryption/reencrypt-table.ts';
export type { Outcome, OutcomeCounts, ReencryptionFailure } from './reencryption/tally.ts';
export type { KeyLister, RecordsOnKey } from './reencryption/target.ts';
export type { Reencryption, ReencryptionReport, Reencryptions } from './reencryption-log.ts';
export type { RestoreAccepted } from './restore.ts';
export { type OpenStoreOptions, openStore } from './stores/open-store.ts';
export type {
  AuditRow,
  KeyStore,
  MasterRow,
  MasterState,
  ReencryptionRow,
  StoreReader,
  StoreRow,
  StoreWriter,
  WorkingRow,
  WorkingState,
} from './stores/store.ts';
export { DEFAULT_SUITE, parseSuite, SUITE_ALIASES, SUITES, type Suite } from './suites.ts';
export type { WorkingKeyInfo, WorkingKeys } from './working.ts';
