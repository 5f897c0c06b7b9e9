/** How a hierarchy is opened: stores, installation keys, cancelling, and the package's entry. */

import { join } from 'node:path';
import { expect, test } from 'vitest';
import { defaultStateDirectory } from '../lib/keys/high-water.ts';
import { type InstallationKey, KeyHierarchy } from '../lib/keys/index.ts';
import { codeOf } from './helpers/errors.ts';
import {
  anotherHost,
  ENTITY,
  installationFile,
  installationKey,
  openHierarchy,
  PLAINTEXT,
} from './helpers/hierarchy.ts';
import { opening } from './helpers/stores.ts';
import { tempDir } from './helpers/temp.ts';

const freshStore = () => `sqlite:${join(tempDir(), 'keys.db')}`;

test('an installation key is opened from where it is', async () => {
  const at = { store: freshStore(), stateDirectory: anotherHost(), installation: { key: await installationFile() } };
  const keys = await openHierarchy(at);
  const sealed = await keys.protect('models', ENTITY, PLAINTEXT);
  const { installation } = await keys.overview();
  expect(installation.facts).toMatchObject({
    keyId: installation.id,
    place: { kind: 'file', path: at.installation.key },
  });
  expect(await keys.verifyBackup({ key: await installationFile() })).toEqual({ masters: 1 });
  await keys.close();
  expect(await (await openHierarchy(at)).unprotect('models', ENTITY, sealed)).toEqual(PLAINTEXT);
});

test("a store that is given open stays open, and the caller's installation key alive", async () => {
  const store = await opening(freshStore());
  for (let round = 0; round < 2; round += 1) {
    const keys = await openHierarchy({ store, stateDirectory: anotherHost() });
    await keys.protect('models', ENTITY, PLAINTEXT);
    await keys.close();
  }
  expect(await store.readMasters()).toHaveLength(1);
});

test('a missing installation key opens nothing and makes nothing', async () => {
  const store = freshStore();
  const missing = { store, stateDirectory: anotherHost(), installation: { key: join(tempDir(), 'none.key') } };
  expect(await codeOf(() => openHierarchy(missing))).toBe('ERR_IO');
  expect(await codeOf(() => openHierarchy({ store, stateDirectory: null, suite: 'rot13' }))).toBe(
    'ERR_INVALID_ARGUMENT',
  );
  expect(await codeOf(() => openHierarchy({ store: 'mysql:keys', stateDirectory: null }))).toBe('ERR_INVALID_ARGUMENT');
});

/** The installation key, and how often its private half was used. */
async function countingInstallation(): Promise<{ installation: InstallationKey; operations: string[] }> {
  const { key, id, destroy } = await installationKey();
  const operations: string[] = [];
  const counted = new Proxy(key, {
    get(target, name) {
      const value = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]) => {
        if (name === 'sign' || name === 'unwrap' || name === 'unwrapMaster') operations.push(name);
        return Reflect.apply(value, target, args);
      };
    },
  });
  return { installation: { key: counted, id, destroy }, operations };
}

test('opening takes one RSA private operation per master key, not per working key, and records none', async () => {
  const place = { store: freshStore(), stateDirectory: anotherHost() };
  const before = await openHierarchy(place);
  const areas = ['models', 'features', 'identities'];
  const sealed: [string, Uint8Array][] = [];
  for (let master = 0; master < 2; master += 1) {
    await before.masters.rotate();
    for (let version = 0; version < 3; version += 1) {
      for (const area of areas) {
        if (version > 0) await before.working.rotate(area);
        sealed.push([area, await before.protect(area, ENTITY, PLAINTEXT)]);
      }
    }
  }
  // The first master key has no working keys.
  const workingKeys = (await before.masters.list()).map(
    (master) => master.workingKeys.active + master.workingKeys.retired,
  );
  expect(workingKeys).toEqual([0, 9, 9]);
  await before.close();

  const { installation, operations } = await countingInstallation();
  const keys = await openHierarchy({ ...place, installation });
  for (const [area, record] of sealed) expect(await keys.unprotect(area, ENTITY, record)).toEqual(PLAINTEXT);
  await keys.protectMany(
    'models',
    areas.map((id) => ({ entity: { ...ENTITY, id }, bytes: PLAINTEXT })),
  );
  expect(operations).toEqual(['unwrapMaster', 'unwrapMaster']);
});

test('opening is cancelled by its signal', async () => {
  const store = freshStore();
  const signal = AbortSignal.abort(new Error('enough'));
  expect(await codeOf(() => openHierarchy({ store, stateDirectory: null, signal }))).toBe('ERR_ABORTED');
});

test('without a state directory the overview says what is not noticed', async () => {
  const keys = await openHierarchy({ store: freshStore(), stateDirectory: null });
  const { remarks, stateDirectory } = await keys.overview();
  expect(stateDirectory).toBe(null);
  expect(remarks.join()).toMatch(/remembers nothing/);
});

test('the state directory is where the system keeps state', () => {
  const { XDG_STATE_HOME: before } = process.env;
  process.env.XDG_STATE_HOME = '/somewhere/state';
  try {
    const expected = process.getuid?.() === 0 ? '/var/lib/callseal' : '/somewhere/state/callseal';
    expect(defaultStateDirectory()).toBe(expected);
  } finally {
    if (before === undefined) delete process.env.XDG_STATE_HOME;
    else process.env.XDG_STATE_HOME = before;
  }
});

test('the package has an entry `callseal/keys`', async () => {
  const entry = 'callseal/keys';
  const published = await import(entry);
  expect(Object.keys(published)).toContain('KeyHierarchy');
  expect(published.KeyHierarchy.name).toBe(KeyHierarchy.name);
});
