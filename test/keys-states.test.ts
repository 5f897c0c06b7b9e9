/** The state machine of master and working keys: every transition, and every one that is forbidden. */

import { beforeAll, describe, expect, test } from 'vitest';
import type { KeyHierarchy } from '../lib/keys/index.ts';
import { codeOf, refusalOf } from './helpers/errors.ts';
import { anotherHost, ENTITY, freshPlace, installationKey, openHierarchy, PLAINTEXT } from './helpers/hierarchy.ts';
import { STORE_KINDS } from './helpers/stores.ts';

const UNKNOWN = '0123456789abcdef0123456789abcdef';

describe.each(STORE_KINDS)('$name', (kind) => {
  beforeAll(() => kind.prepare());

  async function fresh(options: { suite?: string } = {}): Promise<KeyHierarchy> {
    return openHierarchy({ ...(await freshPlace(kind)), ...options });
  }

  async function currentId(keys: KeyHierarchy): Promise<string> {
    return (await keys.masters.list()).find((master) => master.current)!.id;
  }

  async function eventsOf(keys: KeyHierarchy): Promise<string[]> {
    const events: string[] = [];
    for await (const entry of keys.audit.list()) events.push(entry.event);
    return events;
  }

  test('the first start makes one active, current master key with the suite asked for', async () => {
    const keys = await fresh({ suite: 'lumenvox' });
    const masters = await keys.masters.list();
    expect(masters).toMatchObject([{ state: 'active', current: true, suite: 'aes/3des/sha1' }]);
    expect(await eventsOf(keys)).toEqual(['store.create']);
    expect(await keys.working.list()).toEqual([]);
  });

  test('without `create`, an empty store stays empty', async () => {
    const place = await freshPlace(kind);
    expect(['ERR_KEY_UNKNOWN', 'ERR_STORE_UNAVAILABLE', 'ERR_IO']).toContain(
      await codeOf(() => openHierarchy({ ...place, create: false })),
    );
    const keys = await openHierarchy(place);
    await openHierarchy({ ...place, create: false });
    expect(await keys.masters.list()).toHaveLength(1);
  });

  test('another installation key is refused, and changes nothing', async () => {
    const place = await freshPlace(kind);
    const keys = await openHierarchy(place);
    await keys.protect('models', ENTITY, PLAINTEXT);
    const before = await keys.overview();
    const stranger = { ...place, installation: await installationKey(1), stateDirectory: anotherHost() };
    expect(await codeOf(() => openHierarchy(stranger))).toBe('ERR_WRONG_INSTALLATION');
    expect(await codeOf(() => keys.verifyBackup(stranger.installation))).toBe('ERR_WRONG_INSTALLATION');
    expect(await keys.overview()).toEqual(before);
  });

  test('a backup of the installation key opens all master keys that are not removed', async () => {
    const keys = await fresh();
    await keys.masters.disable(await keys.masters.create());
    await keys.masters.remove(await keys.masters.create());
    const before = await keys.overview();
    expect(await keys.verifyBackup(await installationKey())).toEqual({ masters: 2 });
    expect(await keys.overview()).toEqual(before);
  });

  test('create makes a key that nothing uses; rotate makes it current', async () => {
    const keys = await fresh();
    const first = await currentId(keys);
    const spare = await keys.masters.create({ suite: 'aes/3des/sha256' });
    expect(await currentId(keys)).toBe(first);
    const before = await keys.protect('models', ENTITY, PLAINTEXT);
    expect(await keys.masters.rotate({ id: spare })).toBe(spare);
    expect(await currentId(keys)).toBe(spare);
    const after = await keys.protect('models', ENTITY, PLAINTEXT);
    expect(
      (await keys.working.list('models')).map(({ version, master, state, suite }) => [version, master, state, suite]),
    ).toEqual([
      [1, first, 'retired', 'aes/aes/sha256'],
      [2, spare, 'active', 'aes/3des/sha256'],
    ]);
    for (const sealed of [before, after]) expect(await keys.unprotect('models', ENTITY, sealed)).toEqual(PLAINTEXT);
    const events = await eventsOf(keys);
    expect(await keys.masters.rotate({ id: spare })).toBe(spare);
    expect(await eventsOf(keys)).toEqual(events);
  });

  test('rotate without a suite keeps the suite', async () => {
    const keys = await fresh({ suite: '3des/3des/sha256' });
    await keys.masters.rotate();
    expect((await keys.masters.list()).map((master) => master.suite)).toEqual(['3des/3des/sha256', '3des/3des/sha256']);
  });

  test('under a disabled master key nothing encrypts or decrypts until it is enabled', async () => {
    const keys = await fresh();
    const sealed = await keys.protect('models', ENTITY, PLAINTEXT);
    const id = await currentId(keys);
    await keys.masters.disable(id);
    const refused = 'ERR_KEY_DISABLED';
    expect(await codeOf(() => keys.protect('models', ENTITY, PLAINTEXT))).toBe(refused);
    expect(await codeOf(() => keys.protect('other', ENTITY, PLAINTEXT))).toBe(refused);
    expect(await codeOf(() => keys.unprotect('models', ENTITY, sealed))).toBe(refused);
    expect(await codeOf(() => keys.rebind('models', ENTITY, { ...ENTITY, id: 'x' }, sealed))).toBe(refused);
    expect(await codeOf(() => keys.reencrypt('models', ENTITY, sealed))).toBe(refused);
    expect(await codeOf(() => keys.protectMany('models', [{ entity: ENTITY, bytes: PLAINTEXT }]))).toBe(refused);
    expect(await codeOf(() => keys.unprotectMany('models', [{ entity: ENTITY, sealed }]))).toBe(refused);
    expect(await codeOf(() => keys.working.rotate('models'))).toBe(refused);
    expect(await codeOf(() => keys.masters.rotate({ id }))).toBe(refused);
    expect((await keys.working.list())[0]).toMatchObject({ encrypts: false, decrypts: false });
    await keys.masters.enable(id);
    expect(await keys.unprotect('models', ENTITY, sealed)).toEqual(PLAINTEXT);
    await keys.protect('models', ENTITY, PLAINTEXT);
    expect(await keys.working.list()).toHaveLength(1);
  });

  test('a disabled key that is not current stops its records only', async () => {
    const keys = await fresh();
    const old = await keys.protect('models', ENTITY, PLAINTEXT);
    const first = await currentId(keys);
    await keys.masters.rotate();
    await keys.masters.disable(first);
    expect(await codeOf(() => keys.unprotect('models', ENTITY, old))).toBe('ERR_KEY_DISABLED');
    const sealed = await keys.protect('models', ENTITY, PLAINTEXT);
    expect(await keys.unprotect('models', ENTITY, sealed)).toEqual(PLAINTEXT);
    expect(await codeOf(() => keys.masters.rotate({ id: first }))).toBe('ERR_KEY_DISABLED');
  });

  test('disabling twice and enabling twice change nothing the second time', async () => {
    const keys = await fresh();
    const id = await currentId(keys);
    await keys.masters.enable(id);
    await keys.masters.disable(id);
    await keys.masters.disable(id);
    await keys.masters.enable(id);
    expect(await eventsOf(keys)).toEqual(['store.create', 'master.disable', 'master.enable']);
  });

  test('a master key is not removed while it is current or working keys depend on it, and the message counts them', async () => {
    const keys = await fresh();
    const first = await currentId(keys);
    expect(await codeOf(() => keys.masters.remove(first))).toBe('ERR_KEY_IN_USE');
    await keys.protect('models', ENTITY, PLAINTEXT);
    await keys.protect('features', ENTITY, PLAINTEXT);
    await keys.working.rotate('models');
    await keys.masters.rotate();
    for (const state of ['active', 'disabled']) {
      if (state === 'disabled') await keys.masters.disable(first);
      const refusal = await refusalOf(() => keys.masters.remove(first));
      expect(refusal.code).toBe('ERR_KEY_IN_USE');
      expect(refusal.message).toMatch(/^3 working keys.*features: 1, models: 2/);
    }
    expect((await keys.masters.list()).find((master) => master.id === first)!.workingKeys).toEqual({
      active: 2,
      retired: 1,
      removed: 0,
    });
  });

  test('a removed master key does nothing any more', async () => {
    const keys = await fresh();
    const first = await currentId(keys);
    const sealed = await keys.protect('models', ENTITY, PLAINTEXT);
    await keys.masters.rotate();
    const [working] = await keys.working.list();
    await keys.working.remove(working!.id, { force: true });
    await keys.masters.remove(first);
    const gone = 'ERR_KEY_UNKNOWN';
    expect(await codeOf(() => keys.masters.enable(first))).toBe(gone);
    expect(await codeOf(() => keys.masters.disable(first))).toBe(gone);
    expect(await codeOf(() => keys.masters.remove(first))).toBe(gone);
    expect(await codeOf(() => keys.masters.rotate({ id: first }))).toBe(gone);
    expect(await codeOf(() => keys.unprotect('models', ENTITY, sealed))).toBe(gone);
    expect((await keys.masters.list())[0]).toMatchObject({ id: first, state: 'removed', current: false });
    const reopened = await keys.protect('models', ENTITY, PLAINTEXT);
    expect(await keys.unprotect('models', ENTITY, reopened)).toEqual(PLAINTEXT);
    expect((await keys.working.list('models')).map((key) => key.version)).toEqual([1, 2]);
    await keys.audit.verify();
  });

  test('keys that do not exist, and ids that are none', async () => {
    const keys = await fresh();
    for (const act of ['enable', 'disable', 'remove'] as const) {
      expect(await codeOf(() => keys.masters[act](UNKNOWN))).toBe('ERR_KEY_UNKNOWN');
      expect(await codeOf(() => keys.masters[act]('../x'))).toBe('ERR_INVALID_ARGUMENT');
    }
    expect(await codeOf(() => keys.masters.rotate({ id: UNKNOWN }))).toBe('ERR_KEY_UNKNOWN');
    expect(await codeOf(() => keys.masters.rotate({ suite: 'rot13' }))).toBe('ERR_INVALID_ARGUMENT');
    expect(await codeOf(() => keys.masters.create({ suite: 'rot13' }))).toBe('ERR_INVALID_ARGUMENT');
    expect(await codeOf(() => keys.working.remove(UNKNOWN))).toBe('ERR_KEY_UNKNOWN');
    expect(await codeOf(() => keys.working.remove('x'))).toBe('ERR_INVALID_ARGUMENT');
    expect(await codeOf(() => keys.working.rotate('No'))).toBe('ERR_INVALID_ARGUMENT');
    expect(await codeOf(() => keys.working.list('No'))).toBe('ERR_INVALID_ARGUMENT');
    expect(await eventsOf(keys)).toEqual(['store.create']);
  });

  test('a working key that was never used is removed at once; the next version goes on', async () => {
    const keys = await fresh();
    const id = await keys.working.rotate('models');
    await keys.working.remove(id);
    expect(await codeOf(() => keys.working.remove(id))).toBe('ERR_KEY_UNKNOWN');
    await keys.protect('models', ENTITY, PLAINTEXT);
    expect((await keys.working.list('models')).map(({ version, state }) => [version, state])).toEqual([
      [1, 'removed'],
      [2, 'active'],
    ]);
  });

  test('a working key that was used is removed after a re-encryption that began when it had retired left nothing on it', async () => {
    const keys = await fresh();
    const nothing = { counts: {}, left: {} };
    const remove = () => keys.working.remove(id);
    await keys.protect('models', ENTITY, PLAINTEXT);
    const { id } = (await keys.working.list('models'))[0]!;
    expect(await codeOf(remove), 'active').toBe('ERR_KEY_IN_USE');
    const early = await keys.reencryptions.begin('table one', 'models');
    await keys.working.rotate('models');
    expect(await codeOf(remove), 'began before it retired').toBe('ERR_KEY_IN_USE');
    await keys.reencryptions.finish(early, nothing);
    expect(await codeOf(remove), 'began before it retired').toBe('ERR_KEY_IN_USE');
    const other = await keys.reencryptions.begin('table one', 'features');
    await keys.reencryptions.finish(other, nothing);
    expect(await codeOf(remove), 'another area').toBe('ERR_KEY_IN_USE');
    const one = await keys.reencryptions.begin('table one', 'models');
    expect(await codeOf(remove), 'not finished').toBe('ERR_KEY_IN_USE');
    await keys.reencryptions.finish(one, { counts: {}, left: { [id]: 3 } });
    expect(await codeOf(remove), 'records left').toBe('ERR_KEY_IN_USE');
    await keys.reencryptions.finish(await keys.reencryptions.begin('table one', 'models'), nothing);
    const two = await keys.reencryptions.begin('table two', 'models');
    expect(await codeOf(remove), 'another source not finished').toBe('ERR_KEY_IN_USE');
    await keys.reencryptions.finish(two, nothing);
    await remove();
    expect((await keys.working.list('models'))[0]).toMatchObject({ id, state: 'removed', decrypts: false });
  });

  test('removal by force says in the audit log that records are lost', async () => {
    const keys = await fresh();
    const sealed = await keys.protect('models', ENTITY, PLAINTEXT);
    const { id } = (await keys.working.list('models'))[0]!;
    await keys.working.remove(id, { force: true });
    expect(await codeOf(() => keys.unprotect('models', ENTITY, sealed))).toBe('ERR_KEY_UNKNOWN');
    let last: Record<string, unknown> = {};
    for await (const entry of keys.audit.list()) last = entry.details;
    expect(last).toMatchObject({ working: id, forced: true });
  });

  test('every change is in the audit log, with who, when and where', async () => {
    const place = await freshPlace(kind);
    const keys = await openHierarchy({ ...place, actor: 'alice' });
    await keys.protect('models', ENTITY, PLAINTEXT);
    const spare = await keys.masters.create();
    await keys.masters.disable(spare);
    await keys.masters.enable(spare);
    await keys.masters.rotate({ id: spare });
    await keys.working.rotate('models');
    await keys.masters.remove(await keys.masters.create());
    expect(await eventsOf(keys)).toEqual([
      'store.create',
      'working.create',
      'master.create',
      'master.disable',
      'master.enable',
      'master.rotate',
      'working.rotate',
      'master.create',
      'master.remove',
    ]);
    for await (const entry of keys.audit.list({ after: 8 })) {
      expect(entry).toMatchObject({ sequence: 9, actor: 'alice', event: 'master.remove' });
      expect(entry.host).not.toBe('');
      expect(Math.abs(entry.at.getTime() - Date.now())).toBeLessThan(60_000);
    }
    expect(await keys.audit.verify()).toEqual({ entries: 9 });
  });

  test('a change whose audit entry cannot be written is not made', async () => {
    const place = await freshPlace(kind);
    const keys = await openHierarchy(place);
    const before = await keys.masters.list();
    await kind.tamper(place.store, refuseAuditEntries(kind.name));
    expect(await codeOf(() => keys.masters.rotate())).not.toBeNull();
    expect(await codeOf(() => keys.masters.disable(before[0]!.id))).not.toBeNull();
    expect(await codeOf(() => keys.working.rotate('models'))).not.toBeNull();
    expect(await keys.masters.list()).toEqual(before);
    expect(await keys.working.list()).toEqual([]);
    expect(await keys.audit.verify()).toEqual({ entries: 1 });
  });

  test('the overview shows levels, strength and what is not approved', async () => {
    const keys = await fresh({ suite: 'lumenvox' });
    await keys.protect('models', ENTITY, PLAINTEXT);
    const before = await keys.overview();
    expect(before).toMatchObject({
      approved: false,
      strength: 112,
      installation: { outside: null },
      audit: { entries: 2 },
    });
    expect(before.areas).toMatchObject([
      {
        area: 'models',
        versions: 1,
        readable: 1,
        newest: { budget: { unit: 'blocks', reserved: 16_384, limit: 1_048_576 } },
      },
    ]);
    await keys.masters.rotate({ suite: 'aes/aes/sha256' });
    const after = await keys.overview();
    expect(after.approved).toBe(true);
    expect(after.remarks.join()).toMatch(/not approved any more.*area models has had no record since/s);
  });
});

/** What makes the database refuse any further entry of the audit log, as a full one would. */
function refuseAuditEntries(kind: string): string {
  return kind === 'SQLite'
    ? `create trigger full before insert on callseal_audit begin select raise(abort, 'full'); end`
    : 'alter table callseal_audit add constraint full_log check (sequence < 2)';
}
