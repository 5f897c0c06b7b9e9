/** Many processes on one hierarchy, killed at any moment, and what one learns of another's changes. */

import { setTimeout as pause } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { ENTITY, freshPlace, openHierarchy, PLAINTEXT } from './helpers/hierarchy.ts';
import { startHierarchyChild } from './helpers/hierarchy-child.ts';
import { STORE_KINDS } from './helpers/stores.ts';

const GOOD = { status: 0, stderr: '' };

describe.each(STORE_KINDS)('$name', (kind) => {
  beforeAll(() => kind.prepare());

  test('a first start by six processes at once makes one master key and one working key', async () => {
    const place = await freshPlace(kind);
    const body = `
      const keys = await open();
      const sealed = await keys.protect('models', ENTITY, Uint8Array.of(1, 2, 3));
      say((await keys.masters.list())[0].id + ' ' + Buffer.from(sealed).toString('base64'));
      await keys.close();
    `;
    const children = await Promise.all(Array.from({ length: 6 }, () => startHierarchyChild(place, body)));
    const outcomes = await Promise.all(children.map((child) => child.end()));
    for (const outcome of outcomes) expect(outcome).toMatchObject(GOOD);
    const said = outcomes.map(({ lines }) => lines[0]!.split(' '));
    const keys = await openHierarchy(place);
    const [master, ...others] = await keys.masters.list();
    expect(others).toEqual([]);
    expect(new Set(said.map(([id]) => id))).toEqual(new Set([master!.id]));
    expect(await keys.working.list()).toHaveLength(1);
    for (const [, sealed] of said) {
      expect(await keys.unprotect('models', ENTITY, Buffer.from(sealed!, 'base64'))).toEqual(Uint8Array.of(1, 2, 3));
    }
    // Each process reserved for itself.
    expect((await keys.working.list())[0]!.budget.reserved).toBe(6 * 65_536);
    await keys.audit.verify();
  });

  test('processes that rotate, disable, enable and protect at once lose nothing and fork nothing', async () => {
    const place = await freshPlace(kind);
    const keys = await openHierarchy(place);
    const body = `
      const keys = await open();
      for (let i = 0; i < 12; i++) {
        const act = (process.pid + i) % 4;
        const [master] = (await keys.masters.list()).filter((row) => row.current);
        try {
          if (act === 0) await keys.masters.rotate();
          if (act === 1) await keys.working.rotate('models');
          if (act === 2) { await keys.masters.disable(master.id); await keys.masters.enable(master.id); }
          say(Buffer.from(await keys.protect('models', ENTITY, Uint8Array.of(i))).toString('base64') + ' ' + i);
        } catch (error) {
          if (error.code !== 'ERR_KEY_DISABLED') throw error; // another process is between disable and enable
        }
      }
      await keys.close();
    `;
    const children = await Promise.all(Array.from({ length: 4 }, () => startHierarchyChild(place, body)));
    const outcomes = await Promise.all(children.map((child) => child.end()));
    for (const outcome of outcomes) expect(outcome).toMatchObject(GOOD);
    const said = outcomes.flatMap(({ lines }) => lines.map((line) => line.split(' ')));
    expect(said.length).toBeGreaterThan(12);
    // This process may have heard of a disable last, and not yet of the enable that followed it.
    await keys.overview();
    for (const [sealed, number] of said) {
      const record = Buffer.from(sealed!, 'base64');
      expect(await keys.unprotect('models', ENTITY, record)).toEqual(Uint8Array.of(Number(number)));
    }
    const versions = (await keys.working.list('models')).map((key) => key.version);
    expect(versions).toEqual(versions.map((_, index) => index + 1));
    expect((await keys.working.list('models')).filter((key) => key.state === 'active').length).toBeLessThanOrEqual(1);
    await keys.audit.verify();
  });

  test('a process that is killed while it rotates and reserves loses nothing that it gave out', async () => {
    const place = await freshPlace(kind);
    const body = `
      const keys = await open({ suite: 'aes/3des/sha256' });
      const block = new Uint8Array(100_000);
      for (let i = 0; ; i++) {
        if (i % 3 === 0) await keys.working.rotate('models');
        if (i % 5 === 0) await keys.masters.rotate();
        const area = i % 2 ? 'models' : 'features';
        say(area + ' ' + Buffer.from(await keys.protect(area, ENTITY, block)).subarray(0, 200_000).toString('base64'));
      }
    `;
    const reserved = new Map<string, number>();
    for (let round = 0; round < 6; round += 1) {
      const child = await startHierarchyChild(place, body);
      const records: [string, Buffer][] = [];
      const wanted = 1 + round * 2;
      while (records.length < wanted) {
        const [area, sealed] = (await child.next())!.split(' ');
        records.push([area!, Buffer.from(sealed!, 'base64')]);
      }
      await pause(round * 7);
      child.process.kill('SIGKILL');
      await child.end();
      const keys = await openHierarchy(place);
      for (const [area, record] of records) expect(await keys.unprotect(area, ENTITY, record)).toHaveLength(100_000);
      for (const key of await keys.working.list()) {
        expect(key.budget.reserved).toBeGreaterThanOrEqual(reserved.get(key.id) ?? 0);
        expect(key.budget.reserved).toBeLessThanOrEqual(key.budget.limit);
        reserved.set(key.id, key.budget.reserved);
      }
      await keys.audit.verify();
      await keys.close();
    }
  });

  test('what a killed process had reserved is not given out again', async () => {
    const place = await freshPlace(kind);
    const keys = await openHierarchy({ ...place, suite: 'aes/3des/sha256' });
    await keys.protect('models', ENTITY, PLAINTEXT);
    for (let round = 1; round <= 3; round += 1) {
      const child = await startHierarchyChild(
        place,
        `await (await open()).protect('models', ENTITY, new Uint8Array(9)); say('used'); await pause(60_000);`,
      );
      expect(await child.next()).toBe('used');
      child.process.kill('SIGKILL');
      await child.end();
      expect((await keys.working.list())[0]!.budget.reserved).toBe((round + 1) * 16_384);
    }
  });

  test('a disable stops another process within two seconds, and an enable lets it go on', async () => {
    const place = await freshPlace(kind);
    const keys = await openHierarchy(place);
    const sealed = await keys.protect('models', ENTITY, PLAINTEXT);
    const body = `
      const keys = await open();
      let last = '';
      for (;;) {
        const now = await keys.unprotect('models', ENTITY, given()).then(() => 'opens', (error) => error.code);
        if (now !== last) say(now + ' ' + Date.now());
        last = now;
        await pause(20);
      }
    `;
    const child = await startHierarchyChild(place, body, sealed);
    const heard = async (word: string, since: number) => {
      const [said, at] = (await child.next())!.split(' ');
      expect(said).toBe(word);
      // Two seconds, and time for a machine that does other things, too.
      expect(Number(at) - since).toBeLessThan(5_000);
    };
    await heard('opens', Date.now() + 60_000);
    const { id } = (await keys.masters.list())[0]!;
    await keys.masters.disable(id);
    await heard('ERR_KEY_DISABLED', Date.now());
    await keys.masters.enable(id);
    await heard('opens', Date.now());
  });

  test('a record under a key that another process has just made is read at once', async () => {
    const place = await freshPlace(kind);
    const [one, two] = [await openHierarchy(place), await openHierarchy(place)];
    for (let round = 0; round < 5; round += 1) {
      await one.working.rotate('models');
      const sealed = await one.protect('models', ENTITY, PLAINTEXT);
      expect(await two.unprotect('models', ENTITY, sealed)).toEqual(PLAINTEXT);
    }
  });
});
