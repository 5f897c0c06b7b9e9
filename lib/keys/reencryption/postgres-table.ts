/**
 * An application's table in PostgreSQL.
 *
 * Values of keys travel as text in both directions, which PostgreSQL gives and takes back for every type without loss.
 *
 * Rows are locked before they are changed, skipping those that somebody else has locked: a transaction that holds some rows and waits for
 * another could wait for the application's while that waits for it.
 */

import type { Socket } from 'node:net';
import pg from 'pg';
import { CallsealError } from '../../errors.ts';
import { clientConfig } from '../../postgres/client.ts';
import { type PostgresTarget, parsePostgresUrl } from '../../postgres/url.ts';
import {
  type ApplicationTable,
  noSuchColumn,
  notBytes,
  notUnique,
  type RowReplacement,
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

  async replaceAll(replacements: readonly RowReplacement[]): Promise<boolean[]> {
    if (replacements.length === 1) return [await this.#replaceOne(replacements[0]!)];
    const written = await this.#database.transaction(async () => {
      const locked = namesOf(await this.#database.query(this.#statements.lock, this.#columns(replacements)));
      const ours = replacements.filter(({ kept }) => locked.has(kept.position));
      const values = [...this.#columns(ours), ours.map(({ kept }) => kept.record), ours.map(({ record }) => record)];
      return namesOf(await this.#database.query(this.#statements.replaceMany, values));
    });
    const results: boolean[] = [];
    for (const replacement of replacements) {
      // What others had locked, and what was changed, is tried alone, which may wait.
      results.push(written.has(replacement.kept.position) || (await this.#replaceOne(replacement)));
    }
    return results;
  }

  async #replaceOne({ kept, record }: RowReplacement): Promise<boolean> {
    const values = [...(kept as Row).keyTexts, kept.record, record];
    return (await this.#database.query(this.#statements.replace, values)).length > 0;
  }

  /** The values of each key column, of all rows. */
  #columns(replacements: readonly RowReplacement[]): string[][] {
    return this.#layout.key.map((_, index) => replacements.map(({ kept }) => (kept as Row).keyTexts[index]!));
  }

  close(): Promise<void> {
    return this.#database.close();
  }

  /** For `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
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

/** The positions of rows of which only the key was asked for. */
function namesOf(rows: readonly Record<string, unknown>[]): Set<string> {
  return new Set(rows.map((row) => JSON.stringify(Object.values(row))));
}

function positionOf(position: string | null): string[] {
  return position === null ? [] : (JSON.parse(position) as string[]);
}

class Statements {
  readonly one: string;
  readonly replace: string;
  readonly lock: string;
  readonly replaceMany: string;
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
    const arrays = key.map((name, index) => `$${index + 1}::${types.get(name)!.type}[]`);
    const items = key.map((_, index) => `item${index}`);
    const own = names.map((name, index) => `t.${name} = i.${items[index]}`).join(' AND ');
    const ownKeys = names.map((name, index) => `t.${name}::text AS key${index}`).join(', ');
    this.lock =
      `SELECT ${ownKeys} FROM ${this.#table} t JOIN unnest(${arrays.join(', ')}) AS i(${items.join(', ')}) ON ${own} ` +
      'FOR UPDATE OF t SKIP LOCKED';
    this.replaceMany =
      `UPDATE ${this.#table} t SET ${quoteName(column)} = i.fresh ` +
      `FROM unnest(${arrays.join(', ')}, $${old}::bytea[], $${fresh}::bytea[]) AS i(${items.join(', ')}, old, fresh) ` +
      `WHERE ${own} AND t.${quoteName(column)} = i.old RETURNING ${ownKeys}`;
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

  async transaction<T>(work: () => Promise<T>): Promise<T> {
    await this.query('BEGIN', []);
    try {
      const result = await work();
      await this.query('COMMIT', []);
      return result;
    } catch (error) {
      await this.query('ROLLBACK', []).catch(() => {}); // what failed is the news
      throw error;
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
