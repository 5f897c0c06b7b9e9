/** Every field of every row altered by SQL; rows deleted, added, swapped and put back to earlier copies. Each is noticed, and named. */

import { beforeAll, describe, expect, test } from 'vitest';
import type { CallsealError } from '../lib/errors.ts';
import type { KeyHierarchy } from '../lib/keys/index.ts';
import { refusalOf } from './helpers/errors.ts';
import {
  anotherHost,
  ENTITY,
  freshPlace,
  openHierarchy,
  PLAINTEXT,
  type Place,
  populate,
} from './helpers/hierarchy.ts';
import { opening, STORE_KINDS } from './helpers/stores.ts';
import { altered, nameOf, type RawRow, rawRows, Tamperer } from './helpers/tamper.ts';

/** What somebody does who looks at everything, on a host that has never seen the store. */
async function lookAtEverything(store: string): Promise<void> {
  const keys = await openHierarchy({ store, stateDirectory: anotherHost() });
  try {
    await keys.audit.verify();
    await keys.reencryptions.list();
  } finally {
    await keys.close();
  }
}

/** A store with everything in it: keys in each state, a re-encryption, a dozen audit entries. */
async function fill(keys: KeyHierarchy): Promise<void> {
  await populate(keys);
  const job = await keys.reencryptions.begin('voice_models.template', 'models');
  await keys.reencryptions.finish(await keys.reencryptions.advance(job, '7', { counts: { done: 7 }, left: {} }), {
    counts: { done: 8 },
    left: {},
  });
  const spare = await keys.masters.create();
  await keys.masters.disable(spare);
  const [unneeded] = [await keys.masters.create()];
  await keys.masters.remove(unneeded);
  const retired = (await keys.working.list('models')).filter((key) => key.state === 'retired');
  await keys.working.remove(retired[0]!.id);
}

describe.each(STORE_KINDS)('$name', (kind) => {
  beforeAll(() => kind.prepare());

  async function filledStore(): Promise<{ place: Place; rows: RawRow[]; tamperer: Tamperer }> {
    const place = await freshPlace(kind);
    const keys = await openHierarchy(place);
    await fill(keys);
    await keys.close();
    const store = await opening(place.store);
    const rows = await rawRows(store);
    await store.close();
    return { place, rows, tamperer: new Tamperer(kind, place.store) };
  }

  function expectNamed(refusal: CallsealError, row: RawRow, what: string): void {
    expect(refusal.code, what).toBe('ERR_KEY_SUBSTITUTED');
    expect(refusal.message, what).toMatch(nameOf(row));
  }

  test('every column of every row, altered by itself', async () => {
    const { place, rows, tamperer } = await filledStore();
    let cases = 0;
    for (const row of rows) {
      for (const [column, value] of Object.entries(row.values)) {
        if (column === 'single') continue; // the database lets it be nothing else
        const other = altered(column, value);
        const where = { ...row, values: { ...row.values, [column]: other } };
        await tamperer.update(row, { [column]: other });
        const refusal = await refusalOf(() => lookAtEverything(place.store));
        expect(refusal.code, `${row.table}.${column}`).toBe('ERR_KEY_SUBSTITUTED');
        // A row whose id was altered is a missing row and one too many: either may be named.
        if (!row.key.includes(column)) expectNamed(refusal, row, `${row.table}.${column}`);
        await tamperer.update(row, { [column]: value }, where);
        cases += 1;
      }
    }
    await lookAtEverything(place.store);
    expect(cases).toBeGreaterThan(100);
  });

  test('every row, deleted', async () => {
    const { place, rows, tamperer } = await filledStore();
    for (const row of rows) {
      await tamperer.delete(row);
      if (!row.table.includes('reencryption')) {
        const refusal = await refusalOf(() => lookAtEverything(place.store));
        expect(refusal.code, row.table).toBe('ERR_KEY_SUBSTITUTED');
      }
      await tamperer.insert(row);
    }
    await lookAtEverything(place.store);
  });

  test('every two rows of one table, swapped', async () => {
    const { place, rows, tamperer } = await filledStore();
    for (const table of ['callseal_master_keys', 'callseal_working_keys']) {
      const [one, two] = rows.filter((row) => row.table === table);
      for (const column of Object.keys(one!.values)) {
        if (column === 'id' || String(one!.values[column]) === String(two!.values[column])) continue;
        if (column === 'area' || column === 'version') continue; // the database keeps them apart
        await tamperer.update(one!, { [column]: two!.values[column]! });
        await tamperer.update(two!, { [column]: one!.values[column]! });
        const refusal = await refusalOf(() => lookAtEverything(place.store));
        expect(refusal.code, `${table}.${column}`).toBe('ERR_KEY_SUBSTITUTED');
        await tamperer.update(one!, { [column]: one!.values[column]! });
        await tamperer.update(two!, { [column]: two!.values[column]! });
      }
      const { id: _one, ...contentOfOne } = one!.values;
      const { id: _two, ...contentOfTwo } = two!.values;
      await tamperer.delete(two!);
      await tamperer.update(one!, contentOfTwo);
      await tamperer.insert({ ...two!, values: { id: two!.values.id!, ...contentOfOne } });
      expect((await refusalOf(() => lookAtEverything(place.store))).code).toBe('ERR_KEY_SUBSTITUTED');
      await tamperer.putBack(rows);
    }
    await lookAtEverything(place.store);
  });

  test('a row of a key, put back to an earlier copy by itself', async () => {
    const place = await freshPlace(kind);
    const keys = await openHierarchy(place);
    await keys.protect('models', ENTITY, PLAINTEXT);
    const spare = await keys.masters.create();
    const store = await opening(place.store);
    const before = await rawRows(store);
    await keys.masters.disable(spare);
    await keys.working.rotate('models');
    const after = await rawRows(store);
    const tamperer = new Tamperer(kind, place.store);
    const earlier = before.filter((row) => row.table.endsWith('_keys'));
    let cases = 0;
    for (const row of earlier) {
      const now = after.find(
        (other) => other.table === row.table && String(other.values.id) === String(row.values.id),
      )!;
      if (JSON.stringify(now) === JSON.stringify(row)) continue;
      await tamperer.update(row, row.values);
      expectNamed(await refusalOf(() => lookAtEverything(place.store)), row, 'earlier copy');
      await tamperer.update(row, now.values);
      cases += 1;
    }
    expect(cases).toBe(2);
    await lookAtEverything(place.store);
  });

  test('an audit entry or a key, added', async () => {
    const { place, rows, tamperer } = await filledStore();
    const last = rows.filter((row) => row.table === 'callseal_audit').at(-1)!;
    const extra = { ...last, values: { ...last.values, sequence: Number(last.values.sequence) + 1 } };
    await tamperer.insert(extra);
    expectNamed(await refusalOf(() => lookAtEverything(place.store)), extra, 'audit');
    await tamperer.delete(extra);

    const working = rows.find((row) => row.table === 'callseal_working_keys')!;
    const key = { ...working, values: { ...working.values, id: new Uint8Array(16).fill(7), area: 'zzz' } };
    await tamperer.insert(key);
    expectNamed(await refusalOf(() => lookAtEverything(place.store)), key, 'working');
    await tamperer.delete(key);
    await lookAtEverything(place.store);
  });

  test('a store whose own row is gone is not begun anew over the keys that are left', async () => {
    const { place, rows, tamperer } = await filledStore();
    await tamperer.delete(rows[0]!);
    expectNamed(await refusalOf(() => lookAtEverything(place.store)), rows[0]!, 'store');
    await tamperer.run('delete from callseal_master_keys; delete from callseal_working_keys');
    expectNamed(await refusalOf(() => lookAtEverything(place.store)), rows[0]!, 'store');
  });

  test('a store that is altered while it is open is refused from its next load, and works again when it is put right', async () => {
    const place = await freshPlace(kind);
    const keys = await openHierarchy(place);
    const sealed = await keys.protect('models', ENTITY, PLAINTEXT);
    const store = await opening(place.store);
    const master = (await rawRows(store)).find((row) => row.table === 'callseal_master_keys')!;
    const tamperer = new Tamperer(kind, place.store);
    await tamperer.update(master, { suite: 2 });
    expectNamed(await refusalOf(() => keys.masters.list()), master, 'list');
    expectNamed(await refusalOf(() => keys.unprotect('models', ENTITY, sealed)), master, 'unprotect');
    expectNamed(await refusalOf(() => keys.masters.rotate()), master, 'rotate');
    await tamperer.update(master, { suite: 0 });
    expect(await keys.unprotect('models', ENTITY, sealed)).toEqual(PLAINTEXT);
  });
});
