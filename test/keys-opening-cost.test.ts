/** What opening a hierarchy costs in operations of the installation key, which a token or RSA-4096 makes dear. */

import { afterEach, expect, test, vi } from 'vitest';
import { anotherHost, ENTITY, installationKey, openHierarchy, PLAINTEXT } from './helpers/hierarchy.ts';
import { tempDir } from './helpers/temp.ts';

const AREAS = Array.from({ length: 30 }, (_, index) => `area-${index}`);

afterEach(() => vi.restoreAllMocks());

test('the private key is used once a master key, however many working keys there are', async () => {
  const place = { store: `sqlite:${tempDir()}/keys.db`, stateDirectory: anotherHost() };
  const keys = await openHierarchy(place);
  const records: [area: string, sealed: Uint8Array][] = [];
  for (const round of [1, 2]) {
    if (round === 2) await keys.masters.rotate();
    for (const area of AREAS) records.push([area, await keys.protect(area, ENTITY, PLAINTEXT)]);
  }
  expect(await keys.working.list()).toHaveLength(2 * AREAS.length);
  await keys.close();

  const { key } = await installationKey();
  const unwrap = vi.spyOn(key, 'unwrapMaster');
  const sign = vi.spyOn(key, 'sign');
  const again = await openHierarchy(place);
  for (const [area, sealed] of records) expect(await again.unprotect(area, ENTITY, sealed)).toEqual(PLAINTEXT);
  expect(unwrap).toHaveBeenCalledTimes(2);
  expect(sign).not.toHaveBeenCalled();
});
