/** Records of an area, wherever they are kept, brought under the key that encrypts now. */

import type { Entity } from '../entity.ts';
import { Pace } from './pace.ts';
import { isOfOneRecord, type Outcome, type OutcomeCounts, type ReencryptionFailure, Tally } from './tally.ts';
import { type KeyLister, type RecordsOnKey, Target, workingKeyOf } from './target.ts';

/** What is needed of a hierarchy; `KeyHierarchy` is one. */
export interface Reencrypter extends KeyLister {
  reencrypt(area: string, entity: Entity, record: Uint8Array): Promise<Uint8Array>;
  unprotect(area: string, entity: Entity, record: Uint8Array): Promise<Uint8Array>;
}

/** One record where it is kept. */
export interface KeptRecord {
  /** Names it in the report. */
  readonly key: string;
  /** What it belongs to; a function is called only when that is needed. */
  readonly entity: Entity | (() => Entity);
  /** Null: there is none. */
  readonly record: Uint8Array | null;
}

export interface ReencryptAllOptions<R extends KeptRecord> {
  readonly area: string;
  /**
   * Writes the new record where the old one still is, in one step (compare and set), and says whether it was there. It must not
   * write over what somebody else has written meanwhile.
   */
  readonly replace: (kept: R, record: Uint8Array) => boolean | Promise<boolean>;
  /** The record as it is now, null when it is gone; asked when {@link replace} found another. Without it, the other stays. */
  readonly reread?: (kept: R) => R | null | Promise<R | null>;
  /** Only look: every record is opened, none is written. */
  readonly dryRun?: boolean;
  /** Records a second, at most. Default: no limit. */
  readonly rate?: number;
  readonly signal?: AbortSignal;
  readonly onFailure?: (failure: ReencryptionFailure) => void;
  /** Called after each record. */
  readonly onProgress?: (counts: Readonly<OutcomeCounts>) => void;
}

export interface ReencryptAllResult {
  readonly counts: Readonly<OutcomeCounts>;
  /** The first 200. */
  readonly failures: readonly ReencryptionFailure[];
}

/** How often a record that its owner keeps changing is read again. */
const ATTEMPTS = 5;

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
  const target = await Target.of(hierarchy, options.area);
  const { counts, failures } = await reencryptTowards(target, hierarchy, source, options, new Tally());
  return { counts, failures };
}

/** {@link reencryptAll} with an aim and a tally of the caller's. */
export async function reencryptTowards<R extends KeptRecord>(
  target: Target,
  hierarchy: Reencrypter,
  source: AsyncIterable<R> | Iterable<R>,
  options: ReencryptAllOptions<R>,
  tally: Tally,
): Promise<Tally> {
  const pace = new Pace(options.rate ?? Number.POSITIVE_INFINITY, options.signal);
  for await (const kept of source) {
    await pace.step();
    try {
      tally.add(await treat(kept, target, hierarchy, options));
    } catch (error) {
      if (!isOfOneRecord(error)) throw error;
      const failure = tally.fail(kept.key, error);
      options.onFailure?.(failure);
    }
    options.onProgress?.(tally.counts);
  }
  return tally;
}

/** @throws {CallsealError} */
async function treat<R extends KeptRecord>(
  first: R,
  target: Target,
  hierarchy: Reencrypter,
  { area, replace, reread, dryRun = false }: ReencryptAllOptions<R>,
): Promise<Outcome> {
  let kept = first;
  for (let attempt = 1; ; attempt += 1) {
    if (kept.record === null) return 'empty';
    const entity = typeof kept.entity === 'function' ? kept.entity() : kept.entity;
    const isReached = await target.isReached(kept.record);
    if (dryRun) {
      await hierarchy.unprotect(area, entity, kept.record);
      return isReached ? 'current' : 'reencrypted';
    }
    if (isReached) return attempt === 1 ? 'current' : 'changed';
    const fresh = await hierarchy.reencrypt(area, entity, kept.record);
    if (await replace(kept, fresh)) return 'reencrypted';
    const now = attempt < ATTEMPTS ? await reread?.(kept) : undefined;
    if (now === undefined) return 'changed';
    if (now === null) return 'gone';
    kept = now;
  }
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
): Promise<{ keys: RecordsOnKey[]; unreadable: number }> {
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

export interface CountOptions {
  readonly rate?: number;
  readonly signal?: AbortSignal | undefined;
  readonly onCount?: (counted: number) => void;
}
