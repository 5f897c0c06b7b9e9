/** A key store in SQLite whose users are killed at random, and one that another process does not let go. */

import { setTimeout as pause } from 'node:timers/promises';
import Libsql from 'libsql';
import { beforeAll, describe, expect, it } from 'vitest';

import { type KeyHierarchy, openStore } from '../../lib/keys/index.ts';
import { refusalOf } from './errors.ts';
import { anotherHost, ENTITY, openHierarchy, PLAINTEXT, type Place } from './hierarchy.ts';
import { startHierarchyChild } from './hierarchy-child.ts';
import { type Random, seededRandom } from './seeded.ts';
import { startTalkingChild } from './talking-child.ts';
import { tempDir } from './temp.ts';

const PATIENCE = process.env.CALLSEAL_LONG === '1' ? 3_600_000 : 120_000;
/** After so many kills, another store: its beginning is killed, too. */
const ROUNDS_A_STORE = 3;
/** The most changes that a child makes, and the milliseconds that it then lives. */
const MOST_CHANGES = 6;
const LONGEST_LIFE = 60;
/** Milliseconds that a transaction waits for others; 30 s unless told otherwise. */
const WAIT = 500;

const freshStore = (): Place => ({ store: `sqlite:${tempDir()}/keys.db`, stateDirectory: anotherHost() });
const pathOf = ({ store }: Place): string => store.slice('sqlite:'.length);

/** Changes keys for ever, and says what is done: `record AREA SEALED BYTE`, `master ID`. */
const CHANGES = `
  say('begins');
  const keys = await open();
  for (let i = 0; ; i++) {
    const area = 'area-' + i % 3;
    say('record ' + area + ' ' + Buffer.from(await keys.protect(area, ENTITY, Uint8Array.of(i % 256))).toString('base64') + ' ' + i % 256);
    if (i % 2 === 0) say('master ' + await keys.masters.rotate());
  }
`;

/** Makes a store with one record and one master key, and says them. */
const BEGINNING = `
  const keys = await open();
  say(Buffer.from(await keys.protect('models', ENTITY, Buffer.from('${Buffer.from(PLAINTEXT)}'))).toString('base64'));
  say((await keys.masters.list())[0].id);
  await keys.close();
`;

/** SQL by what it does to the file, until its process ends. */
const LOCKS = {
  'writes without end': 'begin immediate',
  'has it for itself': 'pragma locking_mode = exclusive; begin exclusive; commit',
};

const lockChild = (path: string, sql: string) =>
  startTalkingChild(
    `
    import { createRequire } from 'node:module';
    const Libsql = createRequire(process.argv[3])('libsql');
    const database = new Libsql(process.argv[2]);
    database.exec(${JSON.stringify(sql)});
    process.stdout.write('locked\\n');
    setInterval(() => database.inTransaction, 1000);
    `,
    [path, import.meta.filename],
    {},
  );

/** @param kills How many processes are killed. */
export function defineSqliteFaultTests(kills: number): void {
  describe('a key store in SQLite', { timeout: PATIENCE }, () => {
    let random: Random;

    beforeAll(() => {
      random = seededRandom('sqlite faults');
    });

    it('whose process is killed at any moment opens, is whole, and has all that was told', async () => {
      let place = freshStore();
      let said: string[][] = [];
      let changes = 0;
      for (let round = 0; round < kills; round += 1) {
        if (round % ROUNDS_A_STORE === 0) {
          place = freshStore();
          said = [];
        }
        const where = `kill ${round}`;
        const child = await startHierarchyChild(place, CHANGES);
        expect(await child.next()).toBe('begins');
        const wanted = round % ROUNDS_A_STORE === 0 ? 0 : 1 + Math.floor(random() * MOST_CHANGES);
        for (let line = 0; line < wanted; line += 1) said.push((await child.next())!.split(' '));
        await pause(random() * (wanted === 0 ? 10 * LONGEST_LIFE : LONGEST_LIFE));
        child.process.kill('SIGKILL');
        const { lines, signal, stderr } = await child.end();
        expect([signal, stderr], where).toEqual(['SIGKILL', '']);
        said.push(...lines.map((line) => line.split(' ')));
        changes += wanted + lines.length;
        const keys = await openHierarchy(place);
        await keys.audit.verify();
        const masters = (await keys.masters.list()).map(({ id }) => id);
        for (const [what, name, sealed, byte] of said) {
          if (what === 'master') expect(masters, where).toContain(name);
          if (what !== 'record' || byte === undefined) continue; // killed while it spoke
          const opened = await keys.unprotect(name!, ENTITY, Buffer.from(sealed!, 'base64'));
          expect(opened, where).toEqual(Uint8Array.of(Number(byte)));
        }
        await keys.masters.rotate();
        await keys.protect('area-0', ENTITY, PLAINTEXT);
        await keys.close();
        const database = new Libsql(pathOf(place));
        expect(database.pragma('integrity_check'), where).toEqual([{ integrity_check: 'ok' }]);
        database.close();
      }
      expect(changes).toBeGreaterThan(0);
    });

    it.each(Object.entries(LOCKS))(
      'that another process %s is unavailable, and nothing is half done',
      async (_, sql) => {
        const place = freshStore();
        // In a process of its own, which has closed the file when it has ended.
        const first = await startHierarchyChild(place, BEGINNING);
        const [record, master] = (await first.end()).lines;
        const child = lockChild(pathOf(place), sql);
        expect(await child.next()).toBe('locked');
        const changes: ((keys: KeyHierarchy) => Promise<unknown>)[] = [
          (keys) => keys.masters.rotate(),
          (keys) => keys.protect('features', ENTITY, PLAINTEXT),
        ];
        for (const change of changes) {
          const error = await refusalOf(async () => {
            const store = await openStore(place.store, { patience: WAIT });
            try {
              await change(await openHierarchy({ ...place, store }));
            } finally {
              await store.close();
            }
          });
          expect([error.code, error.message]).toEqual([
            'ERR_STORE_UNAVAILABLE',
            expect.stringMatching(/keys\.db: another process holds the key store/),
          ]);
        }
        child.process.kill('SIGKILL');
        await child.end();
        const after = await openHierarchy(place);
        await after.audit.verify();
        expect((await after.masters.list()).map(({ id }) => id)).toEqual([master]);
        expect((await after.working.list()).map(({ area }) => area)).toEqual(['models']);
        expect(await after.unprotect('models', ENTITY, Buffer.from(record!, 'base64'))).toEqual(PLAINTEXT);
        for (const change of changes) await change(after);
      },
    );
  });
}
