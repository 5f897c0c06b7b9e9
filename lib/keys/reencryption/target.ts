/** Which keys records are moved away from, and under which keys records are. */

import { CallsealError } from '../../errors.ts';
import { hex } from '../../hex.ts';
import { parseHeader } from '../record.ts';
import type { WorkingKeyInfo } from '../working.ts';

/** What is needed of a hierarchy to know an area's keys. */
export interface KeyLister {
  readonly working: {
    /** As `WorkingKeys.list`. */
    list(area?: string): Promise<readonly WorkingKeyInfo[]>;
  };
}

/** Records under one working key. */
export interface RecordsOnKey {
  /** The working key's id. */
  readonly workingKey: string;
  /** Null for a key that the area does not have. */
  readonly version: number | null;
  readonly state: WorkingKeyInfo['state'] | null;
  readonly masterKey: string | null;
  readonly records: number;
}

/**
 * The aim of one job, fixed when it begins: away from the working keys that existed then and did not encrypt. A key that is
 * made while it runs, when another one's budget is used up, is as good as the one that encrypted at the beginning; otherwise no
 * job that fills a key would ever end.
 */
export class Target {
  readonly area: string;
  readonly #hierarchy: KeyLister;
  readonly #stale: ReadonlySet<string>;
  #known: ReadonlyMap<string, WorkingKeyInfo>;
  /** Ids that the area was seen not to have. */
  readonly #foreign = new Set<string>();

  private constructor(area: string, hierarchy: KeyLister, stale: Iterable<string>, known: readonly WorkingKeyInfo[]) {
    this.area = area;
    this.#hierarchy = hierarchy;
    this.#stale = new Set(stale);
    this.#known = new Map(known.map((key) => [key.id, key]));
  }

  /** @param stale of the job that is continued */
  static async of(hierarchy: KeyLister, area: string, stale?: readonly string[]): Promise<Target> {
    const keys = await hierarchy.working.list(area);
    return new Target(area, hierarchy, stale ?? keys.filter((key) => !key.encrypts).map((key) => key.id), keys);
  }

  /** Ids of the keys to move away from. */
  get stale(): string[] {
    return [...this.#stale].sort();
  }

  /**
   * Whether a record need not be touched.
   *
   * @throws {CallsealError} what {@link parseHeader} throws; `ERR_ENTITY_MISMATCH` for a record of another area.
   */
  async isReached(record: Uint8Array): Promise<boolean> {
    const header = parseHeader(record);
    if (header.area !== this.area) {
      const message = `the record is of area ${header.area}, not of ${this.area}`;
      throw new CallsealError('ERR_ENTITY_MISMATCH', message);
    }
    const id = hex(header.workingId);
    return !this.#stale.has(id) && (await this.#find(id)) !== null;
  }

  /** How many records each key has, by version. */
  async describe(records: ReadonlyMap<string, number>): Promise<RecordsOnKey[]> {
    const rows: RecordsOnKey[] = [];
    for (const [workingKey, count] of records) {
      const key = await this.#find(workingKey);
      const { version = null, state = null, master: masterKey = null } = key ?? {};
      rows.push({ workingKey, version, state, masterKey, records: count });
    }
    return rows.sort((a, b) => (a.version ?? 0) - (b.version ?? 0));
  }

  /** A key that is not known may have been made meanwhile. */
  async #find(id: string): Promise<WorkingKeyInfo | null> {
    if (!this.#known.has(id) && !this.#foreign.has(id)) {
      const keys = await this.#hierarchy.working.list(this.area);
      this.#known = new Map(keys.map((key) => [key.id, key]));
      if (!this.#known.has(id)) this.#foreign.add(id);
    }
    return this.#known.get(id) ?? null;
  }
}

/** The working key that a record names; null for what is no protected record. */
export function workingKeyOf(record: Uint8Array): string | null {
  try {
    return hex(parseHeader(record).workingId);
  } catch (error) {
    if (error instanceof CallsealError) return null;
    throw error;
  }
}
