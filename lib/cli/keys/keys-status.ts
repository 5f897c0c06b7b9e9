/**
 * What `callseal status` says of the key hierarchy: verified with the installation key where its passphrase is at hand, or
 * else what the rows say, which nobody vouches for.
 */

import { hex } from '../../hex.ts';
import { assess } from '../../keys/assessment.ts';
import type { Installation, InstallationFacts } from '../../keys/installation/types.ts';
import type { Overview } from '../../keys/overview.ts';
import type { MasterRow, StoreReader, StoreRow, WorkingRow } from '../../keys/stores/store.ts';
import { isSuiteByte, suiteOfByte } from '../../keys/suites.ts';

/** With the installation key. */
export interface VerifiedKeys extends Overview {
  readonly verified: true;
  readonly place: InstallationFacts['place'];
  readonly exportable: boolean | null;
  readonly certificate: InstallationFacts['certificate'];
}

/** Without it. */
export interface UnverifiedKeys {
  readonly verified: false;
  /** Why not, and what to give. */
  readonly reason: string;
  readonly store: { readonly description: string; readonly id: string | null; readonly sequence: number | null };
  readonly installation: { readonly id: string | null };
  readonly masters: readonly UnverifiedMaster[];
  readonly areas: readonly UnverifiedArea[];
  readonly audit: { readonly entries: number; readonly lastAt: Date | null };
}

export interface UnverifiedMaster {
  readonly id: string;
  readonly state: MasterRow['state'];
  readonly current: boolean;
  readonly suite: string;
  /** Null for a suite that is none. */
  readonly approved: boolean | null;
  readonly createdAt: Date;
}

export interface UnverifiedArea {
  readonly area: string;
  readonly versions: number;
  readonly state: WorkingRow['state'];
  readonly reserved: number;
}

export type KeysStatus = VerifiedKeys | UnverifiedKeys;

/** @throws {CallsealError} as `KeyHierarchy.open` does. */
export async function verifiedKeys(
  store: string,
  installation: Installation,
  stateDirectory: string,
): Promise<VerifiedKeys> {
  const { KeyHierarchy } = await import('../../keys/hierarchy.ts');
  const keys = await KeyHierarchy.open({ store, installation, stateDirectory, create: false });
  try {
    const { place, exportable, certificate } = installation.facts;
    return { verified: true, place, exportable, certificate, ...(await keys.overview()) };
  } finally {
    await keys.close();
  }
}

/** @throws {CallsealError} as `openStore` does. */
export async function unverifiedKeys(url: string, reason: string): Promise<UnverifiedKeys> {
  const { openStore } = await import('../../keys/stores/open-store.ts');
  const store = await openStore(url, { create: false });
  try {
    const rows = await store.snapshot(readRows);
    return { verified: false, reason, ...publicFacts(store.description, rows) };
  } finally {
    await store.close();
  }
}

async function readRows(reader: StoreReader) {
  return {
    store: await reader.readStore(),
    masters: await reader.readMasters(),
    working: await reader.readWorking(),
    audit: await reader.readLastAudit(),
  };
}

type Rows = Awaited<ReturnType<typeof readRows>>;

function publicFacts(description: string, { store, masters, working, audit }: Rows) {
  return {
    store: { description, id: store === null ? null : hex(store.storeId), sequence: store?.sequence ?? null },
    installation: { id: store === null ? null : hex(store.installationId) },
    masters: masters.map((row) => masterFacts(row, store)),
    areas: areasOf(working),
    audit: { entries: audit?.sequence ?? 0, lastAt: audit === null ? null : new Date(audit.at) },
  };
}

function masterFacts({ id, state, suite, createdAt }: MasterRow, store: StoreRow | null): UnverifiedMaster {
  const known = isSuiteByte(suite) ? suiteOfByte(suite) : null;
  return {
    id: hex(id),
    state,
    current: store !== null && hex(store.currentMasterId) === hex(id),
    suite: known?.text ?? `unknown (${suite})`,
    // Whether a step is approved does not depend on the length of the installation key.
    approved: known === null ? null : assess(known, 4096).approved,
    createdAt: new Date(createdAt),
  };
}

function areasOf(working: readonly WorkingRow[]): UnverifiedArea[] {
  const areas = new Map<string, UnverifiedArea>();
  for (const { area, version, state, reserved } of working)
    areas.set(area, { area, versions: version, state, reserved });
  return [...areas.values()];
}
