/** The re-encryption of a table: two passes over its rows, continued where a run before was ended. */

import { setTimeout as pause } from 'node:timers/promises';
import type { KeyStore } from '../stores/store.ts';
import type { ApplicationTable, TableRow } from './application-table.ts';
import { ProgressRow, type SavedReport } from './progress-row.ts';
import { countByKey, type Reencrypter, reencryptTowards } from './reencrypt-all.ts';
import { type OutcomeCounts, type ReencryptionFailure, Tally } from './tally.ts';
import { type RecordsOnKey, Target } from './target.ts';

export interface ReencryptTableOptions {
  readonly area: string;
  /** How rows make entities, canonical; a run with another one does not continue this one. */
  readonly entity: string;
  /** Rows a page; default 100. */
  readonly batch?: number;
  /** Rows a second, at most, in either pass. Default: no limit. */
  readonly rate?: number;
  /** Only look: every record is opened, nothing is written anywhere. */
  readonly dryRun?: boolean;
  /** Begin anew, whatever a run before has left. */
  readonly restart?: boolean;
  readonly signal?: AbortSignal;
  readonly onFailure?: (failure: ReencryptionFailure) => void;
  readonly onProgress?: (progress: TableProgress) => void;
}

export interface TableProgress {
  /** `count`: the second pass, which changes nothing. */
  readonly pass: 'reencrypt' | 'count';
  readonly done: number;
  /** Rows there were when the pass began. */
  readonly total: number;
}

export interface TableReport {
  readonly source: string;
  readonly area: string;
  readonly dryRun: boolean;
  /** When the run began that this one continued; null for a run of its own. */
  readonly continuedFrom: Date | null;
  /** Of all runs that this job took. */
  readonly counts: Readonly<OutcomeCounts>;
  /** The first 200. */
  readonly failures: readonly ReencryptionFailure[];
  /** What the second pass found under which key; null for a dry run. */
  readonly keys: readonly RecordsOnKey[] | null;
  /** What the second pass found that is no protected record. */
  readonly unreadable: number;
  /** Records that are still under keys to be left; null for a dry run. */
  readonly left: number | null;
}

/** What {@link reencryptTable} needs of a hierarchy. */
export interface TableReencrypter extends Reencrypter {
  readonly masters: { list(): Promise<readonly { readonly id: string; readonly current: boolean }[]> };
}

const DEFAULT_BATCH = 100;
/** From one note of how far it has come to the next: every change of the store is looked at by all servers. */
const SAVE_INTERVAL = 1000;
/** How long another server may still encrypt under a key that has just been replaced, with a margin for clocks. */
const SETTLING_TIME = 3000;

/**
 * Re-encrypts a table's records while the application goes on using it, then counts all of them again: what it finds is
 * what the removal of a key relies on.
 *
 * @throws {CallsealError} as {@link reencryptAll} does; the next run continues.
 */
export async function reencryptTable(
  hierarchy: TableReencrypter,
  store: KeyStore,
  table: ApplicationTable,
  options: ReencryptTableOptions,
): Promise<TableReport> {
  const job = new TableJob(hierarchy, store, table, options);
  return options.dryRun === true ? job.look() : job.run();
}

class TableJob {
  readonly #hierarchy: TableReencrypter;
  readonly #table: ApplicationTable;
  readonly #options: ReencryptTableOptions;
  readonly #progress: ProgressRow;
  #startedAt = Date.now();
  #continuedFrom: Date | null = null;
  #cursor: string | null = null;
  #savedAt = Number.NEGATIVE_INFINITY;

  constructor(hierarchy: TableReencrypter, store: KeyStore, table: ApplicationTable, options: ReencryptTableOptions) {
    this.#hierarchy = hierarchy;
    this.#table = table;
    this.#options = options;
    this.#progress = new ProgressRow(store, table.source, options.area);
  }

  async look(): Promise<TableReport> {
    const target = await Target.of(this.#hierarchy, this.#options.area);
    const tally = new Tally();
    await this.#firstPass(target, tally, async () => {});
    return this.#report(tally, null, 0);
  }

  async run(): Promise<TableReport> {
    const master = (await this.#hierarchy.masters.list()).find(({ current }) => current)?.id ?? '';
    const before = await this.#before(master);
    const target = await Target.of(this.#hierarchy, this.#options.area, before?.stale);
    const tally = new Tally(before ?? undefined);
    const saved = (): SavedReport => ({
      version: 1,
      entity: this.#options.entity,
      master,
      stale: target.stale,
      counts: tally.counts,
      failures: tally.failures,
      keys: null,
      unreadable: 0,
    });
    const save = async (): Promise<void> => {
      await this.#progress.write(saved(), { startedAt: this.#startedAt, finishedAt: null, cursor: this.#cursor });
      this.#savedAt = performance.now();
    };
    await save();
    try {
      await this.#firstPass(target, tally, async () => {
        if (performance.now() - this.#savedAt >= SAVE_INTERVAL) await save();
      });
    } catch (error) {
      await save().catch(() => {}); // what ended the job is the news
      throw error;
    }
    await save();
    await this.#settle();
    const { keys, unreadable } = await this.#secondPass(target);
    await this.#progress.write(
      { ...saved(), keys, unreadable },
      { startedAt: this.#startedAt, finishedAt: Date.now(), cursor: null },
    );
    return this.#report(tally, keys, unreadable);
  }

  /** What an unfinished run with the same aim has left. */
  async #before(master: string): Promise<SavedReport | null> {
    if (this.#options.restart === true) return null;
    const found = await this.#progress.unfinished();
    if (found === null || found.report.master !== master || found.report.entity !== this.#options.entity) return null;
    this.#startedAt = found.row.startedAt;
    this.#continuedFrom = new Date(found.row.startedAt);
    this.#cursor = found.row.cursor;
    return found.report;
  }

  async #firstPass(target: Target, tally: Tally, onRow: () => Promise<void>): Promise<void> {
    const { onProgress, onFailure, rate, signal, area, dryRun = false } = this.#options;
    const total = await this.#table.count(this.#cursor);
    const before = tally.total;
    const rows = this.#rows(this.#cursor, async (row) => {
      this.#cursor = row.position;
      onProgress?.({ pass: 'reencrypt', done: tally.total - before, total });
      await onRow();
    });
    await reencryptTowards(
      target,
      this.#hierarchy,
      rows,
      {
        area,
        dryRun,
        replace: (row, record) => this.#table.replace(row, record),
        reread: (row) => this.#table.reread(row),
        ...(rate !== undefined && { rate }),
        ...(signal !== undefined && { signal }),
        ...(onFailure !== undefined && { onFailure }),
      },
      tally,
    );
  }

  async #secondPass(target: Target): Promise<{ keys: RecordsOnKey[]; unreadable: number }> {
    const { onProgress, rate, signal } = this.#options;
    const total = await this.#table.count(null);
    return countByKey(
      target,
      this.#rows(null, async () => {}),
      {
        ...(rate !== undefined && { rate }),
        signal,
        onCount: (done) => onProgress?.({ pass: 'count', done, total }),
      },
    );
  }

  /** All rows behind a position. A row counts as dealt with when the next one is asked for. */
  async *#rows(after: string | null, dealtWith: (row: TableRow) => Promise<void>): AsyncGenerator<TableRow> {
    const limit = this.#options.batch ?? DEFAULT_BATCH;
    for (let position = after; ; ) {
      const page = await this.#table.page(position, limit);
      for (const row of page) {
        yield row;
        await dealtWith(row);
        position = row.position;
      }
      if (page.length < limit) return;
    }
  }

  /** The second pass begins when no server can still be encrypting under a key that was replaced just before. */
  async #settle(): Promise<void> {
    const keys = await this.#hierarchy.working.list(this.#options.area);
    const newest = Math.max(0, ...keys.map((key) => key.createdAt.getTime()));
    const wait = Math.min(newest + SETTLING_TIME - Date.now(), SETTLING_TIME);
    const { signal } = this.#options;
    if (wait > 0) await pause(wait, undefined, { signal }).catch(() => signal?.throwIfAborted());
  }

  #report(tally: Tally, keys: readonly RecordsOnKey[] | null, unreadable: number): TableReport {
    return {
      source: this.#table.source,
      area: this.#options.area,
      dryRun: this.#options.dryRun === true,
      continuedFrom: this.#continuedFrom,
      counts: tally.counts,
      failures: tally.failures,
      keys,
      unreadable,
      left: keys?.filter((key) => !key.current).reduce((sum, key) => sum + key.records, 0) ?? null,
    };
  }
}
