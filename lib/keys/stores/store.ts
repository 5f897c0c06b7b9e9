/**
 * What the key hierarchy needs of a database. Rows are kept as they are given: a store does no cryptography and knows no
 * rule of the hierarchy; it keeps transactions apart, and tells of changes.
 *
 * Ids are 16 bytes, times milliseconds since 1970, sequences and counters whole numbers below 2^53.
 */

/** The store's one row about itself; see `docs/keys.md`, "Manifest". */
export interface StoreRow {
  readonly storeId: Uint8Array;
  /** SHA-256 of the installation key's DER SubjectPublicKeyInfo. */
  readonly installationId: Uint8Array;
  readonly createdAt: number;
  /** The manifest's sequence. */
  readonly sequence: number;
  /** Empty when no master key is current. */
  readonly currentMasterId: Uint8Array;
  readonly auditSequence: number;
  readonly auditHash: Uint8Array;
  /** Of the manifest that the columns and the master rows give. */
  readonly signature: Uint8Array;
}

/** Disabled is reversible; removed is not. */
export type MasterState = 'active' | 'disabled' | 'removed';

/** See `docs/keys.md`, "Master key record". */
export interface MasterRow {
  readonly id: Uint8Array;
  readonly suite: number;
  readonly state: MasterState;
  readonly sequence: number;
  readonly createdAt: number;
  readonly changedAt: number;
  readonly wrapped: Uint8Array;
  readonly signature: Uint8Array;
}

/** The newest of an area is active and encrypts; a retired one only decrypts; a removed one is gone. */
export type WorkingState = 'active' | 'retired' | 'removed';

/** See `docs/keys.md`, "Working key row". */
export interface WorkingRow {
  readonly id: Uint8Array;
  readonly area: string;
  readonly version: number;
  readonly masterId: Uint8Array;
  readonly suite: number;
  readonly state: WorkingState;
  readonly sequence: number;
  readonly createdAt: number;
  readonly reserved: number;
  readonly wrapped: Uint8Array;
  readonly mac: Uint8Array;
}

/** One entry of the hash-chained audit log. */
export interface AuditRow {
  /** From 1, without gaps. */
  readonly sequence: number;
  readonly at: number;
  /** Who: the operating system's user, or what the service calls itself. */
  readonly actor: string;
  readonly host: string;
  /** Such as `master.rotate`. */
  readonly event: string;
  /** Canonical JSON text. */
  readonly details: string;
  /** SHA-256, 32 bytes; of `FIELDS("callseal audit v1", previous hash, sequence, at, actor, host, event, details)`. */
  readonly hash: Uint8Array;
}

/** How far a re-encryption of one table has come; one row a source and area. */
export interface ReencryptionRow {
  /** Names the table, key and data columns, canonical. */
  readonly source: string;
  readonly area: string;
  readonly startedAt: number;
  readonly changedAt: number;
  /** Null while it runs or after it was stopped. */
  readonly finishedAt: number | null;
  /** Key of the last row dealt with, JSON text; null at the start. */
  readonly cursor: string | null;
  /** JSON text: counts, and how many records were left on which working key. */
  readonly report: string;
}

/** What may be read, inside a transaction or outside. */
export interface StoreReader {
  /** Null before the first start. */
  readStore(): Promise<StoreRow | null>;
  /** Grows with every change of anything; what others poll. */
  readRevision(): Promise<number>;
  /** All master rows, ascending by id. */
  readMasters(): Promise<MasterRow[]>;
  /** Working rows of an area, ascending by version; of all areas without one, by area and version. */
  readWorking(area?: string): Promise<WorkingRow[]>;
  /** Null when there is none with this id. */
  readWorkingById(id: Uint8Array): Promise<WorkingRow | null>;
  /** Entries with a sequence above `after`, ascending, at most `limit`. */
  readAudit(after: number, limit: number): Promise<AuditRow[]>;
  /** The newest entry; null when there is none. */
  readLastAudit(): Promise<AuditRow | null>;
  /** All of them, in no particular order. */
  readReencryptions(): Promise<ReencryptionRow[]>;
}

/**
 * What may be written, all of it in the transaction that the writer belongs to. A row that the tables cannot hold, or that
 * conflicts with another, is `ERR_INVALID_ARGUMENT`. A transaction in which a statement failed is never committed.
 */
export interface StoreWriter extends StoreReader {
  /** Inserts or replaces the one row. */
  writeStore(row: StoreRow): Promise<void>;
  /** Inserts, or replaces the row with its id. */
  writeMaster(row: MasterRow): Promise<void>;
  /** Inserts, or replaces the row with its id. An area and version taken by another id is an error. */
  writeWorking(row: WorkingRow): Promise<void>;
  /** The next entry: its sequence is one more than the last. */
  appendAudit(row: AuditRow): Promise<void>;
  /** Inserts, or replaces the row of its source and area. */
  writeReencryption(row: ReencryptionRow): Promise<void>;
}

/**
 * An open store; `openStore` makes one. Every method may throw
 *
 * - `ERR_STORE_UNAVAILABLE` when the database cannot be reached or does not answer in time; it works again by itself when
 *   it can,
 * - `ERR_IO` for a file of a store that may not be read or written,
 * - `ERR_KEY_SUBSTITUTED` for a row that this program cannot have written: a wrong type or length.
 */
export interface KeyStore extends StoreReader {
  /**
   * For people, without credentials: `sqlite:/var/lib/callseal/keys.db`, `postgres://keys@db.example/callseal`. Says so
   * when the connection to another host is not protected.
   */
  readonly description: string;
  /**
   * Runs `work` alone: no other transaction of any process runs at the same time. Commits when it resolves (and raises the
   * revision), rolls back when it rejects. Never retries `work` by itself.
   *
   * Another transaction inside `work` would wait for this one, and fail when its patience ends.
   */
  transaction<T>(work: (writer: StoreWriter) => Promise<T>): Promise<T>;
  /**
   * Several reads of one state: what is committed meanwhile, by whomever, does not show in `reader`. One at a time in this
   * process; transactions go on beside it.
   */
  snapshot<T>(work: (reader: StoreReader) => Promise<T>): Promise<T>;
  /**
   * Calls `listener` within two seconds of any committed change, by whichever process. Also calls it once at the
   * beginning, and sometimes without a change: what was read before may be old. Keeps no process alive.
   *
   * @returns how to stop.
   */
  onChange(listener: () => void): () => void;
  /** Waits for what runs, and gives up the connections. Whatever is asked of the store afterwards is refused. */
  close(): Promise<void>;
  /** For `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}
