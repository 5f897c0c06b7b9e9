/** New versions of an area's working key, drafted into a change. */

import { hex } from '../hex.ts';
import { attemptStep, stepOfWorkingKey } from './assessment.ts';
import { grant, type Load, requireWrapBudget } from './budget.ts';
import type { Change, WorkingDraft } from './change.ts';
import type { Engine } from './engine.ts';
import { masterDisabled } from './faults.ts';
import { newId, sameBytes } from './ids.ts';
import type { WorkingRow } from './stores/store.ts';
import { suiteOfByte } from './suites.ts';

/** Why a version was made, for the audit log. */
export type VersionReason = 'first use' | 'new master key' | 'budget spent' | 'administrator' | 'no active version';

export interface NewVersion {
  readonly id: Uint8Array;
  readonly version: number;
  /** Reserved for the process that made it. */
  readonly granted: number;
  /** The version that encrypted until now. */
  readonly retired: WorkingRow | null;
}

/**
 * Makes the next version of an area's key under the current master key, and retires the one before.
 *
 * @param load What it is made for; null when nothing is to be reserved.
 * @throws {CallsealError} `ERR_KEY_DISABLED`, `ERR_NOT_APPROVED`, `ERR_USAGE_LIMIT`
 */
export async function draftVersion(
  engine: Engine,
  change: Change,
  area: string,
  load: Load | null,
): Promise<NewVersion> {
  const now = change.before!;
  const master = now.current;
  if (master.state !== 'active') throw masterDisabled(master.id);
  const suite = suiteOfByte(master.suite);
  requireWrapBudget(suite, now.working.filter((row) => sameBytes(row.masterId, master.id)).length);

  const retired = now.activeOf(area) ?? null;
  if (retired !== null) change.putWorking(retire(retired));
  const wrapped = await engine.vault.with(change.storeId, master, (opened) => {
    const made = attemptStep(stepOfWorkingKey(suite), suite, () => opened.createWorkingKey(suite.working, suite.hash));
    made.key.destroy(); // it is opened from its row when it is used, like any other
    return made.wrapped;
  });
  const id = newId();
  const version = (now.versionsOf(area).at(-1)?.version ?? 0) + 1;
  const granted = load === null ? 0 : grant(suite, 0, load)!;
  change.putWorking({
    id,
    area,
    version,
    masterId: master.id,
    suite: suite.byte,
    state: 'active',
    sequence: 1,
    createdAt: change.at,
    reserved: granted,
    wrapped,
  });
  return { id, version, granted, retired };
}

export function retire(row: WorkingRow): WorkingDraft {
  return { ...row, state: 'retired', sequence: row.sequence + 1 };
}

/** What the audit log says of a new version. */
export function versionDetails(change: Change, area: string, made: NewVersion, reason: VersionReason) {
  const master = change.before!.current;
  return {
    area,
    version: made.version,
    working: hex(made.id),
    master: hex(master.id),
    suite: suiteOfByte(master.suite).text,
    retired: made.retired === null ? [] : [hex(made.retired.id)],
    reason,
  };
}
