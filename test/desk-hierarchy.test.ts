/** The administrator's page: what it shows, and that nothing is changed without the word typed for it. */

import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import type { AuditView, HierarchyView } from '../lib/desk/protocol.ts';
import type { KeyHierarchy } from '../lib/keys/index.ts';
import { KeyHierarchy as Hierarchy } from '../lib/keys/index.ts';
import { CHROMIUM, expectAccessible, expectReflow, openPage, picture } from './helpers/browser.ts';
import { DeskClient, startDesk } from './helpers/desk.ts';
import { codeOf } from './helpers/errors.ts';
import { ENTITY, installationKey, PLAINTEXT } from './helpers/hierarchy.ts';
import { tempDir } from './helpers/temp.ts';

let keys: KeyHierarchy;
let first: string;

beforeAll(async () => {
  const place = tempDir();
  const options = { store: `sqlite:${join(place, 'keys.db')}`, stateDirectory: join(place, 'state') };
  keys = await Hierarchy.open({ ...options, installation: await installationKey(), suite: 'lumenvox', actor: 'ada' });
  first = (await keys.masters.list())[0]!.id;
  await keys.protect('models', ENTITY, PLAINTEXT);
  await keys.protect('identities', ENTITY, PLAINTEXT);
  await keys.masters.rotate({ suite: 'aes/aes/sha256' });
  await keys.protect('models', ENTITY, PLAINTEXT);
  return () => keys.close();
});

describe('over HTTP', () => {
  let client: DeskClient;

  beforeAll(async () => {
    client = await DeskClient.enter(await startDesk({ hierarchy: keys }));
  });

  it('shows everything, verified, and newest changes first', async () => {
    const view = await client.json<HierarchyView>('GET', '/api/hierarchy');
    expect(view.masters).toMatchObject([
      { state: 'active', current: true, suite: 'aes/aes/sha256', approved: true },
      { id: first, state: 'active', current: false, suite: 'aes/3des/sha1', approved: false },
    ]);
    expect(view.working.map(({ area, version, encrypts }) => [area, version, encrypts])).toEqual([
      ['identities', 1, false],
      ['models', 1, false],
      ['models', 2, true],
    ]);
    expect(view.working[2]!.budget).toEqual({ unit: 'messages', reserved: 65_536, limit: 2 ** 32 });
    const { entries } = await client.json<AuditView>('GET', '/api/hierarchy/audit');
    expect(entries.map(({ sequence }) => sequence)).toEqual([6, 5, 4, 3, 2, 1].slice(-entries.length));
    expect(entries.at(-1)).toMatchObject({ event: 'store.create', actor: 'ada' });
    expect((await client.json<AuditView>('GET', '/api/hierarchy/audit?before=3')).entries[0]!.sequence).toBe(2);
    expect(await client.json('POST', '/api/hierarchy/audit/verify')).toEqual({ entries: entries.length });
  });

  it('changes nothing without the right word', async () => {
    const before = await client.json<HierarchyView>('GET', '/api/hierarchy');
    const wrong = [
      { action: 'master.disable', id: first, confirm: '' },
      { action: 'master.disable', id: first, confirm: 'yes' },
      { action: 'master.disable', id: first },
      { action: 'master.rotate', confirm: 'Rotate' },
      { action: 'working.rotate', area: 'models', confirm: 'identities' },
      { action: 'store.accept-restore', confirm: 'accept-restore' },
      { action: 'master.disable', id: 5, confirm: '5' },
      {},
    ];
    for (const action of wrong) {
      await expect(client.json('POST', '/api/hierarchy/act', action)).rejects.toMatchObject({
        code: 'ERR_INVALID_ARGUMENT',
      });
    }
    expect((await client.json<HierarchyView>('GET', '/api/hierarchy')).store.sequence).toBe(before.store.sequence);
  });

  it('offers no more than its page does', async () => {
    const act = (action: object) => client.json<HierarchyView>('POST', '/api/hierarchy/act', action);
    const before = await client.json<HierarchyView>('GET', '/api/hierarchy');
    const current = before.masters[0]!.id;
    const active = before.working[2]!.id;
    const beyond = [
      { action: 'master.create', suite: null, confirm: 'create' },
      { action: 'master.rotate', suite: 'aes/3des/sha1', confirm: 'rotate' },
      { action: 'master.use', id: current, confirm: current.slice(0, 8) },
      { action: 'master.enable', id: first, confirm: first.slice(0, 8) },
      { action: 'master.disable', id: first.slice(0, 12), confirm: first.slice(0, 8) },
      { action: 'working.rotate', area: 'an area without a key', confirm: 'an area without a key' },
      { action: 'working.remove', id: active, confirm: active.slice(0, 8) },
    ];
    for (const action of beyond) {
      expect([action, await codeOf(() => act(action))]).toEqual([action, 'ERR_INVALID_ARGUMENT']);
    }
    expect((await client.json<HierarchyView>('GET', '/api/hierarchy')).store.sequence).toBe(before.store.sequence);
  });

  it('does what the command line does, and refuses what it refuses', async () => {
    const act = (action: object) => client.json<HierarchyView>('POST', '/api/hierarchy/act', action);
    const remove = { action: 'master.remove', id: first, confirm: first.slice(0, 8) };
    await expect(act(remove)).rejects.toMatchObject({ code: 'ERR_KEY_IN_USE' });
    await keys.masters.create();
    const made = (await client.json<HierarchyView>('GET', '/api/hierarchy')).masters[0]!;
    const state = async (action: string) =>
      (await act({ action, id: made.id, confirm: made.id.slice(0, 8) })).masters.find(({ id }) => id === made.id);
    expect(await state('master.disable')).toMatchObject({ state: 'disabled' });
    expect(await state('master.enable')).toMatchObject({ state: 'active' });
    expect(await state('master.remove')).toMatchObject({ state: 'removed' });
    const used = await act({ action: 'master.use', id: first, confirm: first.slice(0, 8) });
    expect(used.masters.find(({ id }) => id === first)).toMatchObject({ current: true });
    const rotated = await act({ action: 'master.rotate', confirm: 'rotate' });
    expect(rotated.masters[0]).toMatchObject({ current: true, suite: 'aes/3des/sha1' }); // as the one before
    const third = (await act({ action: 'working.rotate', area: 'models', confirm: 'models' })).working.at(-1)!;
    expect(third).toMatchObject({ area: 'models', version: 3, encrypts: true });
    const fourth = (await act({ action: 'working.rotate', area: 'models', confirm: 'models' })).working.at(-1)!;
    expect(fourth.version).toBe(4);
    const gone = await act({ action: 'working.remove', id: third.id, confirm: third.id.slice(0, 8) });
    expect(gone.working.find(({ id }) => id === third.id)).toMatchObject({ state: 'removed' });
  });
});

it('a desk without a store has no such page', async () => {
  const client = await DeskClient.enter(await startDesk());
  expect(await client.json('GET', '/api/desk')).toMatchObject({ hierarchy: false });
  await expect(client.json('GET', '/api/hierarchy')).rejects.toThrow(/--store/);
});

describe.skipIf(CHROMIUM === null)('in a browser (needs chromium)', () => {
  it('shows the hierarchy, asks before it changes it, and proves the log', async () => {
    const test = await startDesk({ hierarchy: keys });
    const { page, complaints } = await openPage(test.server.address);
    await page.getByRole('link', { name: 'Key hierarchy' }).click();
    await page.getByRole('heading', { name: 'Key hierarchy' }).waitFor();
    await page.getByText('are protected by steps that are not approved any more').waitFor();
    await expectAccessible(page, 'the hierarchy');
    await picture(page, 'hierarchy');
    await expectReflow(page);
    await rotateModels(page);
    await page.getByRole('button', { name: 'Prove that it is whole' }).click();
    await page.getByText('whole and unaltered').waitFor();
    await page.reload();
    await page.getByRole('heading', { name: 'Key hierarchy' }).waitFor();
    await page.goBack();
    await page.getByText('No files yet').waitFor();
    expect(complaints).toEqual([]);
    expect(test.troubles).toEqual([]);
  });
});

async function rotateModels(page: Page): Promise<void> {
  const before = (await keys.working.list('models')).length;
  const ask = () => page.getByRole('button', { name: 'Rotate models' }).click();
  await ask();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('older versions only decrypt').waitFor();
  await expectAccessible(page, 'a question');
  await picture(page, 'question');
  await dialog.getByLabel('to go on').fill('model');
  expect(await dialog.getByRole('button', { name: 'Rotate' }).isDisabled()).toBe(true);
  await page.keyboard.press('Enter');
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  expect(await keys.working.list('models')).toHaveLength(before);
  await ask();
  await dialog.getByLabel('to go on').fill('models');
  await page.keyboard.press('Enter');
  await page.getByText('models goes on with a new version.').waitFor();
  expect(await keys.working.list('models')).toHaveLength(before + 1);
}
