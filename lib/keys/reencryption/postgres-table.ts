/**
 * An application's table in PostgreSQL.
 *
 * Values of keys travel as text in both directions, which PostgreSQL gives and takes back for every type without loss. Every
 * change is a transaction of one row: a larger one could wait for the application's while it waits for this one.
 */

import type { Socket } from 'node:net';
import pg from 'pg';
import { CallsealError } from '../../errors.ts';
import { clientConfig } from '../stores/postgres-connections.ts';
import { type PostgresTarget, parsePostgresUrl } from '../stores/postgres-url.ts';
import {
  type ApplicationTable,
  noSuchColumn,
  notBytes,
  notUnique,
  sourceName,
  type TableLayout,
  type TableRow,
  unfitTable,
} from './application-table.ts';
import { quoteName } from './names.ts';

interface Row extends TableRow {
  readonly keyTexts: readonly string[];
}

/** Columns of a table and their types as SQL writes them. */
type ColumnTypes = ReadonlyMap<string, { type: string; category: string }>;

const CONNECT_TIMEOUT = 5_000;

/** Types whose text is the same whatever the session's settings. */
const ENTITY_CATEGORIES = ['S', 'E'];
const ENTITY_TYPES = ['smallint', 'integer', 'bigint', 'uuid'];

export class PostgresTable implements ApplicationTable {
  readonly source: string;
  readonly #database: Database;
  readonly #layout: TableLayout;
  readonly #statements: Statements;

  private constructor(database: Database, layout: TableLayout, statements: Statements) {
    this.source = sourceName(database.place, layout);
    this.#database = database;
    this.#layout = layout;
    this.#statements = statements;
  }

  static async open(url: string, layout: TableLayout): Promise<PostgresTable> {
    if (layout.table.length > 2) throw unfitTable(layout, 'a table in PostgreSQL has one name, or a schema before it');
    const target = parsePostgresUrl(url);
    const database = await Database.connect(target);
    try {
      const full = layout.table.length === 2 ? layout : { ...layout, table: [target.schema, ...layout.table] };
      const types = await examine(database, full);
      return new PostgresTable(database, full, new Statements(full, types));
    } catch (error) {
      await database.close();
      throw error;
    }
  }

  async count(after: string | null): Promise<number> {
    const [row] = await this.#database.query(this.#statements.count(after !== null), positionOf(after));
    return Number(row!.rows);
  }

  async page(after: string | null, limit: number): Promise<Row[]> {
    const rows = await this.#database.query(this.#statements.page(after !== null), [...positionOf(after), limit]);
    return rows.map((row) => this.#rowOf(row));
  }

  async reread(row: TableRow): Promise<Row | null> {
    const [now] = await this.#database.query(this.#statements.one, (row as Row).keyTexts);
    return now === undefined ? null : this.#rowOf(now);
  }

  async replace(row: TableRow, record: Uint8Array): Promise<boolean> {
    const values = [...(row as Row).keyTexts, row.record, record];
    const changed = await this.#database.query(this.#statements.replace, values);
    return changed.length > 0;
  }

  close(): Promise<void> {
    return this.#database.close();
  }

  #rowOf(row: Record<string, unknown>): Row {
    const { key, entity } = this.#layout;
    const keyTexts = key.map((_, index) => row[`key${index}`] as string);
    return {
      keyTexts,
      key: keyTexts.join(', '),
      position: JSON.stringify(keyTexts),
      record: row.record as Uint8Array | null,
      entity: () => entity.entityOf(entity.columns.map((_, index) => row[`part${index}`] as string | null)),
    };
  }
}

function positionOf(position: string | null): string[] {
  return position === null ? [] : (JSON.parse(position) as string[]);
}

class Statements {
  readonly one: string;
  readonly replace: string;
  readonly #table: string;
  readonly #order: string;
  readonly #behind: string;
  readonly #select: string;
  readonly #parameters: number;

  constructor({ table, key, column, entity }: TableLayout, types: ColumnTypes) {
    this.#table = table.map(quoteName).join('.');
    const names = key.map(quoteName);
    const values = key.map((name, index) => `$${index + 1}::${types.get(name)!.type}`);
    this.#order = names.join(', ');
    this.#behind = `WHERE (${names.join(', ')}) > (${values.join(', ')})`;
    const keys = names.map((name, index) => `${name}::text AS key${index}`);
    const parts = entity.columns.map((name, index) => `${quoteName(name)}::text AS part${index}`);
    this.#select = `SELECT ${[...keys, ...parts].join(', ')}, ${quoteName(column)} AS record FROM ${this.#table}`;
    const same = names.map((name, index) => `${name} = ${values[index]}`).join(' AND ');
    this.one = `${this.#select} WHERE ${same}`;
    const [old, fresh] = [key.length + 1, key.length + 2];
    const set = `UPDATE ${this.#table} SET ${quoteName(column)} = $${fresh}`;
    this.replace = `${set} WHERE ${same} AND ${quoteName(column)} = $${old} RETURNING 1`;
    this.#parameters = key.length;
  }

  count(behind: boolean): string {
    return `SELECT count(*) AS rows FROM ${this.#table} ${behind ? this.#behind : ''}`;
  }

  page(behind: boolean): string {
    const limit = behind ? this.#parameters + 1 : 1;
    return `${this.#select} ${behind ? this.#behind : ''} ORDER BY ${this.#order} LIMIT $${limit}`;
  }
}

/** Looks whether the table has what the layout names. */
async function examine(database: Database, layout: TableLayout): Promise<ColumnTypes> {
  const { table, key, column, entity } = layout;
  const [found] = await database.query(
    `SELECT c.oid, c.relkind FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = $1 AND c.relname = $2`,
    table,
  );
  if (found === undefined)
    throw unfitTable(layout, 'there is no such table in this database; names are taken as they are written');
  if (!['r', 'p'].includes(found.relkind as string))
    throw unfitTable(layout, 'this is no table; name the table behind it');
  const columns = await database.query(
    `SELECT a.attname::text AS name, format_type(a.atttypid, a.atttypmod) AS type, t.typcategory AS category
       FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
      WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`,
    [found.oid],
  );
  const types: ColumnTypes = new Map(
    columns.map((row) => [row.name as string, { type: row.type as string, category: row.category as string }]),
  );
  for (const name of [...key, column, ...entity.columns]) {
    if (!types.has(name)) throw noSuchColumn(layout, name, [...types.keys()]);
  }
  const { type } = types.get(column)!;
  if (type !== 'bytea') throw notBytes(layout, type, 'BYTEA');
  for (const name of entity.columns) requireText(layout, name, types);
  if (!(await isUnique(database, found.oid, key))) throw notUnique(layout);
  return types;
}

function requireText(layout: TableLayout, name: string, types: ColumnTypes): void {
  const { type, category } = types.get(name)!;
  if (ENTITY_CATEGORIES.includes(category) || ENTITY_TYPES.includes(type)) return;
  throw unfitTable(layout, `column ${name} is ${type}; an entity is named by texts, whole numbers or UUIDs`);
}

/** By a unique index of columns that are all among the key's and none of them NULL. */
async function isUnique(database: Database, table: unknown, key: readonly string[]): Promise<boolean> {
  const rows = await database.query(
    `SELECT array_agg(a.attname::text) AS names, bool_and(a.attnotnull) AS filled
       FROM pg_catalog.pg_index i
       CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS part(number, place)
       LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = part.number AND part.number > 0
      WHERE i.indrelid = $1 AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND part.place <= i.indnkeyatts
      GROUP BY i.indexrelid`,
    [table],
  );
  return rows.some(
    (row) =>
      row.filled === true && (row.names as (string | null)[]).every((name) => name !== null && key.includes(name)),
  );
}

/** One connection. */
class Database {
  /** Without the user: a job is the same job whoever runs it. */
  readonly place: string;
  readonly #client: pg.Client;

  private constructor(target: PostgresTarget, client: pg.Client) {
    const { host, port, database } = target;
    this.place = host.startsWith('/')
      ? `postgres:${host}:${port}/${database}`
      : `postgres://${host}:${port}/${database}`;
    this.#client = client;
  }

  static async connect(target: PostgresTarget): Promise<Database> {
    const client = new pg.Client(clientConfig({ target, connectTimeout: CONNECT_TIMEOUT }, new Set<Socket>()));
    // A connection that breaks while nothing runs is found out by the next statement.
    client.on('error', () => {});
    const database = new Database(target, client);
    await client.connect().catch((error: unknown) => {
      throw database.#failure(error);
    });
    return database;
  }

  async query(text: string, values: readonly unknown[]): Promise<Record<string, unknown>[]> {
    try {
      const { rows } = await this.#client.query<Record<string, unknown>>(text, [...values]);
      return rows;
    } catch (error) {
      throw this.#failure(error);
    }
  }

  async close(): Promise<void> {
    await this.#client.end().catch(() => {});
  }

  /** Only the server's words: the driver's error may hold rows. */
  #failure(error: unknown): CallsealError {
    if (error instanceof CallsealError) return error;
    const words = error instanceof Error ? error.message : String(error);
    return new CallsealError('ERR_IO', `${this.place}: the database fails (${words})`);
  }
}
