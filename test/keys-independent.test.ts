/** What Callseal writes is what docs/keys.md says: a reader that knows nothing but that proves a store and opens its records. */

import { join } from 'node:path';
import { expect, test } from 'vitest';
import { SUITES } from '../lib/keys/index.ts';
import { anotherHost, ENTITY, installationFile, openHierarchy, PLAINTEXT } from './helpers/hierarchy.ts';
import { tempDir } from './helpers/temp.ts';
import { IndependentHierarchy } from './independent-hierarchy.ts';

test('a store with keys of all suites in all states, and its records', async () => {
  const path = join(tempDir(), 'keys.db');
  const keys = await openHierarchy({ store: `sqlite:${path}`, stateDirectory: anotherHost() });
  const records: Uint8Array[] = [await keys.protect('models', ENTITY, PLAINTEXT)];
  for (const { text } of SUITES.slice(1)) {
    await keys.masters.rotate({ suite: text });
    records.push(await keys.protect('models', ENTITY, PLAINTEXT));
    await keys.protectMany('features', [{ entity: ENTITY, bytes: PLAINTEXT }]);
  }
  const masters = await keys.masters.list();
  await keys.masters.disable(masters[2]!.id);
  await keys.working.rotate('models');
  await keys.working.remove(await keys.working.rotate('identities'));
  await keys.masters.remove(await keys.masters.create());

  const reader = new IndependentHierarchy(path, await installationFile());
  expect(reader.complaints()).toEqual([]);
  for (const record of records) {
    const entity = ['acme', 'models', 'claimant', 'c-41', 'template'] as [string, string, string, string, string];
    expect(new Uint8Array(reader.unprotect(Buffer.from(record), entity))).toEqual(PLAINTEXT);
    entity[3] = 'c-42';
    expect(() => reader.unprotect(Buffer.from(record), entity)).toThrow(/binding tag/);
  }
});
