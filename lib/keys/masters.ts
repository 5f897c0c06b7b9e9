/** What an administrator does with master keys: make, rotate, disable, enable, remove. */

import { CallsealError } from '../errors.ts';
import { hex } from '../hex.ts';
import { assess, type SuiteAssessment } from './assessment.ts';
import type { Change, MasterDraft } from './change.ts';
import type { Engine } from './engine.ts';
import { masterDisabled, removedKey, unknownKey } from './faults.ts';
import { parseId } from './ids.ts';
import { makeMaster } from './master-key.ts';
import type { Snapshot } from './snapshot.ts';
import type { MasterRow, MasterState, WorkingRow } from './stores/store.ts';
import { parseSuite, suiteOfByte } from './suites.ts';

/** A master key as listings show it. */
export interface MasterKeyInfo {
  /** 32 hexadecimal digits. */
  readonly id: string;
  readonly state: MasterState;
  /** Whether new working keys are made under it. */
  readonly current: boolean;
  /** Such as `aes/aes/sha256`. */
  readonly suite: string;
  readonly assessment: SuiteAssessment;
  readonly createdAt: Date;
  /** Of the last change of its state. */
  readonly changedAt: Date;
  /** How many working keys it protects, by their state. */
  readonly workingKeys: Readonly<Record<WorkingRow['state'], number>>;
}

/** Options of {@link MasterKeys.create} and {@link MasterKeys.rotate}. */
export interface MasterSuiteOptions {
  /** Such as `aes/3des/sha256`, or `lumenvox`. Default: the current master key's. */
  readonly suite?: string | undefined;
}

/** Options of {@link MasterKeys.rotate}: what the new key is to be, or which key becomes current. */
export type MasterRotateOptions =
  | MasterSuiteOptions
  | {
      /** An active master key that becomes current, instead of a new one. */
      readonly id: string;
    };

/** The master keys of a store: level 2. `KeyHierarchy.masters` is one. */
export class MasterKeys {
  readonly #engine: Engine;

  /** @internal */
  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** All master keys, removed ones included, oldest first; read and verified now. */
  async list(): Promise<MasterKeyInfo[]> {
    const snapshot = await this.#engine.refresh();
    const bits = this.#engine.parts.installation.key.bits;
    return snapshot.masters
      .map((row) => masterInfo(snapshot, row, bits))
      .sort((a, b) => a.createdAt.getTime() - b.createdAt.getTime());
  }

  /**
   * Makes a master key beside the current one. Nothing uses it until {@link rotate} makes it current.
   *
   * @returns Its id.
   * @throws {CallsealError} `ERR_INVALID_ARGUMENT`; `ERR_NOT_APPROVED` when the module refuses a step of the suite.
   */
  async create(options: MasterSuiteOptions = {}): Promise<string> {
    return this.#engine.change(async (change, now) => {
      const made = await this.#make(change, now, options.suite);
      change.record('master.create', { master: hex(made.id), suite: suiteOfByte(made.suite).text });
      return hex(made.id);
    });
  }

  /**
   * Makes another master key current, a new one unless `id` names one. Areas go on under it from their next record; the
   * old key stays active, so that what is under it can be decrypted. Naming the current key changes nothing.
   *
   * @returns The id of the key that is current now.
   * @throws {CallsealError} `ERR_INVALID_ARGUMENT`, `ERR_KEY_UNKNOWN`, `ERR_KEY_DISABLED`, `ERR_NOT_APPROVED`.
   */
  async rotate(options: MasterRotateOptions = {}): Promise<string> {
    return this.#engine.change(async (change, now) => {
      const chosen = 'id' in options ? find(now, options.id) : await this.#make(change, now, options.suite);
      if (chosen.state !== 'active') throw masterDisabled(chosen.id);
      const id = hex(chosen.id);
      const before = hex(now.current.id);
      if (id === before) return id;
      change.makeCurrent(chosen.id);
      change.record('master.rotate', { master: id, suite: suiteOfByte(chosen.suite).text, before });
      return id;
    });
  }

  /**
   * Nothing under the key encrypts or decrypts any more, on any server, until {@link enable}. A current key stays current:
   * encryption stops, too, until it is enabled or another is made current. A disabled key is left as it is.
   *
   * @throws {CallsealError} `ERR_INVALID_ARGUMENT`, `ERR_KEY_UNKNOWN`.
   */
  async disable(id: string): Promise<void> {
    await this.#engine.change((change, now) => setState(change, find(now, id), 'disabled', 'master.disable'));
  }

  /**
   * Undoes {@link disable}. An active key is left as it is.
   *
   * @throws {CallsealError} `ERR_INVALID_ARGUMENT`, `ERR_KEY_UNKNOWN`.
   */
  async enable(id: string): Promise<void> {
    await this.#engine.change((change, now) => setState(change, find(now, id), 'active', 'master.enable'));
  }

  /**
   * Destroys a master key, active or disabled, for good. Its row stays, without the key.
   *
   * @throws {CallsealError} `ERR_KEY_IN_USE` while working keys depend on it (the message counts them) or it is current;
   * `ERR_INVALID_ARGUMENT`, `ERR_KEY_UNKNOWN`.
   */
  async remove(id: string): Promise<void> {
    await this.#engine.change((change, now) => {
      const row = find(now, id);
      requireUnused(now, row);
      change.putMaster({ ...draftOf(row), state: 'removed', wrapped: new Uint8Array(0) });
      change.record('master.remove', { master: id });
    });
  }

  async #make(change: Change, now: Snapshot, suiteText: string | undefined): Promise<MasterDraft> {
    const suite = suiteText === undefined ? suiteOfByte(now.current.suite) : parseSuite(suiteText);
    const { installation } = this.#engine.parts;
    const master = await makeMaster(installation, this.#engine.vault, change.storeId, suite, change.at);
    change.putMaster(master);
    return master;
  }
}

export function masterInfo(snapshot: Snapshot, row: MasterRow, installationBits: number): MasterKeyInfo {
  const suite = suiteOfByte(row.suite);
  const workingKeys = { active: 0, retired: 0, removed: 0 };
  for (const working of snapshot.working) if (snapshot.masterOf(working) === row) workingKeys[working.state] += 1;
  return {
    id: hex(row.id),
    state: row.state,
    current: snapshot.isCurrent(row),
    suite: suite.text,
    assessment: assess(suite, installationBits),
    createdAt: new Date(row.createdAt),
    changedAt: new Date(row.changedAt),
    workingKeys,
  };
}

/** A master key that is not removed. */
function find(now: Snapshot, id: string): MasterRow {
  parseId(id, 'master key');
  const row = now.master(id);
  if (row === undefined) throw unknownKey('master key', id);
  if (row.state === 'removed') throw removedKey('master key', id);
  return row;
}

function setState(
  change: Change,
  row: MasterRow,
  state: 'active' | 'disabled',
  event: 'master.disable' | 'master.enable',
): void {
  if (row.state === state) return;
  change.putMaster({ ...draftOf(row), state });
  change.record(event, { master: hex(row.id) });
}

function requireUnused(now: Snapshot, row: MasterRow): void {
  const dependants = now.dependants(row);
  const id = hex(row.id);
  if (dependants.length > 0) {
    const areas = new Map<string, number>();
    for (const { area } of dependants) areas.set(area, (areas.get(area) ?? 0) + 1);
    const counts = [...areas].map(([area, count]) => `${area}: ${count}`).join(', ');
    throw new CallsealError(
      'ERR_KEY_IN_USE',
      `${dependants.length} working ${dependants.length === 1 ? 'key depends' : 'keys depend'} on master key ${id} (${counts}); make another current (\`callseal master rotate\`), ` +
        're-encrypt their records (`callseal reencrypt`) and remove them (`callseal working remove`)',
    );
  }
  if (now.isCurrent(row)) {
    throw new CallsealError(
      'ERR_KEY_IN_USE',
      `master key ${id} is the current one; make another current first (\`callseal master rotate\`)`,
    );
  }
}

function draftOf({ id, suite, state, createdAt, wrapped }: MasterRow): MasterDraft {
  return { id, suite, state, createdAt, wrapped };
}
