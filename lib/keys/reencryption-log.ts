/**
 * What the hierarchy knows of re-encryptions, and what follows for keys that are to be removed.
 *
 * The audit log says when a re-encryption began and what it had left when it finished: that is what decides. The store's
 * rows of re-encryptions say how far they have come, and are sealed by the installation key.
 */

import { CallsealError } from '../errors.ts';
import { hex } from '../hex.ts';
import { assertArea } from './area.ts';
import { detailsOf, followChain, NO_AUDIT, readEntries } from './audit.ts';
import { canonicalJson, type Json } from './canonical-json.ts';
import type { Engine } from './engine.ts';
import { auditName, substituted } from './faults.ts';
import { encodeFields } from './fields.ts';
import { sameBytes } from './ids.ts';
import type { InstallationKey } from './installation-key.ts';
import type { Snapshot } from './snapshot.ts';
import type { ReencryptionRow, StoreReader, WorkingRow } from './stores/store.ts';

/** What a re-encryption has done so far. */
export interface ReencryptionReport {
  /** Records by what became of them; the names are the job's own. */
  readonly counts: Readonly<Record<string, number>>;
  /** Records that are still on a working key, by its id; keys without any may be left out. */
  readonly left: Readonly<Record<string, number>>;
}

/** One re-encryption: one source and area. */
export interface Reencryption {
  /** Names the table, key and data columns. */
  readonly source: string;
  readonly area: string;
  readonly startedAt: Date;
  readonly changedAt: Date;
  readonly finishedAt: Date | null;
  /** Key of the last record dealt with, JSON text. */
  readonly cursor: string | null;
  readonly report: ReencryptionReport;
}

const NOTHING_DONE: ReencryptionReport = { counts: {}, left: {} };

/** The re-encryptions that a store knows of. `KeyHierarchy.reencryptions` is one. */
export class Reencryptions {
  readonly #engine: Engine;

  /** @internal */
  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** @throws {CallsealError} `ERR_KEY_SUBSTITUTED`; names the row. */
  async list(): Promise<Reencryption[]> {
    const { store } = await this.#engine.fresh();
    const rows = await this.#engine.parts.store.readReencryptions();
    return Promise.all(rows.map((row) => open(this.#engine.parts.installation, store.storeId, row)));
  }

  /** Begins one, or begins it anew; what an earlier one left as its place is forgotten. Audited. */
  async begin(source: string, area: string): Promise<Reencryption> {
    requireSource(source, area);
    return this.#engine.change(async (change, _now, writer) => {
      const begun = { source, area, startedAt: change.at, changedAt: change.at, finishedAt: null, cursor: null };
      const row = await this.#seal(change.storeId, begun, NOTHING_DONE);
      await writer.writeReencryption(row);
      change.record('reencrypt.begin', { source, area });
      return shown(row, NOTHING_DONE);
    });
  }

  /** Says how far it has come. Not audited: it is done once a batch. */
  async advance(job: Reencryption, cursor: string, report: ReencryptionReport): Promise<Reencryption> {
    const { store } = await this.#engine.fresh();
    const row = await this.#seal(store.storeId, { ...bare(job), changedAt: Date.now(), cursor }, report);
    await this.#engine.transaction(async (writer) => {
      await requireRunning(writer, job);
      await writer.writeReencryption(row);
    });
    return shown(row, report);
  }

  /** Says what is left. Audited: keys may be removed because of it. */
  async finish(job: Reencryption, report: ReencryptionReport): Promise<Reencryption> {
    return this.#engine.change(async (change, _now, writer) => {
      await requireRunning(writer, job);
      const ended = { ...bare(job), changedAt: change.at, finishedAt: change.at };
      const row = await this.#seal(change.storeId, ended, report);
      await writer.writeReencryption(row);
      const { source, area } = job;
      change.record('reencrypt.finish', { source, area, ...plain(report) });
      return shown(row, report);
    });
  }

  async #seal(
    storeId: Uint8Array,
    row: Omit<ReencryptionRow, 'report'>,
    report: ReencryptionReport,
  ): Promise<ReencryptionRow> {
    const bytes = sealedBytes(storeId, row, report);
    const seal = await this.#engine.parts.installation.key.sign('pss-sha256', bytes);
    return { ...row, report: canonicalJson({ ...plain(report), seal: hex(seal) }) };
  }
}

/**
 * Refuses to go on with a job that was begun anew meanwhile, or has finished: what it counted would be taken for what the
 * other one, which began later, has found, and keys would be removed because of it.
 */
async function requireRunning(reader: StoreReader, job: Reencryption): Promise<void> {
  const rows = await reader.readReencryptions();
  const row = rows.find(({ source, area }) => source === job.source && area === job.area);
  if (row !== undefined && row.startedAt === job.startedAt.getTime() && row.finishedAt === null) return;
  throw new CallsealError(
    'ERR_KEY_IN_USE',
    `the re-encryption of ${job.source} (area ${job.area}) was begun anew, or finished, by another process; this one ends here`,
  );
}

/**
 * Why records may still need a working key, as a sentence; null when nothing does.
 *
 * A key that never had anything reserved has no records. Otherwise each source that was ever re-encrypted for the area must have been
 * gone through from its beginning after the key had retired, with nothing left on it.
 */
export async function recordsLeft(reader: StoreReader, now: Snapshot, row: WorkingRow): Promise<string | null> {
  if (row.reserved === 0) return null;
  if (row.state === 'active') return `it is in use; make a new version first (\`callseal working rotate ${row.area}\`)`;
  const id = hex(row.id);
  const { retiredAt, sources } = await historyOf(reader, now, row);
  if (sources.size === 0) return 'no re-encryption of its area is known; run `callseal reencrypt`';
  for (const [source, runs] of sources) {
    if (!runs.some((run) => run.left !== null && run.beganAt > retiredAt && (run.left[id] ?? 0) === 0)) {
      return `no re-encryption of ${source} that began after the key had retired has finished with nothing left on it`;
    }
  }
  return null;
}

/** A run of a re-encryption, in sequences of the audit log. */
interface Run {
  readonly beganAt: number;
  /** Null unless it finished. */
  left: Record<string, number> | null;
}

async function historyOf(reader: StoreReader, now: Snapshot, row: WorkingRow) {
  const id = hex(row.id);
  let retiredAt = Number.POSITIVE_INFINITY;
  const sources = new Map<string, Run[]>();
  let head = NO_AUDIT;
  for await (const entry of readEntries(reader)) {
    head = followChain(head, [entry]); // a key may be destroyed because of what an old entry says
    const details = detailsOf(entry);
    if (Array.isArray(details.retired) && details.retired.includes(id)) retiredAt = entry.sequence;
    if (details.area !== row.area || typeof details.source !== 'string') continue;
    const runs = sources.get(details.source) ?? [];
    sources.set(details.source, runs);
    if (entry.event === 'reencrypt.begin') runs.push({ beganAt: entry.sequence, left: null });
    const last = runs.at(-1);
    if (entry.event === 'reencrypt.finish' && last !== undefined) last.left = details.left as Record<string, number>;
  }
  if (!sameBytes(head.hash, now.store.auditHash)) {
    throw substituted(auditName(head.sequence), 'is not the one that the manifest names');
  }
  return { retiredAt, sources };
}

async function open(installation: InstallationKey, storeId: Uint8Array, row: ReencryptionRow): Promise<Reencryption> {
  const altered = (cause?: unknown) =>
    substituted(
      `the row of the re-encryption of ${row.source} (area ${row.area})`,
      'was altered: its seal does not fit',
      cause,
    );
  let content: { counts: Record<string, number>; left: Record<string, number>; seal: string };
  try {
    content = JSON.parse(row.report);
    if (typeof content.seal !== 'string') throw new TypeError('no seal');
  } catch (error) {
    throw altered(error);
  }
  const report = { counts: content.counts, left: content.left };
  const seal = new Uint8Array(Buffer.from(content.seal, 'hex'));
  if (!(await installation.key.publicKey.verify('pss-sha256', sealedBytes(storeId, row, report), seal)))
    throw altered();
  return shown(row, report);
}

function sealedBytes(
  storeId: Uint8Array,
  row: Omit<ReencryptionRow, 'report'>,
  report: ReencryptionReport,
): Uint8Array {
  const { source, area, startedAt, changedAt, finishedAt, cursor } = row;
  const text = canonicalJson({ cursor, finishedAt, ...plain(report) });
  return encodeFields('callseal reencryption v1', storeId, source, area, startedAt, changedAt, text);
}

function plain(report: ReencryptionReport): { counts: Json; left: Json } {
  return { counts: { ...report.counts }, left: { ...report.left } };
}

function bare(job: Reencryption): Omit<ReencryptionRow, 'report'> {
  const { source, area, startedAt, changedAt, finishedAt, cursor } = job;
  return {
    source,
    area,
    startedAt: startedAt.getTime(),
    changedAt: changedAt.getTime(),
    finishedAt: finishedAt?.getTime() ?? null,
    cursor,
  };
}

function shown(row: ReencryptionRow, report: ReencryptionReport): Reencryption {
  const { source, area, cursor } = row;
  const finishedAt = row.finishedAt === null ? null : new Date(row.finishedAt);
  return {
    source,
    area,
    startedAt: new Date(row.startedAt),
    changedAt: new Date(row.changedAt),
    finishedAt,
    cursor,
    report,
  };
}

function requireSource(source: string, area: string): void {
  assertArea(area);
  if (typeof source !== 'string' || source === '') {
    throw new CallsealError(
      'ERR_INVALID_ARGUMENT',
      'a re-encryption names its source, such as a table and its columns',
    );
  }
}
