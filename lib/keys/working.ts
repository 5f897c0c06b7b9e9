/** What an administrator does with working keys: look at their budgets, rotate, remove. */

import { CallsealError } from '../errors.ts';
import { hex } from '../hex.ts';
import { assertArea } from './area.ts';
import { assess, type SuiteAssessment } from './assessment.ts';
import { budgetOf } from './budget.ts';
import type { Engine } from './engine.ts';
import { removedKey, unknownKey } from './faults.ts';
import { parseId } from './ids.ts';
import { recordsLeft } from './reencryption-log.ts';
import type { Snapshot } from './snapshot.ts';
import type { WorkingRow, WorkingState } from './stores/store.ts';
import { suiteOfByte } from './suites.ts';
import { draftVersion, versionDetails } from './versions.ts';

/** A working key as listings show it. */
export interface WorkingKeyInfo {
  /** 32 hexadecimal digits. */
  readonly id: string;
  readonly area: string;
  /** From 1 in each area. */
  readonly version: number;
  readonly state: WorkingState;
  /** Whether new records of its area are encrypted with it: it is active, and its master key current and active. */
  readonly encrypts: boolean;
  /** Whether its records can be decrypted: it is not removed, and its master key active. */
  readonly decrypts: boolean;
  /** Id of its master key. */
  readonly master: string;
  readonly suite: string;
  /** Of the suite's steps, and of the chain from the installation key to this one. */
  readonly assessment: SuiteAssessment;
  readonly createdAt: Date;
  readonly budget: {
    /** `messages` for AES-256-GCM, `blocks` of 8 bytes for 3DES. */
    readonly unit: 'messages' | 'blocks';
    /** Given out to processes, used or not. */
    readonly reserved: number;
    readonly limit: number;
  };
}

/** The working keys of a store: level 3. `KeyHierarchy.working` is one. */
export class WorkingKeys {
  readonly #engine: Engine;

  /** @internal */
  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /**
   * Working keys by area and version, removed ones included; read and verified now.
   *
   * @param area Default: all areas.
   * @throws {CallsealError} `ERR_INVALID_ARGUMENT`
   */
  async list(area?: string): Promise<WorkingKeyInfo[]> {
    if (area !== undefined) assertArea(area);
    const snapshot = await this.#engine.refresh();
    const rows = area === undefined ? snapshot.working : snapshot.versionsOf(area);
    const { bits } = this.#engine.parts.installation.key;
    return rows.map((row) => workingInfo(snapshot, row, bits));
  }

  /**
   * Makes a new version of an area's key under the current master key; the one before only decrypts from now on.
   *
   * @returns Id of the new version.
   * @throws {CallsealError} `ERR_INVALID_ARGUMENT`, `ERR_KEY_DISABLED`, `ERR_NOT_APPROVED`, `ERR_USAGE_LIMIT`.
   */
  async rotate(area: string): Promise<string> {
    assertArea(area);
    return this.#engine.change(async (change) => {
      const made = await draftVersion(this.#engine, change, area, null);
      change.record('working.rotate', versionDetails(change, area, made, 'administrator'));
      return hex(made.id);
    });
  }

  /**
   * Destroys a working key for good. Its row stays, without the key.
   *
   * @param options.force Also when records may be left that nobody can read then; the audit log says so.
   * @throws {CallsealError} `ERR_KEY_IN_USE` unless the key was never used, or every re-encryption known for its area was begun
   * after the key retired and finished with nothing left on it; `ERR_INVALID_ARGUMENT`, `ERR_KEY_UNKNOWN`.
   */
  async remove(id: string, options: { readonly force?: boolean } = {}): Promise<void> {
    parseId(id, 'working key');
    const { force = false } = options;
    await this.#engine.change(async (change, now, writer) => {
      const row = find(now, id);
      const reason = await recordsLeft(writer, now, row);
      if (reason !== null && !force) throw inUse(row, reason);
      change.putWorking({ ...row, state: 'removed', sequence: row.sequence + 1, wrapped: new Uint8Array(0) });
      const forced = reason === null ? {} : { forced: true, lost: reason };
      change.record('working.remove', { area: row.area, version: row.version, working: id, ...forced });
    });
  }
}

/** @param installationBits Length of the installation key's modulus. */
export function workingInfo(snapshot: Snapshot, row: WorkingRow, installationBits: number): WorkingKeyInfo {
  const suite = suiteOfByte(row.suite);
  const master = snapshot.masterOf(row);
  const { unit, limit } = budgetOf(suite);
  const usable = master.state === 'active';
  return {
    id: hex(row.id),
    area: row.area,
    version: row.version,
    state: row.state,
    encrypts: usable && snapshot.encryptsFor(row.area) === row,
    decrypts: usable && row.state !== 'removed',
    master: hex(master.id),
    suite: suite.text,
    assessment: assess(suite, installationBits),
    createdAt: new Date(row.createdAt),
    budget: { unit, reserved: row.reserved, limit },
  };
}

function find(now: Snapshot, id: string): WorkingRow {
  const row = now.workingKey(id);
  if (row === undefined) throw unknownKey('working key', id);
  if (row.state === 'removed') throw removedKey('working key', id);
  return row;
}

function inUse(row: WorkingRow, reason: string): CallsealError {
  return new CallsealError(
    'ERR_KEY_IN_USE',
    `working key ${hex(row.id)} (area ${row.area}, version ${row.version}) may still be needed: ${reason}`,
  );
}
