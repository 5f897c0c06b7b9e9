/** Records of an area, wherever they are kept, brought under the key that encrypts now. */

import { type KeptRecord, type Reencrypter, workOff } from './chunk.ts';
import { Pace } from './pace.ts';
import { type OutcomeCounts, type ReencryptionFailure, Tally } from './tally.ts';
import { type KeyLister, type RecordsOnKey, Target, workingKeyOf } from './target.ts';

/** Options of {@link reencryptAll}. */
export interface ReencryptAllOptions<R extends KeptRecord> {
  readonly area: string;
  /**
   * Writes the new record where the old one still is, in one step (compare and set), and says whether it was there. It must not
   * write over what somebody else has written meanwhile.
   */
  readonly replace: (kept: R, record: Uint8Array) => boolean | Promise<boolean>;
  /** The record as it is now, null when it is gone; asked when {@link replace} found another. Without it, the other stays. */
  readonly reread?: ((kept: R) => R | null | Promise<R | null>) | undefined;
  /** Only look: every record is opened, none is written. */
  readonly dryRun?: boolean | undefined;
  /** Records a second, at most. Default: no limit. */
  readonly rate?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called for each record that could not be dealt with. */
  readonly onFailure?: ((failure: ReencryptionFailure) => void) | undefined;
  /** Called after each record. */
  readonly onProgress?: ((counts: Readonly<OutcomeCounts>) => void) | undefined;
}

/** What {@link reencryptAll} did. */
export interface ReencryptAllResult {
  readonly counts: Readonly<OutcomeCounts>;
  /** The first 200. */
  readonly failures: readonly ReencryptionFailure[];
}

/**
 * Brings every record of a source under the area's key that encrypts now. A record that cannot be opened is reported and
 * left as it is; the others go on. Plaintexts stay in native memory, except in a dry run.
 *
 * Run again over the same source it finds what is done already, and touches it no more.
 *
 * @throws {CallsealError} what concerns all records: `ERR_STORE_UNAVAILABLE`, `ERR_KEY_SUBSTITUTED`, `ERR_NOT_APPROVED`, …, and whatever
 *   the source, `replace` and `reread` throw.
 *
 * @example
 * await reencryptAll(keys, recordsOfBucket(), {
 *   area: 'models',
 *   replace: (kept, record) => bucket.putIfUnchanged(kept.key, kept.etag, record),
 * });
 */
export async function reencryptAll<R extends KeptRecord>(
  hierarchy: Reencrypter,
  source: AsyncIterable<R> | Iterable<R>,
  options: ReencryptAllOptions<R>,
): Promise<ReencryptAllResult> {
  const { area, replace, reread, dryRun = false, rate = Number.POSITIVE_INFINITY, signal } = options;
  const tally = new Tally();
  const work = {
    hierarchy,
    target: await Target.of(hierarchy, area),
    tally,
    pace: new Pace(rate, signal),
    dryRun,
    replaceAll: ([only]: readonly { kept: R; record: Uint8Array }[]) =>
      Promise.resolve(replace(only!.kept, only!.record)).then((written) => [written]),
    reread: async (kept: R) => reread?.(kept),
    onFailure: (failure: ReencryptionFailure) => options.onFailure?.(failure),
  };
  for await (const kept of source) {
    await workOff([kept], work);
    options.onProgress?.(tally.counts);
  }
  return { counts: tally.counts, failures: tally.failures };
}

/** What {@link countAll} finds. */
export interface RecordCount {
  readonly keys: readonly RecordsOnKey[];
  /** What is no protected record at all. */
  readonly unreadable: number;
}

/** Options of {@link countAll}. */
export interface CountOptions {
  /** Records a second, at most. Default: no limit. */
  readonly rate?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called after each record. */
  readonly onCount?: ((counted: number) => void) | undefined;
}

/**
 * Counts the records of an area by the working key that they name: what is left on which key. Opens none, proves nothing.
 *
 * @throws {CallsealError} `ERR_ABORTED`, and as `WorkingKeys.list`; whatever the source throws.
 */
export async function countAll(
  hierarchy: KeyLister,
  source: AsyncIterable<KeptRecord> | Iterable<KeptRecord>,
  options: CountOptions & { readonly area: string },
): Promise<RecordCount> {
  return countByKey(await Target.of(hierarchy, options.area), source, options);
}

/**
 * Counts the records of a source by the working key that they name.
 *
 * @returns what is under which key, and how many are no protected records at all
 */
export async function countByKey(
  target: Target,
  source: AsyncIterable<KeptRecord> | Iterable<KeptRecord>,
  { rate = Number.POSITIVE_INFINITY, signal, onCount }: CountOptions = {},
): Promise<RecordCount> {
  const pace = new Pace(rate, signal);
  const records = new Map<string, number>();
  let [unreadable, counted] = [0, 0];
  for await (const { record } of source) {
    await pace.step();
    const id = record === null ? undefined : workingKeyOf(record);
    if (id === null) unreadable += 1;
    else if (id !== undefined) records.set(id, (records.get(id) ?? 0) + 1);
    counted += 1;
    onCount?.(counted);
  }
  return { keys: await target.describe(records), unreadable };
}
