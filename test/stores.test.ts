/** What every key store does, on each kind of database. */

import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { KeyStore, StoreReader, StoreWriter } from '../lib/keys/stores/store.ts';
import { codeOf, refusalOf } from './helpers/errors.ts';
import { auditRow, masterRow, random, reencryptionRow, storeRow, workingRow } from './helpers/store-rows.ts';
import { opening, STORE_KINDS } from './helpers/stores.ts';

describe.each(STORE_KINDS)('$name', (kind) => {
  let url: string;
  let store: KeyStore;

  beforeAll(() => kind.prepare());

  beforeEach(async () => {
    url = await kind.freshUrl();
    store = await opening(url);
  });

  const write = (work: (writer: StoreWriter) => Promise<unknown>) => store.transaction(work);

  describe('rows', () => {
    it('are none at first', async () => {
      expect(await store.readStore()).toBeNull();
      expect(await store.readMasters()).toEqual([]);
      expect(await store.readWorking()).toEqual([]);
      expect(await store.readWorkingById(random(16))).toBeNull();
      expect(await store.readAudit(0, 10)).toEqual([]);
      expect(await store.readLastAudit()).toBeNull();
      expect(await store.readReencryptions()).toEqual([]);
      expect(await store.readRevision()).toBe(0);
    });

    it('come back as they were given, also in another process', async () => {
      const rows = {
        store: storeRow(),
        master: masterRow(),
        working: workingRow(),
        audit: auditRow(),
        reencryption: reencryptionRow({ cursor: '["c-41"]', finishedAt: 5 }),
      };
      await write(async (writer) => {
        await writer.writeStore(rows.store);
        await writer.writeMaster(rows.master);
        await writer.writeWorking(rows.working);
        await writer.appendAudit(rows.audit);
        await writer.writeReencryption(rows.reencryption);
      });
      for (const reader of [store, await opening(url, { create: false })]) {
        expect(await reader.readStore()).toEqual(rows.store);
        expect(await reader.readMasters()).toEqual([rows.master]);
        expect(await reader.readWorking()).toEqual([rows.working]);
        expect(await reader.readWorkingById(rows.working.id)).toEqual(rows.working);
        expect(await reader.readAudit(0, 10)).toEqual([rows.audit]);
        expect(await reader.readLastAudit()).toEqual(rows.audit);
        expect(await reader.readReencryptions()).toEqual([rows.reencryption]);
      }
    });

    it('keep the edges of their types', async () => {
      const empty = new Uint8Array(0);
      const store1 = storeRow({ currentMasterId: empty, sequence: Number.MAX_SAFE_INTEGER, createdAt: 0 });
      const audit = auditRow({ actor: '', details: `"${'ü𝄞\u0001\n'.repeat(1000)}"`, at: 2 ** 31 });
      await write(async (writer) => {
        await writer.writeStore(store1);
        await writer.appendAudit(audit);
        await writer.writeMaster(masterRow({ wrapped: empty, state: 'removed' }));
      });
      expect(await store.readStore()).toEqual(store1);
      expect(await store.readLastAudit()).toEqual(audit);
      expect((await store.readMasters())[0]).toMatchObject({ wrapped: empty, state: 'removed' });
    });

    it('are views of nothing that the caller goes on using', async () => {
      const backing = random(64);
      const row = masterRow({ id: backing.subarray(8, 24) });
      await write((writer) => writer.writeMaster(row));
      const id = row.id.slice();
      backing.fill(0);
      expect((await store.readMasters())[0]?.id).toEqual(id);
    });

    it('are replaced by their key', async () => {
      const master = masterRow();
      const working = workingRow();
      const source = reencryptionRow();
      await write(async (writer) => {
        await writer.writeStore(storeRow());
        await writer.writeMaster(master);
        await writer.writeWorking(working);
        await writer.writeReencryption(source);
      });
      const next = {
        store: storeRow({ sequence: 2 }),
        master: masterRow({ id: master.id, state: 'disabled' }),
        working: workingRow({ id: working.id, state: 'retired', reserved: 2 ** 32 }),
        source: reencryptionRow({ report: '{"done":1}' }),
      };
      await write(async (writer) => {
        await writer.writeStore(next.store);
        await writer.writeMaster(next.master);
        await writer.writeWorking(next.working);
        await writer.writeReencryption(next.source);
      });
      expect(await store.readStore()).toEqual(next.store);
      expect(await store.readMasters()).toEqual([next.master]);
      expect(await store.readWorking()).toEqual([next.working]);
      expect(await store.readReencryptions()).toEqual([next.source]);
    });

    it('come in the order that the interface gives', async () => {
      const ids = [0x00, 0x7f, 0x80, 0xff].map((first) => Uint8Array.from([first, ...random(15)]));
      const keys = [
        ['a-z', 1],
        ['a.b', 1],
        ['a.b', 2],
        ['a.b', 10],
        ['a_b', 1],
        ['ab', 1],
      ] as const;
      await write(async (writer) => {
        for (const id of ids.toReversed()) await writer.writeMaster(masterRow({ id }));
        for (const [area, version] of keys.toReversed()) await writer.writeWorking(workingRow({ area, version }));
        for (const sequence of [1, 2, 3, 4, 11]) await writer.appendAudit(auditRow({ sequence }));
        for (const source of ['b', 'B']) await writer.writeReencryption(reencryptionRow({ source }));
      });
      expect((await store.readMasters()).map(({ id }) => id)).toEqual(ids);
      expect((await store.readWorking()).map(({ area, version }) => [area, version])).toEqual(keys);
      expect((await store.readWorking('a.b')).map(({ version }) => version)).toEqual([1, 2, 10]);
      expect((await store.readAudit(1, 3)).map(({ sequence }) => sequence)).toEqual([2, 3, 4]);
      expect((await store.readLastAudit())?.sequence).toBe(11);
      expect((await store.readReencryptions()).map(({ source }) => source)).toEqual(['B', 'b']);
    });

    it.each([
      ['a short id', (writer: StoreWriter) => writer.writeMaster(masterRow({ id: random(15) })), /id must be 16 bytes/],
      ['a fraction', (writer: StoreWriter) => writer.writeMaster(masterRow({ sequence: 1.5 })), /whole number/],
      ['a number from 2^53', (writer: StoreWriter) => writer.appendAudit(auditRow({ at: 2 ** 53 })), /whole number/],
      ['a negative number', (writer: StoreWriter) => writer.writeWorking(workingRow({ reserved: -1 })), /whole number/],
      ['version 0', (writer: StoreWriter) => writer.writeWorking(workingRow({ version: 0 })), /whole number from 1/],
      ['text with NUL', (writer: StoreWriter) => writer.appendAudit(auditRow({ actor: 'a\0b' })), /NUL/],
      ['half a character', (writer: StoreWriter) => writer.appendAudit(auditRow({ actor: '\ud800' })), /actor/],
      [
        'an unknown state',
        (writer: StoreWriter) => writer.writeMaster(masterRow({ state: 'lost' as 'active' })),
        /state/,
      ],
    ])('are refused with %s, in words', async (_what, work, words) => {
      const { code, message } = await refusalOf(() => write(work));
      expect(code).toBe('ERR_INVALID_ARGUMENT');
      expect(message).toMatch(words);
      expect(await store.readRevision()).toBe(0);
    });

    it.each([
      ['an area and version that another id has', (writer: StoreWriter) => writer.writeWorking(workingRow())],
      ['an audit sequence that is there', (writer: StoreWriter) => writer.appendAudit(auditRow())],
    ])('conflict in %s', async (_what, work) => {
      await write(work);
      expect(await codeOf(() => write(work))).toBe('ERR_INVALID_ARGUMENT');
      expect(await store.readRevision()).toBe(1);
    });
  });

  describe('a row that somebody altered', () => {
    // The tables' own checks stand in the way of most; whoever may alter rows may drop these, too.
    it.each([
      ['callseal_revision', 'set revision = 9007199254740993', (reader: StoreReader) => reader.readRevision()],
      ['callseal_store', 'set audit_sequence = 9223372036854775807', (reader: StoreReader) => reader.readStore()],
      ['callseal_master_keys', 'set created_at = 9007199254740992', (reader: StoreReader) => reader.readMasters()],
      ['callseal_working_keys', 'set reserved = 9007199254740993', (reader: StoreReader) => reader.readWorking()],
      ['callseal_audit', 'set sequence = 9007199254740993', (reader: StoreReader) => reader.readLastAudit()],
    ])('in %s is named', async (table, change, read) => {
      const master = masterRow();
      await write(async (writer) => {
        await writer.writeStore(storeRow());
        await writer.writeMaster(master);
        await writer.writeWorking(workingRow({ id: master.id }));
        await writer.appendAudit(auditRow());
      });
      await kind.tamper(url, `update ${table} ${change}`);
      const { code, message } = await refusalOf(() => read(store));
      expect(code).toBe('ERR_KEY_SUBSTITUTED');
      expect(message).toContain(`${table}, row`);
      if (table.endsWith('_keys')) expect(message).toContain(Buffer.from(master.id).toString('hex'));
    });

    it('is named when a table is not what it was', async () => {
      await write((writer) => writer.writeMaster(masterRow()));
      await kind.tamper(url, 'alter table callseal_master_keys rename to was');
      await kind.tamper(
        url,
        'create table callseal_master_keys as select id, suite, state, sequence, created_at, changed_at, signature, 7 as wrapped from was',
      );
      const { code, message } = await refusalOf(() => store.readMasters());
      expect(code).toBe('ERR_KEY_SUBSTITUTED');
      expect(message).toMatch(/wrapped is not bytes/);
    });
  });

  describe('a transaction', () => {
    it('raises the revision by one, and gives what its work gives', async () => {
      expect(await write(async () => 'x')).toBe('x');
      expect(await store.readRevision()).toBe(1);
      await write((writer) => writer.writeMaster(masterRow()));
      expect(await store.readRevision()).toBe(2);
    });

    it('leaves nothing when its work fails, and hands the failure on', async () => {
      const failure = new TypeError('mine');
      const attempt = write(async (writer) => {
        await writer.writeMaster(masterRow());
        throw failure;
      });
      await expect(attempt).rejects.toBe(failure);
      expect(await store.readMasters()).toEqual([]);
      expect(await store.readRevision()).toBe(0);
      await write((writer) => writer.writeMaster(masterRow()));
    });

    it('is not committed after a failed statement, whatever its work makes of that', async () => {
      const attempt = write(async (writer) => {
        await writer.appendAudit(auditRow());
        await writer.appendAudit(auditRow()).catch(() => {});
        return 'done';
      });
      expect(await codeOf(() => attempt)).toBe('ERR_INVALID_ARGUMENT');
      expect(await store.readAudit(0, 10)).toEqual([]);
    });

    it('takes along what its work did not wait for', async () => {
      await write(async (writer) => {
        void writer.appendAudit(auditRow({ sequence: 1 }));
        void writer.appendAudit(auditRow({ sequence: 2 }));
      });
      expect(await store.readAudit(0, 10)).toHaveLength(2);
      expect(await store.readRevision()).toBe(1);
    });

    it('sees its own writes, and nobody else does before the end', async () => {
      const other = await opening(url);
      const row = masterRow();
      await write(async (writer) => {
        await writer.writeMaster(row);
        expect(await writer.readMasters()).toEqual([row]);
        for (const reader of [store, other]) expect(await reader.readMasters()).toEqual([]);
        await new Promise((resolve) => setTimeout(resolve, 20));
        for (const reader of [store, other]) expect(await reader.readMasters()).toEqual([]);
        expect(await writer.readMasters()).toEqual([row]);
      });
      for (const reader of [store, other]) expect(await reader.readMasters()).toEqual([row]);
    });

    it('is alone, in this store and in others', async () => {
      const stores = [store, await opening(url), await opening(url)];
      let running = 0;
      const work = async (writer: StoreWriter) => {
        running += 1;
        expect(running).toBe(1);
        const last = (await writer.readLastAudit())?.sequence ?? 0;
        await new Promise((resolve) => setTimeout(resolve, 2));
        await writer.appendAudit(auditRow({ sequence: last + 1 }));
        running -= 1;
      };
      await Promise.all(Array.from({ length: 30 }, (_, index) => stores[index % 3]!.transaction(work)));
      expect((await store.readLastAudit())?.sequence).toBe(30);
      expect(await store.readRevision()).toBe(30);
    });

    it('refuses its writer once it has ended', async () => {
      let kept: StoreWriter | undefined;
      await write(async (writer) => {
        kept = writer;
      });
      expect(await codeOf(() => kept!.writeMaster(masterRow()))).toBe('ERR_INVALID_ARGUMENT');
      expect(await codeOf(() => kept!.readMasters())).toBe('ERR_INVALID_ARGUMENT');
    });

    it('waits for others only as long as it was told', async () => {
      const impatient = await opening(url, { patience: 100 });
      await write(async () => {
        const { code, message } = await refusalOf(() => impatient.transaction(async () => {}));
        expect(code).toBe('ERR_STORE_UNAVAILABLE');
        expect(message).toMatch(/another|lock/);
      });
      const row = masterRow();
      await write((writer) => writer.writeMaster(row));
      await impatient.transaction(async (writer) => {
        // The attempt that failed must not have left it with an old state.
        expect(await writer.readMasters()).toEqual([row]);
        expect(await codeOf(() => impatient.transaction(async () => {}))).toBe('ERR_STORE_UNAVAILABLE');
        await writer.writeMaster(masterRow());
      });
      expect(await store.readMasters()).toHaveLength(2);
    });
  });

  describe('a snapshot', () => {
    it('shows one state, while others go on', async () => {
      const first = masterRow();
      await write((writer) => writer.writeMaster(first));
      const seen = await store.snapshot(async (reader) => {
        const before = await reader.readRevision();
        await write(async (writer) => {
          await writer.writeMaster(masterRow());
          await writer.writeStore(storeRow());
        });
        expect(await store.readMasters()).toHaveLength(2);
        expect(await reader.readMasters()).toEqual([first]);
        expect(await reader.readStore()).toBeNull();
        return [before, await reader.readRevision()];
      });
      expect(seen).toEqual([1, 1]);
      expect(await store.snapshot((reader) => reader.readMasters())).toHaveLength(2);
    });

    it('hands a failure on, and refuses its reader once it has ended', async () => {
      let kept: StoreReader | undefined;
      const attempt = store.snapshot(async (reader) => {
        kept = reader;
        throw new RangeError('mine');
      });
      await expect(attempt).rejects.toThrow(RangeError);
      expect(await codeOf(() => kept!.readMasters())).toBe('ERR_INVALID_ARGUMENT');
      expect(await store.snapshot((reader) => reader.readMasters())).toEqual([]);
    });
  });

  describe('opening', () => {
    it('makes nothing when it is not to', async () => {
      const missing = await kind.freshUrl();
      for (const _attempt of [1, 2]) {
        const { code, message } = await refusalOf(() => opening(missing, { create: false }));
        expect(code).toBe('ERR_STORE_UNAVAILABLE');
        expect(message).toMatch(/there is no/);
      }
    });

    it('refuses a store that a newer release has changed, and changes nothing', async () => {
      await kind.tamper(url, "insert into callseal_migrations (name, timestamp) values ('9999-later', '')");
      for (const create of [true, false]) {
        const { code, message } = await refusalOf(() => opening(url, { create }));
        expect(code).toBe('ERR_UNSUPPORTED_VERSION');
        expect(message).toMatch(/newer release of Callseal \(9999-later\); upgrade/);
      }
      await kind.tamper(url, "delete from callseal_migrations where name = '9999-later'");
      expect(await (await opening(url)).readRevision()).toBe(0);
    });

    it('refuses times that are none', async () => {
      for (const patience of [0, Number.NaN, Number.POSITIVE_INFINITY]) {
        expect(await codeOf(() => opening(url, { patience }))).toBe('ERR_INVALID_ARGUMENT');
      }
    });
  });

  describe('closing', () => {
    it('waits for what runs, and refuses the rest', async () => {
      const running = write(async (writer) => {
        await new Promise((resolve) => setTimeout(resolve, 30));
        await writer.writeMaster(masterRow());
      });
      await store.close();
      await running;
      await store.close();
      for (const attempt of [() => store.readMasters(), () => write(async () => {})]) {
        const { code, message } = await refusalOf(attempt);
        expect(code).toBe('ERR_INVALID_ARGUMENT');
        expect(message).toMatch(/closed/);
      }
      expect(() => store.onChange(() => {})).toThrow(/closed/);
      expect(await (await opening(url)).readMasters()).toHaveLength(1);
    });
  });
});
