/** The audit log: who did what, when and on which host; every entry holds the hash of the one before. */

import { throwIfAborted } from '../abort.ts';
import type { CallsealError } from '../errors.ts';
import { hex } from '../hex.ts';
import { canonicalJson, type Json } from './canonical-json.ts';
import { sha256 } from './digest.ts';
import { auditName, behind, STORE_ROW, substituted } from './faults.ts';
import { encodeFields } from './fields.ts';
import { sameBytes } from './ids.ts';
import type { AuditRow, StoreReader, StoreRow } from './stores/store.ts';

/** What happened; the part before the dot is the level concerned. */
export type AuditEvent =
  | 'store.create'
  | 'store.accept-restore'
  | 'master.create'
  | 'master.rotate'
  | 'master.disable'
  | 'master.enable'
  | 'master.remove'
  | 'working.create'
  | 'working.rotate'
  | 'working.remove'
  | 'reencrypt.begin'
  | 'reencrypt.finish';

/** Who changes something, as the audit log names them. */
export interface Who {
  readonly actor: string;
  readonly host: string;
}

/** Where a chain ends. */
export interface AuditHead {
  readonly sequence: number;
  readonly hash: Uint8Array;
}

/** One entry for people and programs. */
export interface AuditEntry {
  /** From 1, without gaps. */
  readonly sequence: number;
  readonly at: Date;
  readonly actor: string;
  readonly host: string;
  readonly event: string;
  readonly details: Readonly<Record<string, Json>>;
  /** SHA-256, 64 hexadecimal digits. */
  readonly hash: string;
}

/** The chain before its first entry. */
export const NO_AUDIT: AuditHead = { sequence: 0, hash: new Uint8Array(0) };

const PAGE = 500;

export function nextEntry(head: AuditHead, at: number, who: Who, event: AuditEvent, details: Json): AuditRow {
  const bare = { sequence: head.sequence + 1, at, ...who, event, details: canonicalJson(details) };
  return { ...bare, hash: entryHash(head.hash, bare) };
}

function entryHash(previous: Uint8Array, row: Omit<AuditRow, 'hash'>): Uint8Array {
  return sha256(
    encodeFields('callseal audit v1', previous, row.sequence, row.at, row.actor, row.host, row.event, row.details),
  );
}

/**
 * Checks that `rows` go on from `head`, and returns the new head.
 *
 * @throws {CallsealError} `ERR_KEY_SUBSTITUTED`; names the entry.
 */
export function followChain(head: AuditHead, rows: readonly AuditRow[]): AuditHead {
  return rows.reduce<AuditHead>((before, row) => {
    if (row.sequence !== before.sequence + 1) throw substituted(auditName(before.sequence + 1), 'is missing');
    if (!sameBytes(row.hash, entryHash(before.hash, row))) throw altered(row.sequence);
    return row;
  }, head);
}

/** The rows that prove where the chain ends: the last one and two before it. */
export async function readTail(reader: StoreReader, store: StoreRow): Promise<AuditRow[]> {
  return reader.readAudit(Math.max(0, store.auditSequence - 3), 4);
}

/** Checks what {@link readTail} read against the manifest. */
export function verifyTail(store: StoreRow, tail: readonly AuditRow[]): void {
  const entry = (sequence: number) => tail.find((row) => row.sequence === sequence);
  const end = store.auditSequence;
  const last = entry(end);
  if (last === undefined) throw substituted(auditName(end), 'is missing');
  if (entry(end + 1) !== undefined) throw substituted(auditName(end + 1), 'was added: the manifest ends before it');
  const before = entry(end - 1);
  if (before === undefined && end > 1) throw substituted(auditName(end - 1), 'is missing');
  if (!sameBytes(last.hash, store.auditHash)) {
    throw substituted(auditName(end), 'is not the one that the manifest names');
  }
  if (sameBytes(last.hash, entryHash((before ?? NO_AUDIT).hash, last))) return;
  // The manifest speaks for the last hash. If it follows from what the entry before says, that entry's hash was altered.
  const twoBefore = entry(end - 2) ?? NO_AUDIT;
  const lastIsRight = before !== undefined && sameBytes(last.hash, entryHash(entryHash(twoBefore.hash, before), last));
  throw altered(lastIsRight ? end - 1 : end);
}

function altered(sequence: number): CallsealError {
  return substituted(auditName(sequence), 'was altered: its hash does not follow from it and the entry before');
}

/** All entries after `after`, oldest first, read a page at a time. */
export async function* readEntries(
  reader: StoreReader,
  after = 0,
  signal?: AbortSignal,
): AsyncGenerator<AuditRow, void> {
  let last = after;
  for (;;) {
    throwIfAborted(signal);
    const rows = await reader.readAudit(last, PAGE);
    yield* rows;
    if (rows.length < PAGE) return;
    last = rows.at(-1)!.sequence;
  }
}

/**
 * Follows the whole chain to the manifest's head, and past the entry that this host remembers.
 *
 * @param remembered The newest entry that this host has seen.
 * @returns How many entries there are.
 * @throws {CallsealError} `ERR_KEY_SUBSTITUTED`; names the entry. `ERR_ABORTED`.
 */
export async function verifyChain(
  reader: StoreReader,
  remembered: AuditHead | null,
  signal?: AbortSignal,
): Promise<number> {
  let head = NO_AUDIT;
  for (;;) {
    for await (const row of readEntries(reader, head.sequence, signal)) {
      head = followChain(head, [row]);
      if (row.sequence === remembered?.sequence && !sameBytes(row.hash, remembered.hash)) {
        throw behind(auditName(row.sequence), 'is another than this host has seen');
      }
    }
    // What was appended meanwhile is followed in another round; what no manifest names was not appended by us.
    const store = await reader.readStore();
    if (store === null) throw substituted(STORE_ROW, 'is missing');
    if (store.auditSequence < head.sequence) {
      throw substituted(auditName(store.auditSequence + 1), 'was added: the manifest ends before it');
    }
    if (store.auditSequence > head.sequence) {
      const next = await reader.readAudit(head.sequence, 1);
      if (next.length === 0) throw substituted(auditName(head.sequence + 1), 'is missing');
      continue;
    }
    if (!sameBytes(store.auditHash, head.hash)) {
      throw substituted(auditName(head.sequence), 'is not the one that the manifest names');
    }
    if (remembered !== null && remembered.sequence > head.sequence) {
      throw behind(auditName(remembered.sequence), 'is missing, though this host has seen it');
    }
    return head.sequence;
  }
}

export function entryOf(row: AuditRow): AuditEntry {
  return {
    sequence: row.sequence,
    at: new Date(row.at),
    actor: row.actor,
    host: row.host,
    event: row.event,
    details: detailsOf(row),
    hash: hex(row.hash),
  };
}

/** @throws {CallsealError} `ERR_KEY_SUBSTITUTED`; only after the entry was altered. */
export function detailsOf(row: AuditRow): Record<string, Json> {
  try {
    return JSON.parse(row.details) as Record<string, Json>;
  } catch (error) {
    throw substituted(auditName(row.sequence), 'was altered: its details are no JSON', error);
  }
}
