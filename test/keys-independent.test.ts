/** What Callseal writes is what docs/keys.md says: a reader that knows nothing else proves a store and opens its records. */

import { beforeAll, describe, expect, test } from 'vitest';
import { SUITES } from '../lib/keys/index.ts';
import { ENTITY, freshPlace, installationFile, openHierarchy, PLAINTEXT } from './helpers/hierarchy.ts';
import { independentStore } from './helpers/independent.ts';
import { STORE_KINDS } from './helpers/stores.ts';

describe.each(STORE_KINDS)('$name', (kind) => {
  beforeAll(() => kind.prepare());

  test('a store with keys of all suites in all states, and its records', async () => {
    const place = await freshPlace(kind);
    const keys = await openHierarchy(place);
    const records: Uint8Array[] = [await keys.protect('models', ENTITY, PLAINTEXT)];
    for (const { text } of SUITES.slice(1)) {
      await keys.masters.rotate({ suite: text });
      records.push(await keys.protect('models', ENTITY, PLAINTEXT));
      records.push(...(await keys.protectMany('models', [{ entity: ENTITY, bytes: PLAINTEXT }])));
      await keys.protect('a.b-c_d', ENTITY, PLAINTEXT);
    }
    const masters = await keys.masters.list();
    await keys.masters.disable(masters[2]!.id);
    await keys.working.rotate('models');
    await keys.working.remove(await keys.working.rotate('identities'));
    await keys.masters.remove(await keys.masters.create());

    const reader = await independentStore(place.store, await installationFile());
    expect(reader.isSound()).toBe(true);
    for (const record of records) {
      expect(reader.open(ENTITY, record)).toEqual(PLAINTEXT);
      expect(() => reader.open({ ...ENTITY, id: 'c-42' }, record)).toThrow(/another entity/);
    }
  });
});
