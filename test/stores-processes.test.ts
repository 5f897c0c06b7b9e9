/** Many processes on one key store, on each kind of database: nothing is lost, whoever dies. */

import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startStoreChild } from './helpers/store-child.ts';
import { masterRow } from './helpers/store-rows.ts';
import { opening, STORE_KINDS } from './helpers/stores.ts';
import type { TalkingChild } from './helpers/talking-child.ts';

const PROCESSES = 8;

const startMany = (url: string, body: string, processes = PROCESSES) =>
  Array.from({ length: processes }, () => startStoreChild(url, body));

const endAll = (children: TalkingChild[]) => Promise.all(children.map((child) => child.end()));

const GOOD = { status: 0, signal: null, stderr: '' };

describe.each(STORE_KINDS)('$name', (kind) => {
  let url: string;

  beforeAll(() => kind.prepare());

  beforeEach(async () => {
    url = await kind.freshUrl();
  });

  it('is made once when many open it at the same time', async () => {
    const body = `
      const store = await openStore(url);
      await store.transaction(async (writer) => {
        if ((await writer.readMasters()).length > 0) return;
        await writer.writeMaster(counter(1));
        say('first');
      });
      await store.close();
    `;
    const outcomes = await endAll(startMany(url, body));
    for (const outcome of outcomes) expect(outcome).toMatchObject(GOOD);
    expect(outcomes.flatMap(({ lines }) => lines)).toEqual(['first']);
    expect(await (await opening(url, { create: false })).readRevision()).toBe(PROCESSES);
  });

  it('loses no transaction of many at the same time', async () => {
    const each = 20;
    const body = `
      import { setTimeout as pause } from 'node:timers/promises';
      const store = await openStore(url);
      for (let i = 0; i < ${each}; i++) {
        await store.transaction(async (writer) => {
          const sequence = (await writer.readMasters())[0]?.sequence ?? 0;
          if (i % 5 === 0) await pause(1);
          await writer.writeMaster(counter(sequence + 1));
        });
        await store.snapshot(async (reader) => {
          const [master] = await reader.readMasters();
          if (master.sequence !== await reader.readRevision()) say('torn');
        });
      }
      await store.close();
    `;
    for (const outcome of await endAll(startMany(url, body))) expect(outcome).toMatchObject({ ...GOOD, lines: [] });
    const store = await opening(url);
    expect((await store.readMasters())[0]?.sequence).toBe(PROCESSES * each);
    expect(await store.readRevision()).toBe(PROCESSES * each);
  });

  it('is as it was before a transaction whose process is killed, and holds up nobody', async () => {
    const store = await opening(url);
    const before = masterRow();
    await store.transaction((writer) => writer.writeMaster(before));
    for (const when of ['before', 'after']) {
      const child = startStoreChild(
        url,
        `
          const store = await openStore(url);
          await store.transaction(async (writer) => {
            if ('${when}' === 'after') {
              for (let i = 0; i < 20; i++) await writer.writeMaster({ ...counter(i), id: filled(16).fill(i) });
            }
            say('inside');
            await new Promise(() => setInterval(() => {}, 1000));
          });
        `,
      );
      expect(await child.next()).toBe('inside');
      const waiting = store.transaction(async (writer) => (await writer.readMasters()).length);
      child.process.kill('SIGKILL');
      expect(await child.end()).toMatchObject({ signal: 'SIGKILL', stderr: '' });
      expect(await waiting).toBe(1);
      expect(await store.readMasters()).toEqual([before]);
    }
    expect(await store.readRevision()).toBe(3);
  });

  it('survives processes that are killed at any moment', async () => {
    const body = `
      const store = await openStore(url);
      for (;;) {
        await store.transaction(async (writer) => {
          const sequence = (await writer.readMasters())[0]?.sequence ?? 0;
          await writer.writeMaster(counter(sequence + 1));
        });
        say('done');
      }
    `;
    let done = 0;
    for (let round = 0; round < 4; round += 1) {
      const children = startMany(url, body, 3);
      for (const child of children) await child.next();
      await new Promise((resolve) => setTimeout(resolve, 20 + 10 * round));
      for (const child of children) child.process.kill('SIGKILL');
      done += children.length;
      for (const { lines } of await endAll(children)) done += lines.length;
    }
    const store = await opening(url);
    const sequence = (await store.readMasters())[0]?.sequence ?? 0;
    // What was told was done; what was done may not have been told.
    expect(sequence).toBeGreaterThanOrEqual(done);
    expect(await store.readRevision()).toBe(sequence);
  });

  describe('a change', () => {
    const LISTENING = `
      const store = await openStore(url);
      let seen = -1;
      store.onChange(async () => {
        const revision = await store.readRevision();
        if (revision !== seen) say(String(seen = revision));
      });
      setInterval(() => {}, 1000);
    `;

    it('by one process is heard of by others, and by the same one', async () => {
      const store = await opening(url);
      const children = [startStoreChild(url, LISTENING), startStoreChild(url, LISTENING)];
      for (const child of children) expect(await child.next()).toBe('0');
      const heard: number[] = [];
      let tell = () => {};
      const stop = store.onChange(async () => {
        heard.push(await store.readRevision());
        tell();
      });
      await new Promise<void>((resolve) => {
        tell = resolve;
      });
      for (const revision of [1, 2]) {
        const told = new Promise<void>((resolve) => {
          tell = resolve;
        });
        await store.transaction((writer) => writer.writeMaster(masterRow()));
        for (const child of children) expect(await child.next()).toBe(String(revision));
        await told;
      }
      stop();
      expect(heard.at(-1)).toBe(2);
      const told = heard.length;
      await store.transaction((writer) => writer.writeMaster(masterRow()));
      for (const child of children) expect(await child.next()).toBe('3');
      expect(heard).toHaveLength(told);
    });

    it('is heard of without a notification', async () => {
      const store = await opening(url);
      const child = startStoreChild(url, LISTENING);
      expect(await child.next()).toBe('0');
      await kind.tamper(url, 'update callseal_revision set revision = 41');
      expect(await child.next()).toBe('41');
      expect(await store.readRevision()).toBe(41);
    });
  });

  it('keeps no process alive, closed or not', async () => {
    const body = `
      const store = await openStore(url);
      store.onChange(() => say('heard'));
      await store.transaction((writer) => writer.writeMaster(counter(1)));
      await Promise.all([1, 2, 3].map(() => store.readMasters()));
      if (process.env.CLOSE) await store.close();
      say('last');
    `;
    for (const env of [{}, { CLOSE: '1' }]) {
      const child = startStoreChild(url, body, env);
      const { lines, ...outcome } = await child.end();
      expect(outcome).toEqual(GOOD);
      expect(lines).toContain('last');
    }
  });
});
