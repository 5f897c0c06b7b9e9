/** Rows that change, or are not what they should be, while records are re-encrypted; and what is said of a database that fails. */

import { closeSync, openSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import type { KeyHierarchy } from '../lib/keys/hierarchy.ts';
import type { KeptRecord } from '../lib/keys/reencryption/chunk.ts';
import { EntityColumns } from '../lib/keys/reencryption/entity-columns.ts';
import { openApplicationTable } from '../lib/keys/reencryption/open-table.ts';
import { countAll, reencryptAll } from '../lib/keys/reencryption/reencrypt-all.ts';
import { Target } from '../lib/keys/reencryption/target.ts';
import { APP_KINDS, type AppDatabase } from './helpers/app-tables.ts';
import { refusalOf } from './helpers/errors.ts';
import { openHierarchy } from './helpers/hierarchy.ts';
import { tempDir } from './helpers/temp.ts';

const AREA = 'models';
const SQLITE = APP_KINDS.find(({ name }) => name === 'SQLite')!;

let keys: KeyHierarchy;

const fresh = () => openHierarchy({ store: `sqlite:${join(tempDir(), 'keys.db')}`, stateDirectory: null });

beforeEach(async () => {
  keys = await fresh();
});

const entityOf = (id: string) => ({ type: 'claimant', id, field: 'template' });
const plain = (id: string) => new TextEncoder().encode(`template of ${id}`);
const seal = (id: string, by = keys) => by.protect(AREA, entityOf(id), plain(id));

describe('the aim of a job', () => {
  it('is reached under a key that was made meanwhile, and not under one of another store', async () => {
    const atFirst = await seal('a');
    const target = await Target.of(keys, AREA);
    const id = await keys.working.rotate(AREA);
    expect(await target.isReached(await seal('b'))).toBe(true);
    expect(await target.isReached(atFirst)).toBe(true);
    const other = await fresh();
    const foreign = await seal('a', other);
    const [foreignKey] = await other.working.list(AREA);
    expect(await target.isReached(foreign)).toBe(false);
    expect(
      await target.describe(
        new Map([
          [id, 2],
          [foreignKey!.id, 1],
        ]),
      ),
    ).toMatchObject([
      { workingKey: foreignKey!.id, version: null, state: null, masterKey: null, records: 1 },
      { workingKey: id, version: 2, state: 'active', records: 2 },
    ]);
  });
});

async function* each<R extends KeptRecord>(records: readonly R[]): AsyncGenerator<R> {
  yield* records;
}

describe('records of any source', () => {
  it('are done again where somebody put another in, and failures of that one are told', async () => {
    const records = await Promise.all(
      ['a', 'b', 'c'].map(async (key) => ({ key, entity: entityOf(key), record: await seal(key) })),
    );
    const another = await seal('a');
    const broken = (await seal('b')).map((byte, index) => (index === 60 ? byte ^ 1 : byte));
    await keys.working.rotate(AREA);
    const kept = new Map<string, Uint8Array>([
      ['a', another],
      ['b', broken],
      ['c', records[2]!.record!],
    ]);
    const { counts, failures } = await reencryptAll(keys, each(records), {
      area: AREA,
      replace: ({ key, record }, next) => {
        if (kept.get(key) !== record) return false;
        kept.set(key, next);
        return true;
      },
      reread: ({ key }) => ({ key, entity: entityOf(key), record: kept.get(key)! }),
    });
    expect(counts).toMatchObject({ reencrypted: 2, failed: 1, changed: 0 });
    expect(failures.map(({ key, code }) => [key, code])).toEqual([['b', 'ERR_TAMPERED']]);
    expect(await keys.isCurrent(kept.get('a')!)).toBe(true);
    expect(await keys.unprotect(AREA, entityOf('a'), kept.get('a')!)).toEqual(plain('a'));
    expect(kept.get('b')).toBe(broken);
  });

  it('are not counted as failures when the service itself is wrong: the job ends with its error', async () => {
    const record = await seal('a');
    await keys.working.rotate(AREA);
    const wrong = new RangeError('of the service');
    const entity = () => {
      throw wrong;
    };
    const replaced: string[] = [];
    const replace = ({ key }: KeptRecord) => replaced.push(key) > 0;
    await expect(reencryptAll(keys, each([{ key: 'a', entity, record }]), { area: AREA, replace })).rejects.toBe(wrong);
    expect(replaced).toEqual([]);
    const text = { key: 'a', entity: entityOf('a'), record: 'text' as unknown as Uint8Array };
    await expect(countAll(keys, each([text]), { area: AREA })).rejects.toThrow();
  });
});

describe('rows in SQLite', () => {
  let app: AppDatabase;
  const layout = {
    table: ['models'],
    key: ['id'],
    column: 'template',
    entity: EntityColumns.parse('type=claimant,id=claimant,field=template'),
  };
  const open = (url = app.url, change: Partial<typeof layout> = {}) =>
    openApplicationTable(url, { ...layout, ...change });

  beforeEach(async () => {
    app = await SQLITE.create();
    await app.run('CREATE TABLE models (id INTEGER PRIMARY KEY, claimant TEXT, template BLOB)');
    return () => app.close();
  });

  /** The whole table at once: a job of a table would wait for records that are on their way. */
  async function all(table: Awaited<ReturnType<typeof open>>) {
    return reencryptAll(keys, each(await table.page(null, 10)), {
      area: AREA,
      replace: async (kept, record) => (await table.replaceAll([{ kept, record }]))[0]!,
    });
  }

  it('are not written over when somebody was faster, and read again as they are then', async () => {
    for (const id of [1n, 2n])
      await app.run('INSERT INTO models VALUES (?, ?, ?)', [id, `c-${id}`, await seal(`c-${id}`)]);
    await using table = await open();
    const [one, two] = await table.page(null, 10);
    const others = await seal('c-1');
    await app.run('UPDATE models SET template = ? WHERE id = ?', [others, 1n]);
    await app.run('DELETE FROM models WHERE id = ?', [2n]);
    const mine = await seal('c-1');
    expect(
      await table.replaceAll([
        { kept: one!, record: mine },
        { kept: two!, record: mine },
      ]),
    ).toEqual([false, false]);
    const now = await table.reread(one!);
    expect(now!.record).toEqual(new Uint8Array(others));
    expect(await table.reread(two!)).toBeNull();
    expect(await table.replaceAll([{ kept: now!, record: mine }])).toEqual([true]);
    const [row] = await app.run('SELECT template FROM models');
    expect(new Uint8Array(row!.template as Uint8Array)).toEqual(new Uint8Array(mine));
  });

  it('wait for whoever writes to the database', async () => {
    await app.run('INSERT INTO models VALUES (?, ?, ?)', [1n, 'c-1', await seal('c-1')]);
    const mine = await seal('c-1');
    await using table = await open();
    const [kept] = await table.page(null, 10);
    await app.run('BEGIN IMMEDIATE');
    let done = false;
    const replacing = table.replaceAll([{ kept: kept!, record: mine }]).finally(() => {
      done = true;
    });
    await pause(50);
    expect(done).toBe(false);
    await app.run('COMMIT');
    expect(await replacing).toEqual([true]);
  });

  it('that hold no bytes, or name no entity, are named and left alone', async () => {
    const record = await seal('c-1');
    await keys.working.rotate(AREA);
    const insert = (sql: string, values: Uint8Array[] = []) => app.run(`INSERT INTO models VALUES (${sql})`, values);
    await insert("1, 'c-1', ?", [record]);
    await insert("2, 'c-2', 'a text'");
    await insert("3, 'c-3', 7");
    await insert("4, x'00ff', ?", [record]);
    await using table = await open();
    const { counts, failures } = await all(table);
    expect(counts).toMatchObject({ reencrypted: 1, failed: 3 });
    expect(failures.map(({ key, code, message }) => [key, code, message])).toEqual([
      ['2', 'ERR_NOT_CALLSEAL', 'template holds text, not bytes'],
      ['3', 'ERR_NOT_CALLSEAL', 'template holds a number, not bytes'],
      ['4', 'ERR_INVALID_ARGUMENT', expect.stringContaining('claimant holds neither a text nor a whole number')],
    ]);
    expect(await app.run("SELECT id FROM models WHERE typeof(template) <> 'blob'")).toHaveLength(2);
  });

  it('may be told apart by a whole number, also one that no double holds', async () => {
    const id = 2n ** 53n + 1n;
    await app.run('INSERT INTO models VALUES (?, ?, ?)', [id, '-', await seal(String(id))]);
    await keys.working.rotate(AREA);
    const entity = EntityColumns.parse('type=claimant,id=id,field=template');
    await using table = await open(app.url, { entity });
    const { counts } = await all(table);
    expect(counts).toMatchObject({ reencrypted: 1, failed: 0 });
    const [row] = await app.run('SELECT template FROM models');
    expect(await keys.unprotect(AREA, entityOf(String(id)), row!.template as Uint8Array)).toEqual(plain(String(id)));
  });

  it('of a database that is damaged, or none: an error that names the file', async () => {
    const path = join(tempDir(), 'app.db');
    writeFileSync(path, 'no database'.repeat(1000));
    const none = await refusalOf(() => open(`sqlite:${path}`));
    expect([none.code, none.path]).toEqual(['ERR_IO', path]);
    expect(none.message).toMatch(/the database fails \(.*not a database/);

    await app.run("INSERT INTO models VALUES (1, 'c-1', x'00')");
    await app.run('PRAGMA wal_checkpoint(TRUNCATE)');
    await app.close();
    const damaged = app.url.slice('sqlite:'.length);
    const file = openSync(damaged, 'r+');
    const length = statSync(damaged).size - 4096; // all but the first page, which has the schema
    writeSync(file, Buffer.alloc(length, 0xff), 0, length, 4096);
    closeSync(file);
    const { code, message } = await refusalOf(async () => (await open()).page(null, 10));
    expect(code).toBe('ERR_IO');
    expect(message).toContain(`${app.url}: the database is damaged, or the disk failed to read it`);
  });
});
