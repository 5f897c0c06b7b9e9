/** Usage limits: reserved in slices, rolled over by themselves, never lowered. */

import { beforeAll, describe, expect, test } from 'vitest';
import { blocksOf, grant, loadOf, requireWrapBudget } from '../lib/keys/budget.ts';
import type { KeyHierarchy } from '../lib/keys/index.ts';
import { SUITES } from '../lib/keys/suites.ts';
import { masterContext } from '../lib/keys/vault.ts';
import { workingRowBytes } from '../lib/keys/working-row.ts';
import { codeOf, refusalOf } from './helpers/errors.ts';
import { anotherHost, ENTITY, freshPlace, installationKey, openHierarchy, PLAINTEXT } from './helpers/hierarchy.ts';
import { opening, STORE_KINDS } from './helpers/stores.ts';

const [AES, , TRIPLE_DES] = SUITES;
const MEBIBYTE = 2 ** 20;
const BLOCKS_OF_A_KEY = 2 ** 20;

test('padding always adds a byte, so a whole number of blocks needs one more', () => {
  expect([0, 1, 7, 8, 9, 16].map(blocksOf)).toEqual([1, 1, 1, 2, 2, 3]);
});

test('a slice is reserved, or what is needed, or what is left', () => {
  expect(grant(TRIPLE_DES!, 0, loadOf(8))).toBe(16_384);
  expect(grant(TRIPLE_DES!, 0, loadOf(MEBIBYTE))).toBe(131_073);
  expect(grant(TRIPLE_DES!, BLOCKS_OF_A_KEY - 5, loadOf(16))).toBe(5);
  expect(grant(TRIPLE_DES!, BLOCKS_OF_A_KEY - 5, loadOf(40))).toBe(null);
  expect(grant(TRIPLE_DES!, BLOCKS_OF_A_KEY, loadOf(0))).toBe(null);
  expect(grant(AES!, 0, loadOf(MEBIBYTE))).toBe(65_536);
  expect(grant(AES!, 2 ** 32 - 1, loadOf(0))).toBe(1);
  expect(grant(AES!, 2 ** 32, loadOf(0))).toBe(null);
});

test('a 3DES master key wraps no more than its own blocks allow', async () => {
  requireWrapBudget(SUITES[1]!, 209_714);
  expect(await codeOf(() => requireWrapBudget(SUITES[1]!, 209_715))).toBe('ERR_USAGE_LIMIT');
  expect(await codeOf(() => requireWrapBudget(SUITES[3]!, 131_072))).toBe('ERR_USAGE_LIMIT');
  requireWrapBudget(SUITES[0]!, 10_000_000);
});

describe.each(STORE_KINDS)('$name', (kind) => {
  beforeAll(() => kind.prepare());

  async function fresh(suite: string): Promise<KeyHierarchy> {
    return openHierarchy({ ...(await freshPlace(kind)), suite });
  }

  test('3DES keys are replaced before 8 MiB; everything stays readable', async () => {
    const keys = await fresh('aes/3des/sha256');
    const records: Uint8Array[] = [];
    for (let index = 0; index < 5; index += 1) {
      records.push(await keys.protect('models', ENTITY, new Uint8Array(3 * MEBIBYTE).fill(index)));
    }
    const list = await keys.working.list('models');
    expect(list.map(({ state }) => state)).toEqual(['retired', 'retired', 'active']);
    for (const { budget } of list) expect(budget.reserved).toBeLessThanOrEqual(BLOCKS_OF_A_KEY);
    for (const [index, sealed] of records.entries()) {
      expect((await keys.unprotect('models', ENTITY, sealed)).every((byte) => byte === index)).toBe(true);
    }
    const reasons: unknown[] = [];
    for await (const entry of keys.audit.list({ after: 1 })) reasons.push(entry.details.reason);
    expect(reasons).toEqual(['first use', 'budget spent', 'budget spent']);
  });

  test('a batch of more than a 3DES key may encrypt goes over several keys', async () => {
    const keys = await fresh('aes/3des/sha256');
    const items = Array.from({ length: 20 }, (_, index) => ({
      entity: { ...ENTITY, id: `c-${index}` },
      bytes: new Uint8Array(MEBIBYTE).fill(index),
    }));
    const sealed = await keys.protectMany('models', items);
    expect((await keys.working.list('models')).length).toBeGreaterThan(2);
    const back = await keys.unprotectMany(
      'models',
      sealed.map((record, index) => ({ entity: items[index]!.entity, sealed: record })),
    );
    expect(back.every((bytes, index) => bytes.length === MEBIBYTE && bytes[7] === index)).toBe(true);
  });

  test('a batch reserves ahead: one trip to the store for several calls of native code', async () => {
    const place = await freshPlace(kind);
    const keys = await openHierarchy({ ...place, suite: 'aes/3des/sha256' });
    const bytes = new Uint8Array(MEBIBYTE / 4); // each a call by itself
    await keys.protectMany(
      'models',
      Array.from({ length: 8 }, () => ({ entity: ENTITY, bytes })),
    );
    const [row] = await (await opening(place.store)).readWorking('models');
    // Made with room for seven, the most that is reserved ahead; then one reservation.
    expect([row!.sequence, row!.reserved]).toEqual([2, 8 * blocksOf(bytes.length)]);
  });

  test('a batch whose entities take more room than was kept for them', async () => {
    const keys = await fresh('aes/aes/sha256');
    const items = Array.from({ length: 100 }, (_, index) => ({
      entity: { ...ENTITY, id: `${index}`.padEnd(1024, '.') },
      bytes: Uint8Array.of(index),
    }));
    const sealed = await keys.protectMany('models', items);
    const records = sealed.map((record, index) => ({ entity: items[index]!.entity, sealed: record }));
    expect(await keys.unprotectMany('models', records)).toEqual(items.map(({ bytes }) => bytes));
    // Each is bound to its own.
    expect(await keys.unprotect('models', items[99]!.entity, sealed[99]!)).toEqual(Uint8Array.of(99));
    records[70] = { ...records[70]!, entity: items[71]!.entity };
    const { code, message } = await refusalOf(() => keys.unprotectMany('models', records));
    expect(code).toBe('ERR_ENTITY_MISMATCH');
    expect(message).toMatch(/^item 70: /);
  });

  test('a record that no 3DES key could encrypt names the suite to migrate to', async () => {
    const keys = await fresh('lumenvox');
    const large = new Uint8Array(8 * MEBIBYTE);
    for (const attempt of [
      () => keys.protect('models', ENTITY, large),
      () => keys.protectMany('models', [{ entity: ENTITY, bytes: large }]),
    ]) {
      const refusal = await refusalOf(attempt);
      expect(refusal.code).toBe('ERR_USAGE_LIMIT');
      expect(refusal.message).toMatch(/aes\/aes\/sha256/);
    }
    const whole = await keys.protect('models', ENTITY, large.subarray(1));
    expect(await keys.unprotect('models', ENTITY, whole)).toHaveLength(8 * MEBIBYTE - 1);
    expect(await keys.working.list()).toHaveLength(1);
  });

  test('many calls at once reserve once', async () => {
    const keys = await fresh('aes/aes/sha256');
    await Promise.all(Array.from({ length: 500 }, () => keys.protect('models', ENTITY, PLAINTEXT)));
    expect((await keys.working.list()).map(({ budget }) => budget.reserved)).toEqual([65_536]);
  });

  test('areas have keys and budgets of their own', async () => {
    const keys = await fresh('aes/aes/sha256');
    const areas = ['a', 'b', 'c', 'd'];
    await Promise.all(areas.map((area) => keys.protect(area, ENTITY, PLAINTEXT)));
    expect((await keys.working.list()).map(({ area, version }) => [area, version])).toEqual(
      areas.map((area) => [area, 1]),
    );
  });

  test('the last messages of an AES key are given out, and then there is a new key', async () => {
    const place = await freshPlace(kind);
    const keys = await openHierarchy(place);
    await keys.protect('models', ENTITY, PLAINTEXT);
    await keys.close();
    await pretendReserved(place.store, 2 ** 32 - 2);
    const again = await openHierarchy({ ...place, stateDirectory: anotherHost() });
    const sealed: Uint8Array[] = [];
    for (let index = 0; index < 3; index += 1) sealed.push(await again.protect('models', ENTITY, Uint8Array.of(index)));
    expect((await again.working.list()).map(({ budget, state }) => [budget.reserved, state])).toEqual([
      [2 ** 32, 'retired'],
      [65_536, 'active'],
    ]);
    for (const [index, record] of sealed.entries()) {
      expect(await again.unprotect('models', ENTITY, record)).toEqual(Uint8Array.of(index));
    }
  });
});

/** Writes the only working key's row as if other processes had reserved so much. */
async function pretendReserved(url: string, reserved: number): Promise<void> {
  const store = await opening(url);
  const { storeId } = (await store.readStore())!;
  const [master] = await store.readMasters();
  const [row] = await store.readWorking();
  const { key } = await installationKey();
  const opened = await key.unwrapMaster(master!.wrapped, 'aes', masterContext(storeId, master!.id));
  const changed = { ...row!, reserved, sequence: row!.sequence + 1 };
  const mac = opened.macRow(workingRowBytes(storeId, changed));
  opened.destroy();
  await store.transaction((writer) => writer.writeWorking({ ...changed, mac }));
  await store.close();
}
