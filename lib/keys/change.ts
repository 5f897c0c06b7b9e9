/**
 * One change of the hierarchy: the rows it touches, one audit entry and a new manifest, all signed and written in the
 * transaction that it belongs to.
 */

import { hex } from '../hex.ts';
import { type AuditEvent, type AuditHead, NO_AUDIT, nextEntry, type Who } from './audit.ts';
import type { Json } from './canonical-json.ts';
import { type RowDigests, rowDigests } from './diagnosis.ts';
import type { InstallationKey } from './installation-key.ts';
import { signManifest } from './manifest.ts';
import { signChangedMaster, signNewMaster } from './master-record.ts';
import { Snapshot } from './snapshot.ts';
import type { MasterRow, StoreWriter, WorkingRow } from './stores/store.ts';
import type { MasterVault } from './vault.ts';
import { workingRowBytes } from './working-row.ts';

/** A master key as a change wants it; sequence, time and signature follow. */
export type MasterDraft = Pick<MasterRow, 'id' | 'suite' | 'state' | 'createdAt' | 'wrapped'>;

/** A working key as a change wants it; its MAC follows. */
export type WorkingDraft = Omit<WorkingRow, 'mac'>;

/** The store before its first change. */
export interface Beginning {
  readonly storeId: Uint8Array;
  readonly createdAt: number;
}

/** Who signs, and with what. */
export interface Signer {
  readonly installation: InstallationKey;
  readonly vault: MasterVault;
  readonly who: Who;
}

export class Change {
  readonly storeId: Uint8Array;
  readonly at: number;
  /** Null at the first start. */
  readonly before: Snapshot | null;
  readonly #createdAt: number;
  readonly #masters = new Map<string, MasterDraft>();
  readonly #working = new Map<string, WorkingDraft>();
  #currentId: Uint8Array;
  #sequence: number;
  #event: AuditEvent | null = null;
  #details: Record<string, Json> = {};

  constructor(from: Snapshot | Beginning) {
    this.at = Date.now();
    this.before = from instanceof Snapshot ? from : null;
    this.storeId = from instanceof Snapshot ? from.store.storeId : from.storeId;
    this.#createdAt = from instanceof Snapshot ? from.store.createdAt : from.createdAt;
    this.#currentId = this.before?.store.currentMasterId ?? new Uint8Array(0);
    this.#sequence = (this.before?.store.sequence ?? 0) + 1;
  }

  putMaster(draft: MasterDraft): void {
    this.#masters.set(hex(draft.id), draft);
  }

  putWorking(draft: WorkingDraft): void {
    this.#working.set(hex(draft.id), draft);
  }

  makeCurrent(id: Uint8Array): void {
    this.#currentId = id;
  }

  /** Lets the manifest's sequence go on after `sequence`, when that is later than the store's own. */
  goOnAfter(sequence: number): void {
    this.#sequence = Math.max(this.#sequence, sequence + 1);
  }

  /** What the audit log says of this change. A change without it writes nothing. */
  record(event: AuditEvent, details: Record<string, Json>): void {
    this.#event = event;
    this.#details = details;
  }

  /** Signs and writes everything; returns the store as it is then. */
  async write(writer: StoreWriter, signer: Signer): Promise<Snapshot> {
    const event = this.#event;
    if (event === null) return this.before!;
    const masters = await this.#signMasters(signer);
    const allMasters = merge(this.before?.masters ?? [], masters);
    const working = await this.#macWorking(signer, allMasters);
    const allWorking = merge(this.before?.working ?? [], working);

    const { id: installationId, key } = signer.installation;
    const rows: RowDigests = rowDigests(this.storeId, installationId, masters, working);
    const entry = nextEntry(this.#auditHead(), this.at, signer.who, event, { ...this.#details, rows });
    const bare = {
      storeId: this.storeId,
      installationId,
      createdAt: this.#createdAt,
      sequence: this.#sequence,
      currentMasterId: this.#currentId,
      auditSequence: entry.sequence,
      auditHash: entry.hash,
    };
    const store = await signManifest(key, bare, allMasters, allWorking);

    for (const row of masters) await writer.writeMaster(row);
    // Retired before created: a store may insist on one active row an area.
    for (const row of [...working].sort((a, b) => a.version - b.version)) await writer.writeWorking(row);
    await writer.appendAudit(entry);
    await writer.writeStore(store);
    return new Snapshot(store, allMasters, allWorking);
  }

  #auditHead(): AuditHead {
    const store = this.before?.store;
    return store === undefined ? NO_AUDIT : { sequence: store.auditSequence, hash: store.auditHash };
  }

  async #signMasters({ installation }: Signer): Promise<MasterRow[]> {
    const signed: MasterRow[] = [];
    for (const draft of this.#masters.values()) {
      const row = { ...draft, sequence: this.#sequence, changedAt: this.at };
      const sign = this.before?.master(hex(draft.id)) === undefined ? signNewMaster : signChangedMaster;
      signed.push(await sign(installation.key, this.storeId, row));
    }
    return signed;
  }

  async #macWorking({ vault }: Signer, masters: readonly MasterRow[]): Promise<WorkingRow[]> {
    const byId = new Map(masters.map((row) => [hex(row.id), row]));
    const rows: WorkingRow[] = [];
    for (const draft of this.#working.values()) {
      const bytes = workingRowBytes(this.storeId, draft);
      const master = byId.get(hex(draft.masterId))!;
      rows.push({ ...draft, mac: await vault.with(this.storeId, master, (opened) => opened.macRow(bytes)) });
    }
    return rows;
  }
}

function merge<T extends { readonly id: Uint8Array }>(old: readonly T[], changed: readonly T[]): T[] {
  const rows = new Map(old.map((row) => [hex(row.id), row]));
  for (const row of changed) rows.set(hex(row.id), row);
  return [...rows.values()];
}
