/** A few records at a time: looked at and re-encrypted one by one, written back together. */

import type { CallsealError } from '../../errors.ts';
import type { Entity } from '../entity.ts';
import type { Pace } from './pace.ts';
import { isOfOneRecord, type Outcome, type ReencryptionFailure, type Tally } from './tally.ts';
import type { KeyLister, Target } from './target.ts';

/** What is needed of a hierarchy; `KeyHierarchy` is one. */
export interface Reencrypter extends KeyLister {
  /** As `KeyHierarchy.reencrypt`. */
  reencrypt(area: string, entity: Entity, record: Uint8Array): Promise<Uint8Array>;
  /** As `KeyHierarchy.unprotect`. */
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

/** A record and what is to take its place. */
export interface Replacement<R extends KeptRecord> {
  readonly kept: R;
  readonly record: Uint8Array;
}

export interface ChunkWork<R extends KeptRecord> {
  readonly hierarchy: Reencrypter;
  readonly target: Target;
  readonly tally: Tally;
  readonly pace: Pace;
  readonly dryRun: boolean;
  /** Writes each new record where the old one still is; says of each whether it was. */
  readonly replaceAll: (replacements: readonly Replacement<R>[]) => Promise<readonly boolean[]>;
  /** The record as it is now, null when it is gone; undefined when nobody can say. */
  readonly reread: (kept: R) => Promise<R | null | undefined>;
  readonly onFailure: (failure: ReencryptionFailure) => void;
}

/** What a record is at first sight: over and done, or to be written. */
type Finding = Outcome | { readonly fresh: Uint8Array } | { readonly failure: CallsealError };

/** How often a record that its owner keeps changing is read again. */
const ATTEMPTS = 5;

/** @throws {CallsealError} what concerns all records; failures of single ones are in the tally. */
export async function workOff<R extends KeptRecord>(chunk: readonly R[], work: ChunkWork<R>): Promise<void> {
  const findings: [R, Finding][] = [];
  for (const kept of chunk) {
    await work.pace.step();
    findings.push([kept, await examine(kept, work)]);
  }
  const replacements = findings.flatMap(([kept, finding]) =>
    typeof finding === 'object' && 'fresh' in finding ? [{ kept, record: finding.fresh }] : [],
  );
  const written = replacements.length === 0 ? [] : await work.replaceAll(replacements);
  const isWritten = new Map(replacements.map(({ kept }, index) => [kept, written[index] === true]));
  for (const [kept, finding] of findings) {
    if (typeof finding === 'string' || 'failure' in finding) count(kept, finding, work);
    else if (isWritten.get(kept)) work.tally.add('reencrypted');
    else await again(kept, work);
  }
}

async function examine<R extends KeptRecord>(
  { entity: given, record }: R,
  { hierarchy, target, dryRun }: ChunkWork<R>,
): Promise<Finding> {
  if (record === null) return 'empty';
  try {
    const entity = typeof given === 'function' ? given() : given;
    const isReached = await target.isReached(record);
    if (dryRun) {
      await hierarchy.unprotect(target.area, entity, record);
      return isReached ? 'current' : 'reencrypted';
    }
    return isReached ? 'current' : { fresh: await hierarchy.reencrypt(target.area, entity, record) };
  } catch (error) {
    if (isOfOneRecord(error)) return { failure: error };
    throw error;
  }
}

function count<R extends KeptRecord>(
  { key }: R,
  finding: Exclude<Finding, { fresh: Uint8Array }>,
  work: ChunkWork<R>,
): void {
  if (typeof finding === 'string') work.tally.add(finding);
  else work.onFailure(work.tally.fail(key, finding.failure));
}

/** For a record that somebody else has changed. */
async function again<R extends KeptRecord>(first: R, work: ChunkWork<R>): Promise<void> {
  let kept = first;
  for (let attempt = 2; attempt <= ATTEMPTS; attempt += 1) {
    const now = await work.reread(kept);
    if (now === undefined) break;
    if (now === null) return work.tally.add('gone');
    kept = now;
    const finding = await examine(kept, work);
    // What is under the right key now was put there by its owner.
    if (finding === 'current') break;
    if (typeof finding === 'string' || 'failure' in finding) return count(kept, finding, work);
    const [written] = await work.replaceAll([{ kept, record: finding.fresh }]);
    if (written) return work.tally.add('reencrypted');
  }
  work.tally.add('changed');
}
