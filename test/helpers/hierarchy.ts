/** Installation keys, stores and opened hierarchies for tests. Everything is destroyed after the test that made it. */

import { afterEach } from 'vitest';
import { type Entity, KeyHierarchy, type KeyHierarchyOptions } from '../../lib/keys/index.ts';
import type { InstallationKey } from '../../lib/keys/installation-key.ts';
import { generatePrivateKey } from '../../lib/recipients/private-key.ts';

export const ENTITY: Entity = { tenant: 'acme', type: 'claimant', id: 'c-41', field: 'template' };
export const PLAINTEXT = new TextEncoder().encode('a voice model');

const installations: Promise<InstallationKey>[] = [];

/** One of a few installation keys of this test process; making one takes a while. */
export function installationKey(index = 0): Promise<InstallationKey> {
  installations[index] ??= generatePrivateKey(2048).then((key) => ({ key, id: key.spkiSha256, destroy: () => {} }));
  return installations[index];
}

const opened: KeyHierarchy[] = [];

afterEach(async () => {
  for (const hierarchy of opened.splice(0)) await hierarchy.close();
});

export type TestOptions = Partial<KeyHierarchyOptions> & Pick<KeyHierarchyOptions, 'store' | 'stateDirectory'>;

export async function openHierarchy(options: TestOptions): Promise<KeyHierarchy> {
  const hierarchy = await KeyHierarchy.open({ installation: await installationKey(), actor: 'tester', ...options });
  opened.push(hierarchy);
  return hierarchy;
}
