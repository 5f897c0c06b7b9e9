/** How far the re-encryption of a table has come, kept in the key store: what a job that was killed continues from. */

import { canonicalJson, type Json } from '../canonical-json.ts';
import type { KeyStore, ReencryptionRow } from '../stores/store.ts';
import type { OutcomeCounts, ReencryptionFailure } from './tally.ts';
import type { RecordsOnKey } from './target.ts';

/** The `report` column, while a job runs and after it. */
export interface SavedReport {
  readonly version: 1;
  /** `--entity`, canonical. */
  readonly entity: string;
  /** The master key that was current when the job began. */
  readonly master: string;
  /** Ids of the working keys that records are moved away from. */
  readonly stale: readonly string[];
  readonly counts: OutcomeCounts;
  readonly failures: readonly ReencryptionFailure[];
  /** What the second pass counted: null until it is over. */
  readonly keys: readonly RecordsOnKey[] | null;
  /** What the second pass met that is no protected record. */
  readonly unreadable: number;
}

/** One job's row. */
export class ProgressRow {
  readonly #store: KeyStore;
  readonly #source: string;
  readonly #area: string;

  constructor(store: KeyStore, source: string, area: string) {
    this.#store = store;
    this.#source = source;
    this.#area = area;
  }

  /** What a run that did not finish has left; null when there is none, or what another release has left. */
  async unfinished(): Promise<{ row: ReencryptionRow; report: SavedReport } | null> {
    const rows = await this.#store.readReencryptions();
    const row = rows.find(({ source, area }) => source === this.#source && area === this.#area);
    if (row === undefined || row.finishedAt !== null) return null;
    const report = parseReport(row.report);
    return report === null ? null : { row, report };
  }

  async write(
    report: SavedReport,
    times: { startedAt: number; finishedAt: number | null; cursor: string | null },
  ): Promise<void> {
    const row: ReencryptionRow = {
      source: this.#source,
      area: this.#area,
      changedAt: Date.now(),
      ...times,
      report: canonicalJson(report as unknown as Json),
    };
    await this.#store.transaction((writer) => writer.writeReencryption(row));
  }
}

/** Null for a text of another version. */
export function parseReport(text: string): SavedReport | null {
  try {
    const report = JSON.parse(text) as SavedReport;
    return report.version === 1 ? report : null;
  } catch {
    return null;
  }
}
