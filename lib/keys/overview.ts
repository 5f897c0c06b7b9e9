/** The hierarchy at a glance. */

import { hex } from '../hex.ts';
import type { Engine } from './engine.ts';
import type { InstallationFacts } from './installation/types.ts';
import { type MasterKeyInfo, masterInfo } from './masters.ts';
import type { Snapshot } from './snapshot.ts';
import { type WorkingKeyInfo, workingInfo } from './working.ts';

/** What `KeyHierarchy.overview` shows: store, installation key, master keys and areas at one moment. */
export interface Overview {
  readonly store: {
    /** Without credentials. */
    readonly description: string;
    /** 32 hexadecimal digits. */
    readonly id: string;
    readonly createdAt: Date;
    /** Of the manifest; grows with every change. */
    readonly sequence: number;
  };
  readonly installation: {
    /** SHA-256 of the SubjectPublicKeyInfo, 64 hexadecimal digits. */
    readonly id: string;
    readonly algorithm: string;
    /** Length of the modulus. */
    readonly bits: number;
    /** What is done with it outside the FIPS module, and where, in a sentence, such as in a token; null for nothing. */
    readonly outside: string | null;
    /** Where it is kept; null for a key that was opened by other means. */
    readonly facts: InstallationFacts | null;
  };
  /**
   * Whether every step under the current master key that makes something new is an approved one. Of the installation key's own
   * steps, those outside the module are in `installation.outside` and among the remarks.
   */
  readonly approved: boolean;
  /** Bits of security of the chain under the current master key. */
  readonly strength: number;
  /** What an operator should know, in sentences; empty when all is well. */
  readonly remarks: readonly string[];
  readonly masters: readonly MasterKeyInfo[];
  readonly areas: readonly AreaOverview[];
  readonly audit: { readonly entries: number; readonly lastAt: Date };
  /** Where this host remembers what it has seen; null when it does not. */
  readonly stateDirectory: string | null;
}

/** What {@link Overview} says of one area. */
export interface AreaOverview {
  readonly area: string;
  /** The newest version. */
  readonly newest: WorkingKeyInfo;
  /** Versions that still decrypt, the newest included. */
  readonly readable: number;
  readonly versions: number;
}

/** Reads and verifies everything now. */
export async function overviewOf(engine: Engine, stateDirectory: string | null): Promise<Overview> {
  const snapshot = await engine.refresh();
  const last = await engine.parts.store.readLastAudit();
  const { store, installation } = engine.parts;
  const { bits, algorithm, unwrappedOutside: outside } = installation.key;
  const masters = snapshot.masters.map((row) => masterInfo(snapshot, row, bits));
  const current = masters.find((master) => master.current)!;
  const areas = areasOf(snapshot, bits);
  return {
    store: {
      description: store.description,
      id: hex(snapshot.store.storeId),
      createdAt: new Date(snapshot.store.createdAt),
      sequence: snapshot.store.sequence,
    },
    installation: { id: hex(installation.id), algorithm, bits, outside, facts: installation.facts ?? null },
    approved: current.assessment.approved,
    strength: current.assessment.strength.chain,
    remarks: [...remarksOn(masters, current, areas, stateDirectory), ...(outside === null ? [] : [outside])],
    masters,
    areas,
    audit: { entries: snapshot.store.auditSequence, lastAt: new Date(last?.at ?? snapshot.store.createdAt) },
    stateDirectory,
  };
}

function areasOf(snapshot: Snapshot, installationBits: number): AreaOverview[] {
  const areas = new Map<string, WorkingKeyInfo[]>();
  for (const row of snapshot.working) {
    const versions = areas.get(row.area) ?? [];
    areas.set(row.area, [...versions, workingInfo(snapshot, row, installationBits)]);
  }
  return [...areas].map(([area, versions]) => ({
    area,
    newest: versions.at(-1)!,
    readable: versions.filter((version) => version.decrypts).length,
    versions: versions.length,
  }));
}

function remarksOn(
  masters: readonly MasterKeyInfo[],
  current: MasterKeyInfo,
  areas: readonly AreaOverview[],
  stateDirectory: string | null,
): string[] {
  const remarks = [...current.assessment.remarks];
  if (current.state === 'disabled') remarks.push('the current master key is disabled: nothing is encrypted');
  for (const master of masters) {
    if (master.current || master.state === 'removed') continue;
    if (master.state === 'disabled') remarks.push(`master key ${master.id} is disabled: its records cannot be read`);
    if (!master.assessment.approved) {
      remarks.push(
        `records under master key ${master.id} (${master.suite}) are protected by steps that are not approved any more`,
      );
    }
  }
  for (const { area, newest } of areas) {
    if (newest.state === 'active' && !newest.encrypts && newest.master !== current.id) {
      remarks.push(
        `area ${area} has had no record since the master key was rotated: its newest key is under an older one`,
      );
    }
  }
  if (stateDirectory === null)
    remarks.push('this host remembers nothing: a store put back to an earlier copy is not noticed');
  return remarks;
}
