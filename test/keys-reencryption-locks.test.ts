/** Re-encryption beside an application that holds locks on its rows. */

import pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import { EntityColumns } from '../lib/keys/reencryption/entity-columns.ts';
import { openApplicationTable } from '../lib/keys/reencryption/open-table.ts';
import { type PostgresServer, startPostgres } from './helpers/postgres.ts';

let server: PostgresServer;

beforeAll(async () => {
  server = await startPostgres();
});

const layout = {
  table: ['t'],
  key: ['id'],
  column: 'c',
  entity: EntityColumns.parse('type=a,id=name'),
};

/** Ten rows with one byte each, a table on them, and a session of the application's. */
async function scene(columns = 'id BIGINT PRIMARY KEY, name TEXT, c BYTEA') {
  const database = await server.createDatabase();
  await server.query(database, `CREATE TABLE t (${columns})`);
  await server.query(database, `INSERT INTO t SELECT n, 'n' || n, '\\x01' FROM generate_series(1, 10) n`);
  const table = await openApplicationTable(server.url(database), layout);
  const application = new pg.Client({ connectionString: server.url(database) });
  await application.connect();
  const end = async () => {
    await table.close();
    await application.end();
  };
  return { database, table, application, end };
}

const FRESH = Uint8Array.of(2);

describe('a page', () => {
  it('is written but for the rows that have changed', async () => {
    const { table, application, end } = await scene();
    const page = await table.page(null, 10);
    await application.query(`UPDATE t SET c = '\\x09' WHERE id = 3`);
    await application.query('DELETE FROM t WHERE id = 4');
    const written = await table.replaceAll(page.map((kept) => ({ kept, record: FRESH })));
    expect(written).toEqual([true, true, false, false, true, true, true, true, true, true]);
    const { rows } = await application.query('SELECT id, c FROM t ORDER BY id');
    expect(rows.map((row) => row.c[0])).toEqual([2, 2, 9, 2, 2, 2, 2, 2, 2]);
    expect((await table.reread(page[2]!))?.record).toEqual(Buffer.of(9));
    expect(await table.reread(page[3]!)).toBeNull();
    await end();
  });

  it('does not wait for one row while it holds another', async () => {
    const { database, table, application, end } = await scene();
    const page = await table.page(null, 10);
    await application.query('BEGIN');
    await application.query(`UPDATE t SET c = '\\x09' WHERE id = 5`);
    const writing = table.replaceAll(page.map((kept) => ({ kept, record: FRESH })));
    // It waits for row 5 now, and holds none: the application gets every other.
    const waiting = `SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name = 'callseal'`;
    while ((await server.query(database, waiting)).length === 0);
    await application.query(`SET lock_timeout = '10s'`);
    for (const id of [1, 4, 6, 10]) await application.query(`UPDATE t SET name = 'mine' WHERE id = ${id}`);
    await application.query('COMMIT');
    expect((await writing).map(Number)).toEqual([1, 1, 1, 1, 0, 1, 1, 1, 1, 1]);
    await end();
  });

  it.each([
    ['TEXT', `'k' || n`],
    ['UUID', `('00000000-0000-0000-0000-' || lpad(n::text, 12, '0'))::uuid`],
    ['TIMESTAMPTZ', `timestamptz '2026-01-01' + n * interval '1.000001 s'`],
    ['DOUBLE PRECISION', 'n / 3.0::double precision'],
    ['NUMERIC(20, 10)', 'n / 7.0'],
    ['VARCHAR(10)', `'k' || n`],
  ])('goes by keys of type %s', async (type, value) => {
    const database = await server.createDatabase();
    await server.query(database, `CREATE TABLE t (id ${type} PRIMARY KEY, name TEXT, c BYTEA)`);
    await server.query(database, `INSERT INTO t SELECT ${value}, 'n' || n, '\\x01' FROM generate_series(1, 10) n`);
    const table = await openApplicationTable(server.url(database), layout);
    const names: string[] = [];
    for (let after: string | null = null; ; ) {
      const page = await table.page(after, 3);
      expect(await table.count(after)).toBe(10 - names.length);
      names.push(...page.map((row) => row.entity().id));
      expect(await table.replaceAll(page.map((kept) => ({ kept, record: FRESH })))).toEqual(page.map(() => true));
      if (page.length < 3) break;
      after = page.at(-1)!.position;
    }
    expect(new Set(names).size).toBe(10);
    await table.close();
  });

  it('is refused where names of entities have no one text', async () => {
    const { database, end } = await scene('id BIGINT PRIMARY KEY, name TEXT, c BYTEA, made TIMESTAMPTZ');
    const entity = EntityColumns.parse('type=a,id=made');
    await expect(openApplicationTable(server.url(database), { ...layout, entity })).rejects.toThrow(
      /column made is timestamp with time zone/,
    );
    await end();
  });
});
