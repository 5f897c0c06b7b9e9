/** A store that was put back to an earlier copy: noticed by a host that remembers more, accepted by an administrator who says so. */

import { readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { defaultStateDirectory } from '../lib/keys/high-water.ts';
import { KeyHierarchy } from '../lib/keys/index.ts';
import { codeOf, refusalOf } from './helpers/errors.ts';
import {
  anotherHost,
  ENTITY,
  freshPlace,
  installationKey,
  openHierarchy,
  PLAINTEXT,
  type Place,
  withInstallation,
} from './helpers/hierarchy.ts';
import { opening, STORE_KINDS } from './helpers/stores.ts';
import { type RawRow, rawRows, Tamperer } from './helpers/tamper.ts';
import { tempDir } from './helpers/temp.ts';

describe.each(STORE_KINDS)('$name', (kind) => {
  beforeAll(() => kind.prepare());

  async function copyOf(place: Place): Promise<RawRow[]> {
    const store = await opening(place.store);
    const rows = await rawRows(store);
    await store.close();
    return rows;
  }

  /** A place whose host has seen more than the store has now. */
  async function restored(): Promise<{ place: Place; sealed: Uint8Array; lost: Uint8Array; tamperer: Tamperer }> {
    const place = await freshPlace(kind);
    const keys = await openHierarchy(place);
    const sealed = await keys.protect('models', ENTITY, PLAINTEXT);
    const copy = await copyOf(place);
    await keys.working.rotate('models');
    const lost = await keys.protect('models', ENTITY, PLAINTEXT);
    await keys.close();
    const tamperer = new Tamperer(kind, place.store);
    await tamperer.putBack(copy);
    return { place, sealed, lost, tamperer };
  }

  test('an earlier copy of the whole store is refused, and the message says what to do', async () => {
    const { place } = await restored();
    const refusal = await refusalOf(() => openHierarchy(place));
    expect(refusal.code).toBe('ERR_KEY_SUBSTITUTED');
    expect(refusal.message).toMatch(/store's own row.*older.*accept-restore/);
    // A host that has seen nothing cannot know.
    await openHierarchy({ ...place, stateDirectory: anotherHost() });
  });

  test('an earlier copy is refused by a process that has it open', async () => {
    const place = await freshPlace(kind);
    const keys = await openHierarchy({ ...place, stateDirectory: null });
    const sealed = await keys.protect('models', ENTITY, PLAINTEXT);
    const copy = await copyOf(place);
    await keys.masters.create();
    await new Tamperer(kind, place.store).putBack(copy);
    expect(await codeOf(() => keys.masters.list())).toBe('ERR_KEY_SUBSTITUTED');
    expect(await codeOf(() => keys.unprotect('models', ENTITY, sealed))).toBe('ERR_KEY_SUBSTITUTED');
  });

  test('accepted, the store works again, with new working keys and a later manifest', async () => {
    const { place, sealed, lost } = await restored();
    const outcome = await KeyHierarchy.acceptRestore(await withInstallation(place));
    expect(outcome).toEqual({ accepted: true, found: 2, seen: 3, retired: 1 });
    const keys = await openHierarchy(place);
    expect(await keys.unprotect('models', ENTITY, sealed)).toEqual(PLAINTEXT);
    expect(await codeOf(() => keys.unprotect('models', ENTITY, lost))).toBe('ERR_KEY_UNKNOWN');
    expect((await keys.working.list()).map((key) => key.state)).toEqual(['retired']);
    await keys.protect('models', ENTITY, PLAINTEXT);
    expect((await keys.working.list()).map((key) => key.state)).toEqual(['retired', 'active']);
    expect((await keys.overview()).store.sequence).toBe(5);
    const events: string[] = [];
    for await (const entry of keys.audit.list()) events.push(entry.event);
    expect(events).toEqual(['store.create', 'working.create', 'store.accept-restore', 'working.create']);
    await keys.audit.verify();
  });

  test('a store that nobody put back is not changed by accepting it', async () => {
    const place = await freshPlace(kind);
    const keys = await openHierarchy(place);
    await keys.protect('models', ENTITY, PLAINTEXT);
    const before = await keys.overview();
    expect(await KeyHierarchy.acceptRestore(await withInstallation(place))).toMatchObject({ accepted: false });
    expect(await keys.overview()).toEqual(before);
  });

  test('a store that went on elsewhere after it was put back is refused here', async () => {
    const { place } = await restored();
    const elsewhere = await openHierarchy({ ...place, stateDirectory: anotherHost() });
    await elsewhere.working.rotate('models');
    await elsewhere.working.rotate('models');
    const refusal = await refusalOf(() => openHierarchy(place));
    expect(refusal.code).toBe('ERR_KEY_SUBSTITUTED');
    expect(refusal.message).toMatch(/audit entry 3 .*another than this host has seen/);
  });

  test('accepting a store does not accept what was altered in it', async () => {
    const { place, tamperer } = await restored();
    await tamperer.run('update callseal_master_keys set suite = 1');
    const options = await withInstallation(place);
    expect(await codeOf(() => KeyHierarchy.acceptRestore(options))).toBe('ERR_KEY_SUBSTITUTED');
  });

  test('an earlier copy of one working key by itself, with its smaller counter, is refused', async () => {
    const place = await freshPlace(kind);
    const keys = await openHierarchy({ ...place, suite: 'aes/3des/sha256' });
    await keys.protect('models', ENTITY, PLAINTEXT);
    const working = (await copyOf(place)).find((row) => row.table === 'callseal_working_keys')!;
    await keys.protect('models', ENTITY, new Uint8Array(8 * 20_000));
    await new Tamperer(kind, place.store).update(working, working.values);
    // Here the next reservation is what reads the row.
    const refusal = await refusalOf(() => keys.protect('models', ENTITY, new Uint8Array(8 * 20_000)));
    expect(refusal.code).toBe('ERR_KEY_SUBSTITUTED');
    expect(refusal.message).toMatch(/working key.*models.*budget would be used twice/);
    await keys.close();
    expect(await codeOf(() => openHierarchy(place))).toBe('ERR_KEY_SUBSTITUTED');
  });

  test('a store that was emptied, or replaced by another, is refused until it is accepted', async () => {
    const { place, tamperer } = await restored();
    await tamperer.putBack([]);
    const empty = await refusalOf(() => openHierarchy(place));
    expect(empty.code).toBe('ERR_KEY_SUBSTITUTED');
    expect(empty.message).toMatch(/store's own row.*missing.*has seen store/);
    await openHierarchy({ ...place, stateDirectory: anotherHost() });
    expect((await refusalOf(() => openHierarchy(place))).message).toMatch(/of another store/);
    expect(await KeyHierarchy.acceptRestore(await withInstallation(place))).toMatchObject({
      accepted: true,
      seen: null,
    });
    await openHierarchy(place);
  });

  test('an emptied store, accepted, may be begun anew', async () => {
    const { place, tamperer } = await restored();
    await tamperer.putBack([]);
    const outcome = await KeyHierarchy.acceptRestore(await withInstallation(place));
    expect(outcome).toEqual({ accepted: true, found: null, seen: null, retired: 0 });
    expect(await (await openHierarchy(place)).masters.list()).toHaveLength(1);
  });
});

const [sqlite] = STORE_KINDS;

test('what a host remembers is private, and damage to it is noticed', async () => {
  const place = await freshPlace(sqlite!);
  await openHierarchy(place);
  const names = readdirSync(place.stateDirectory);
  expect(names).toHaveLength(2);
  for (const name of names) expect(statSync(join(place.stateDirectory, name)).mode & 0o777).toBe(0o600);
  expect(statSync(place.stateDirectory).mode & 0o777).toBe(0o700);
  for (const content of ['', '{"version":1', '{"version":2}']) {
    for (const name of names) writeFileSync(join(place.stateDirectory, name), content);
    const refusal = await refusalOf(() => openHierarchy(place));
    expect(refusal.code).toBe('ERR_IO');
    expect(refusal.message).toMatch(/accept-restore/);
  }
  await KeyHierarchy.acceptRestore(await withInstallation(place));
  await openHierarchy(place);
});

test('a store under another installation key is not accepted, and not touched', async () => {
  const place = await freshPlace(sqlite!);
  const keys = await openHierarchy(place);
  await keys.masters.create();
  const before = await keys.overview();
  const options = { ...(await withInstallation(place)), installation: await installationKey(1) };
  expect(await codeOf(() => KeyHierarchy.acceptRestore(options))).toBe('ERR_WRONG_INSTALLATION');
  expect(await keys.overview()).toEqual(before);
});

test('a state directory that cannot be looked at is an error that names it, and what to do', async () => {
  const place = await freshPlace(sqlite!);
  const loop = join(tempDir(), 'loop');
  symlinkSync(loop, loop);
  const { code, message } = await refusalOf(() => openHierarchy({ ...place, stateDirectory: loop }));
  expect(code).toBe('ERR_IO');
  expect(message).toMatch(/ELOOP.*give a state directory that this user may write to/);
  expect(message).toContain(loop);
});

test('the state directory of a user is below the home, or where XDG_STATE_HOME says; of root, in /var/lib', async () => {
  const ask = (uid: number, environment: Record<string, string>) => {
    const getuid = vi.spyOn(process, 'getuid').mockReturnValue(uid);
    for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
    try {
      return defaultStateDirectory();
    } finally {
      vi.unstubAllEnvs();
      getuid.mockRestore();
    }
  };
  expect(ask(0, { XDG_STATE_HOME: '/srv/state' })).toBe('/var/lib/callseal');
  expect(ask(1000, { XDG_STATE_HOME: '/srv/state' })).toBe('/srv/state/callseal');
  expect(ask(1000, { XDG_STATE_HOME: '', HOME: '/home/ann' })).toBe('/home/ann/.local/state/callseal');
});

test('a state directory that cannot be written is an error that names it', async () => {
  const place = await freshPlace(sqlite!);
  const directory = anotherHost();
  writeFileSync(directory, 'a file');
  const refusal = await refusalOf(() => openHierarchy({ ...place, stateDirectory: directory }));
  expect(refusal.code).toBe('ERR_IO');
  expect(refusal.message).toContain(directory);
});
