/** The re-encryption of a table: two passes over its rows, continued where a run before was ended. */

import { setTimeout as pause } from 'node:timers/promises';
import { throwIfAborted } from '../../abort.ts';
import type { MasterKeyInfo } from '../masters.ts';
import type { Reencryption, Reencryptions } from '../reencryption-log.ts';
import type { ApplicationTable, TableRow } from './application-table.ts';
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from './checkpoint.ts';
import { type Reencrypter, workOff } from './chunk.ts';
import { Pace } from './pace.ts';
import { countByKey, type RecordCount } from './reencrypt-all.ts';
import { type OutcomeCounts, type ReencryptionFailure, Tally } from './tally.ts';
import { type KeyLister, type RecordsOnKey, Target } from './target.ts';

/** Options of {@link reencryptTable}. */
export interface ReencryptTableOptions {
  readonly area: string;
  /** How rows make entities, canonical; a run with another one does not continue this one. */
  readonly entity: string;
  /** Rows that are read, and written back, at a time; default 100. Fewer when that would be more than a second's worth. */
  readonly batch?: number | undefined;
  /** Rows a second, at most, in either pass. Default: no limit. */
  readonly rate?: number | undefined;
  /** Only look: every record is opened, nothing is written anywhere. */
  readonly dryRun?: boolean | undefined;
  /** Begin anew, whatever a run before has left. */
  readonly restart?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called for each row that could not be dealt with. */
  readonly onFailure?: ((failure: ReencryptionFailure) => void) | undefined;
  /** Called after each batch. */
  readonly onProgress?: ((progress: TableProgress) => void) | undefined;
}

/** How far {@link reencryptTable} has come. */
export interface TableProgress {
  /** `count`: the second pass, which changes nothing. */
  readonly pass: 'reencrypt' | 'count';
  readonly done: number;
  /** Rows there were when the pass began. */
  readonly total: number;
}

/** What {@link reencryptTable} did. */
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
}

/** What {@link reencryptTable} needs of a hierarchy. */
export interface TableReencrypter extends Reencrypter {
  readonly masters: {
    /** As `MasterKeys.list`. */
    list(): Promise<readonly MasterKeyInfo[]>;
  };
  readonly working: KeyLister['working'] & {
    /** As `WorkingKeys.rotate`. */
    rotate(area: string): Promise<string>;
  };
  readonly reencryptions: Pick<Reencryptions, 'list' | 'begin' | 'advance' | 'finish'>;
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
  table: ApplicationTable,
  options: ReencryptTableOptions,
): Promise<TableReport> {
  if (options.dryRun === true) return look(hierarchy, table, options);
  const before = options.restart === true ? null : await unfinished(hierarchy, table.source, options);
  const job = before ?? (await begin(hierarchy, table.source, options));
  return new TableJob(hierarchy, table, options, job).run(before === null ? null : job.row.startedAt);
}

async function look(
  hierarchy: TableReencrypter,
  table: ApplicationTable,
  options: ReencryptTableOptions,
): Promise<TableReport> {
  const target = await Target.of(hierarchy, options.area);
  const tally = new Tally();
  await firstPass({ hierarchy, table, options, target, tally, after: null, dealtWith: async () => {} });
  const { counts, failures } = tally;
  return {
    source: table.source,
    area: options.area,
    dryRun: true,
    continuedFrom: null,
    counts,
    failures,
    keys: null,
    unreadable: 0,
  };
}

interface Job {
  row: Reencryption;
  checkpoint: Checkpoint;
}

/** What an unfinished run with the same aim has left. */
async function unfinished(
  hierarchy: TableReencrypter,
  source: string,
  { area, entity }: ReencryptTableOptions,
): Promise<Job | null> {
  const row = (await hierarchy.reencryptions.list()).find((job) => job.source === source && job.area === area);
  if (row === undefined || row.finishedAt !== null || row.cursor === null) return null;
  const checkpoint = decodeCheckpoint(row.cursor);
  if (checkpoint === null || checkpoint.entity !== entity) return null;
  return checkpoint.master === (await currentMaster(hierarchy)) ? { row, checkpoint } : null;
}

async function begin(
  hierarchy: TableReencrypter,
  source: string,
  { area, entity }: ReencryptTableOptions,
): Promise<Job> {
  const keys = await hierarchy.working.list(area);
  // The keys to be left must have retired before the run begins, or it proves nothing of them.
  if (keys.length > 0 && !keys.some((key) => key.encrypts)) await hierarchy.working.rotate(area);
  const target = await Target.of(hierarchy, area);
  const master = await currentMaster(hierarchy);
  const row = await hierarchy.reencryptions.begin(source, area);
  return { row, checkpoint: { version: 1, entity, master, stale: target.stale, position: null, failures: [] } };
}

async function currentMaster(hierarchy: TableReencrypter): Promise<string> {
  return (await hierarchy.masters.list()).find(({ current }) => current)?.id ?? '';
}

class TableJob {
  readonly #hierarchy: TableReencrypter;
  readonly #table: ApplicationTable;
  readonly #options: ReencryptTableOptions;
  readonly #tally: Tally;
  #row: Reencryption;
  #checkpoint: Checkpoint;
  #savedAt = Number.NEGATIVE_INFINITY;

  constructor(
    hierarchy: TableReencrypter,
    table: ApplicationTable,
    options: ReencryptTableOptions,
    { row, checkpoint }: Job,
  ) {
    this.#hierarchy = hierarchy;
    this.#table = table;
    this.#options = options;
    this.#row = row;
    this.#checkpoint = checkpoint;
    this.#tally = new Tally(row.report.counts, checkpoint.failures);
  }

  async run(continuedFrom: Date | null): Promise<TableReport> {
    const { area } = this.#options;
    const target = await Target.of(this.#hierarchy, area, this.#checkpoint.stale);
    try {
      await firstPass({
        hierarchy: this.#hierarchy,
        table: this.#table,
        options: this.#options,
        target,
        tally: this.#tally,
        after: this.#checkpoint.position,
        dealtWith: async ({ position }) => {
          this.#checkpoint = { ...this.#checkpoint, position };
          if (performance.now() - this.#savedAt >= SAVE_INTERVAL) await this.#save();
        },
      });
    } catch (error) {
      await this.#save().catch(() => {}); // what ended the job is the news
      throw error;
    }
    await this.#save();
    await this.#settle();
    const { keys, unreadable } = await this.#secondPass(target);
    const left = Object.fromEntries(keys.map(({ workingKey, records }) => [workingKey, records]));
    const { counts, failures } = this.#tally;
    await this.#hierarchy.reencryptions.finish(this.#row, { counts: { ...counts, unreadable }, left });
    return { source: this.#table.source, area, dryRun: false, continuedFrom, counts, failures, keys, unreadable };
  }

  async #save(): Promise<void> {
    this.#checkpoint = { ...this.#checkpoint, failures: this.#tally.failures };
    const cursor = encodeCheckpoint(this.#checkpoint);
    const report = { counts: this.#tally.counts, left: {} };
    this.#row = await this.#hierarchy.reencryptions.advance(this.#row, cursor, report);
    this.#savedAt = performance.now();
  }

  async #secondPass(target: Target): Promise<RecordCount> {
    const { onProgress, rate, signal } = this.#options;
    const total = await this.#table.count(null);
    return countByKey(target, rowsOf(pagesOf(this.#table, null, pageLength(this.#options))), {
      ...(rate !== undefined && { rate }),
      ...(signal !== undefined && { signal }),
      onCount: (done) => onProgress?.({ pass: 'count', done, total }),
    });
  }

  /** The second pass begins when no server can still be encrypting under a key that was replaced just before. */
  async #settle(): Promise<void> {
    const keys = await this.#hierarchy.working.list(this.#options.area);
    const newest = Math.max(0, ...keys.map((key) => key.createdAt.getTime()));
    const wait = Math.min(newest + SETTLING_TIME - Date.now(), SETTLING_TIME);
    const { signal } = this.#options;
    if (wait > 0) await pause(wait, undefined, { signal }).catch(() => throwIfAborted(signal));
  }
}

interface FirstPass {
  readonly hierarchy: Reencrypter;
  readonly table: ApplicationTable;
  readonly options: ReencryptTableOptions;
  readonly target: Target;
  readonly tally: Tally;
  /** Position of the last row that was dealt with before. */
  readonly after: string | null;
  /** Told the last row of each page. */
  readonly dealtWith: (last: TableRow) => Promise<void>;
}

async function firstPass({ hierarchy, table, options, target, tally, after, dealtWith }: FirstPass): Promise<void> {
  const { onProgress, rate = Number.POSITIVE_INFINITY, signal } = options;
  const total = await table.count(after);
  const before = tally.total;
  const work = {
    hierarchy,
    target,
    tally,
    pace: new Pace(rate, signal),
    dryRun: options.dryRun === true,
    replaceAll: (replacements: readonly { kept: TableRow; record: Uint8Array }[]) => table.replaceAll(replacements),
    reread: (row: TableRow) => table.reread(row),
    onFailure: (failure: ReencryptionFailure) => options.onFailure?.(failure),
  };
  for await (const page of pagesOf(table, after, pageLength(options))) {
    await workOff(page, work);
    await dealtWith(page.at(-1)!);
    onProgress?.({ pass: 'reencrypt', done: tally.total - before, total });
  }
}

/** A page is read at once and written at once; at a low rate, not long after. */
function pageLength({ batch = DEFAULT_BATCH, rate = Number.POSITIVE_INFINITY }: ReencryptTableOptions): number {
  return Math.max(1, Math.floor(Math.min(batch, rate)));
}

/** All rows behind a position; no page is empty. */
async function* pagesOf(table: ApplicationTable, after: string | null, limit: number): AsyncGenerator<TableRow[]> {
  for (let position = after; ; ) {
    const page = await table.page(position, limit);
    if (page.length > 0) yield page;
    if (page.length < limit) return;
    position = page.at(-1)!.position;
  }
}

async function* rowsOf(pages: AsyncIterable<TableRow[]>): AsyncGenerator<TableRow> {
  for await (const page of pages) yield* page;
}
