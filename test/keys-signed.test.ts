/**
 * Rows that the installation key signed and that must not be believed all the same: its signature says who wrote them, not
 * that they fit each other.
 */

import { randomBytes } from 'node:crypto';
import { copyFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { CallsealError } from '../lib/errors.ts';
import type { InstallationKey } from '../lib/keys/index.ts';
import { signManifest } from '../lib/keys/manifest.ts';
import { signChangedMaster } from '../lib/keys/master-record.ts';
import type { MasterRow, StoreRow, WorkingRow } from '../lib/keys/stores/store.ts';
import { refusalOf } from './helpers/errors.ts';
import {
  anotherHost,
  ENTITY,
  freshPlace,
  installationKey,
  openHierarchy,
  PLAINTEXT,
  type Place,
  populate,
} from './helpers/hierarchy.ts';
import { opening, STORE_KINDS } from './helpers/stores.ts';

const SQLITE = STORE_KINDS[0]!;

interface Rows {
  store: StoreRow;
  masters: MasterRow[];
  working: WorkingRow[];
}

let sound: Place;

beforeAll(async () => {
  sound = await freshPlace(SQLITE);
  const keys = await openHierarchy(sound);
  await populate(keys);
  await keys.close(); // which leaves all of it in one file
});

const fileOf = ({ store }: Place) => store.slice('sqlite:'.length);

/** A filled store whose rows were changed, the manifest signed over what they are then. */
async function signedOver(change: (rows: Rows) => void | Promise<void>): Promise<Place> {
  const place = await freshPlace(SQLITE);
  copyFileSync(fileOf(sound), fileOf(place));
  const { key } = await installationKey();
  const database = await opening(place.store);
  await database.transaction(async (writer) => {
    const rows: Rows = {
      store: (await writer.readStore())!,
      masters: await writer.readMasters(),
      working: await writer.readWorking(),
    };
    await change(rows);
    const { signature: _, ...bare } = rows.store;
    for (const row of rows.masters) await writer.writeMaster(row);
    for (const row of rows.working) await writer.writeWorking(row);
    await writer.writeStore(await signManifest(key, bare, rows.masters, rows.working));
  });
  return place;
}

const elsewhere = (place: Place) => openHierarchy({ ...place, stateDirectory: anotherHost() });

function putModels({ working }: Rows, version: number, change: Partial<WorkingRow>): void {
  const index = working.findIndex((row) => row.area === 'models' && row.version === version);
  working[index] = { ...working[index]!, ...change };
}

const NOTHING = new Uint8Array(0);

test('rows that are signed as they are, and fit, are believed', async () => {
  const place = await signedOver(() => {});
  await elsewhere(place);
});

test.each<[string, string, (rows: Rows) => void]>([
  [
    'a current master key that is not there',
    "the store's own row in the key store names a current master key that does not exist",
    (rows) => {
      rows.store = { ...rows.store, currentMasterId: new Uint8Array(randomBytes(16)) };
    },
  ],
  [
    'a key without its bytes',
    'has a state that does not fit its key',
    (rows) => putModels(rows, 1, { wrapped: NOTHING }),
  ],
  [
    'a removed key that is kept',
    'has a state that does not fit its key',
    (rows) => putModels(rows, 1, { state: 'removed' }),
  ],
  ['a version that is missing', 'is not version 2: a version is missing', (rows) => putModels(rows, 2, { version: 3 })],
  [
    'two keys of an area that encrypt',
    '(area models, version 1) in the key store is active, though there is a newer',
    (rows) => putModels(rows, 1, { state: 'active' }),
  ],
  ['an impossible area', 'has an impossible area', (rows) => putModels(rows, 1, { area: '../models' })],
  [
    "another suite than the master key's",
    "has another suite than its master key's",
    (rows) => putModels(rows, 1, { suite: 2 }),
  ],
  [
    "a master key's record that is not signed",
    'was altered: its signature does not fit',
    (rows) => {
      rows.masters[0] = { ...rows.masters[0]!, signature: new Uint8Array(randomBytes(256)) };
    },
  ],
])('%s', async (_name, words, change) => {
  const place = await signedOver(change);
  const { code, message } = await refusalOf(() => elsewhere(place));
  expect(code, message).toBe('ERR_KEY_SUBSTITUTED');
  expect(message).toContain(words);
});

test('a master key that was signed and cannot be opened is named', async () => {
  const { key } = await installationKey();
  const place = await signedOver(async ({ store, masters }) => {
    const { signature: _, ...bare } = masters[0]!;
    masters[0] = await signChangedMaster(key, store.storeId, { ...bare, wrapped: new Uint8Array(randomBytes(256)) });
  });
  const { code, message } = await refusalOf(() => elsewhere(place));
  expect(code, message).toBe('ERR_KEY_SUBSTITUTED');
  expect(message).toMatch(/^the row of master key [0-9a-f]{32} .* was signed, but cannot be opened/);
});

test('an installation key that fails once, as a token that was drawn, is asked again', async () => {
  const { key, id } = await installationKey();
  const drawn = new CallsealError('ERR_IO', 'the token was drawn');
  let isThere = true;
  const token = new Proxy(key, {
    get(target, name) {
      if (name === 'unwrapMaster' && !isThere) return () => Promise.reject(drawn);
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const installation: InstallationKey = { key: token, id, destroy: () => {} };
  const place = await freshPlace(SQLITE);
  const keys = await openHierarchy({ ...place, installation });
  const sealed = await keys.protect('models', ENTITY, PLAINTEXT);
  const [master] = await keys.masters.list();
  await keys.masters.disable(master!.id);
  await keys.masters.enable(master!.id); // its key has to be opened again
  isThere = false;
  expect(await refusalOf(() => keys.unprotect('models', ENTITY, sealed))).toBe(drawn);
  isThere = true;
  expect(await keys.unprotect('models', ENTITY, sealed)).toEqual(PLAINTEXT);
});
