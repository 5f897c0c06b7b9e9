/** Installation keys, stores and opened hierarchies for tests. Hierarchies are closed after the test that opened them. */

import { join } from 'node:path';
import { afterEach } from 'vitest';
import { type Entity, type InstallationKey, KeyHierarchy, type KeyHierarchyOptions } from '../../lib/keys/index.ts';
import { generatePrivateKey } from '../../lib/recipients/private-key.ts';
import { tempDir } from './temp.ts';

export const ENTITY: Entity = { tenant: 'acme', type: 'claimant', id: 'c-41', field: 'template' };
export const PLAINTEXT = new TextEncoder().encode('a voice model');

/** Where a hierarchy is, and what a host remembers of it. */
export interface Place {
  readonly store: string;
  readonly stateDirectory: string;
}

/** Of a store that is not there yet. */
export async function freshPlace(kind: { freshUrl(): Promise<string> }): Promise<Place> {
  return { store: await kind.freshUrl(), stateDirectory: anotherHost() };
}

/** A state directory that remembers nothing. */
export function anotherHost(): string {
  return join(tempDir(), 'state');
}

const installations: Promise<InstallationKey>[] = [];

/** One of the installation keys of this test file; making one takes a while. */
export function installationKey(index = 0): Promise<InstallationKey> {
  installations[index] ??= generatePrivateKey(2048).then((key) => ({ key, id: key.spkiSha256, destroy: () => {} }));
  return installations[index];
}

/** The first installation key in a file, for other processes. */
export async function installationFile(): Promise<string> {
  const path = join(tempDir(), 'installation.key');
  await (await installationKey()).key.save(path, null);
  return path;
}

const opened: KeyHierarchy[] = [];

afterEach(async () => {
  for (const hierarchy of opened.splice(0)) await hierarchy.close();
});

export type TestOptions = Partial<KeyHierarchyOptions> & Pick<KeyHierarchyOptions, 'store' | 'stateDirectory'>;

export async function openHierarchy(options: TestOptions): Promise<KeyHierarchy> {
  const hierarchy = await KeyHierarchy.open(await withInstallation(options));
  opened.push(hierarchy);
  return hierarchy;
}

export async function withInstallation(options: TestOptions): Promise<KeyHierarchyOptions> {
  return { installation: await installationKey(), actor: 'tester', ...options };
}

/** Makes a few areas' keys in some states: `models` has versions 1 (retired) and 2, `features` is under an older master key. */
export async function populate(keys: KeyHierarchy): Promise<{ model: Uint8Array; feature: Uint8Array }> {
  const feature = await keys.protect('features', ENTITY, PLAINTEXT);
  const model = await keys.protect('models', ENTITY, PLAINTEXT);
  await keys.masters.rotate();
  await keys.working.rotate('models');
  await keys.protect('models', ENTITY, PLAINTEXT);
  return { model, feature };
}
