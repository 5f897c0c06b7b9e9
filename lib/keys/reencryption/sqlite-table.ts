/** An application's table in an SQLite file. */

import { realpathSync } from 'node:fs';
import { CallsealError, errnoOf } from '../../errors.ts';
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
import { SqliteFile } from './sqlite-file.ts';

/** A value of a key column. */
type KeyValue = bigint | number | string | Uint8Array;

interface Row extends TableRow {
  readonly keyValues: readonly KeyValue[];
}

export class SqliteTable implements ApplicationTable {
  readonly source: string;
  readonly #file: SqliteFile;
  readonly #layout: TableLayout;
  readonly #statements: Statements;

  private constructor(path: string, layout: TableLayout) {
    this.source = sourceName(`sqlite:${path}`, layout);
    this.#file = new SqliteFile(path);
    this.#layout = layout;
    this.#statements = new Statements(layout);
  }

  static async open(path: string, layout: TableLayout): Promise<SqliteTable> {
    const table = new SqliteTable(existing(path), layout);
    try {
      await table.#examine();
      return table;
    } catch (error) {
      await table.close();
      throw error;
    }
  }

  async count(after: string | null): Promise<number> {
    const behind = after === null ? [] : decodePosition(after);
    const [row] = await this.#file.all(this.#statements.count(after !== null), behind);
    return Number(row!.rows);
  }

  async page(after: string | null, limit: number): Promise<Row[]> {
    const behind = after === null ? [] : decodePosition(after);
    const rows = await this.#file.all(this.#statements.page(after !== null), [...behind, limit]);
    return rows.map((row) => this.#rowOf(row));
  }

  async reread(row: TableRow): Promise<Row | null> {
    const [now] = await this.#file.all(this.#statements.one, (row as Row).keyValues);
    return now === undefined ? null : this.#rowOf(now);
  }

  /** One transaction: the file has one writer at a time, and this one has done all its work before. */
  async replaceAll(replacements: readonly RowReplacement[]): Promise<boolean[]> {
    const changed = await this.#file.writeAll(
      this.#statements.replace,
      replacements.map(({ kept, record }) => [record, ...(kept as Row).keyValues, kept.record]),
    );
    return changed.map((rows) => rows > 0);
  }

  async close(): Promise<void> {
    this.#file.close();
  }

  /** For `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #rowOf(row: Record<string, unknown>): Row {
    const { key, column, entity } = this.#layout;
    const keyValues = key.map((_, index) => keyValue(row[`key${index}`]));
    const value = row.record;
    return {
      keyValues,
      key: keyValues.map(display).join(', '),
      position: encodePosition(keyValues),
      record: value === null ? null : asBytes(value),
      entity: () => {
        if (typeof value === 'string' || typeof value === 'bigint' || typeof value === 'number') {
          throw new CallsealError(
            'ERR_NOT_CALLSEAL',
            `${column} holds ${typeof value === 'string' ? 'text' : 'a number'}, not bytes`,
          );
        }
        return entity.entityOf(entity.columns.map((name, index) => entityText(name, row[`part${index}`])));
      },
    };
  }

  async #examine(): Promise<void> {
    const { table, key, column, entity } = this.#layout;
    if (table.length > 2) throw unfitTable(this.#layout, 'a table in SQLite has one name, or a schema before it');
    const name = table.at(-1)!;
    const schema = table.length === 2 ? table[0]! : 'main';
    const kind = await this.#file.all(
      `SELECT type FROM ${quoteName(schema)}.sqlite_schema WHERE name = ? AND type IN ('table', 'view')`,
      [name],
    );
    if (kind.length === 0) throw unfitTable(this.#layout, 'there is no such table in this database');
    if (kind[0]!.type !== 'table') throw unfitTable(this.#layout, 'this is a view; name the table behind it');
    const columns = await this.#file.all('SELECT name, type, "notnull", pk FROM pragma_table_xinfo(?, ?)', [
      name,
      schema,
    ]);
    const there = columns.map((row) => String(row.name));
    for (const wanted of [...key, column, ...entity.columns]) {
      if (!there.includes(wanted)) throw noSuchColumn(this.#layout, wanted, there);
    }
    const type = String(columns.find((row) => row.name === column)!.type);
    // Column affinity TEXT: https://www.sqlite.org/datatype3.html, section 3.1.
    if (/CHAR|CLOB|TEXT/i.test(type)) throw notBytes(this.#layout, type, 'BLOB');
    if (!(await this.#isUnique(name, schema, columns))) throw notUnique(this.#layout);
  }

  /** By the primary key or a unique index of columns that are all among the key's, and no NULL in them. */
  async #isUnique(table: string, schema: string, columns: Record<string, unknown>[]): Promise<boolean> {
    const { key } = this.#layout;
    const primary = columns.filter((row) => Number(row.pk) > 0).map((row) => String(row.name));
    const indexes = await this.#file.all(
      'SELECT name FROM pragma_index_list(?, ?) WHERE "unique" = 1 AND partial = 0',
      [table, schema],
    );
    const uniques = [primary];
    for (const { name } of indexes) {
      const parts = await this.#file.all('SELECT name FROM pragma_index_info(?, ?)', [name as string, schema]);
      uniques.push(parts.map((part) => String(part.name)));
    }
    if (!uniques.some((names) => names.length > 0 && names.every((name) => key.includes(name)))) return false;
    const nulls = key.map((name) => `${quoteName(name)} IS NULL`).join(' OR ');
    const [found] = await this.#file.all(
      `SELECT EXISTS (SELECT 1 FROM ${this.#statements.table} WHERE ${nulls}) AS any`,
      [],
    );
    return Number(found!.any) === 0;
  }
}

/** The statements for one layout. */
class Statements {
  readonly table: string;
  readonly one: string;
  readonly replace: string;
  readonly #key: string;
  readonly #behind: string;
  readonly #select: string;

  constructor({ table, key, column, entity }: TableLayout) {
    this.table = table.map(quoteName).join('.');
    const names = key.map(quoteName);
    this.#key = names.join(', ');
    this.#behind = `(${this.#key}) > (${names.map(() => '?').join(', ')})`;
    const parts = entity.columns.map((name, index) => `${quoteName(name)} AS part${index}`);
    const keys = names.map((name, index) => `${name} AS key${index}`);
    const record = `${quoteName(column)} AS record`;
    this.#select = `SELECT ${[...keys, ...parts, record].join(', ')} FROM ${this.table}`;
    const same = names.map((name) => `${name} = ?`).join(' AND ');
    this.one = `${this.#select} WHERE ${same}`;
    this.replace = `UPDATE ${this.table} SET ${quoteName(column)} = ? WHERE ${same} AND ${quoteName(column)} = ?`;
  }

  count(behind: boolean): string {
    return `SELECT count(*) AS rows FROM ${this.table}${behind ? ` WHERE ${this.#behind}` : ''}`;
  }

  page(behind: boolean): string {
    return `${this.#select}${behind ? ` WHERE ${this.#behind}` : ''} ORDER BY ${this.#key} LIMIT ?`;
  }
}

/** A missing file would be made by SQLite. */
function existing(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    const errno = errnoOf(error);
    throw new CallsealError('ERR_IO', `sqlite:${path}: there is no such database (${errno ?? String(error)})`, {
      path,
      cause: error,
      ...(errno !== undefined && { errno }),
    });
  }
}

function asBytes(value: unknown): Uint8Array {
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  return value instanceof Uint8Array ? value : new Uint8Array(0);
}

function keyValue(value: unknown): KeyValue {
  return value instanceof ArrayBuffer || value instanceof Uint8Array
    ? asBytes(value)
    : (value as bigint | number | string);
}

function display(value: KeyValue): string {
  return value instanceof Uint8Array ? `x'${Buffer.from(value).toString('hex')}'` : String(value);
}

/** SQLite gives a value of any type in any column. */
function entityText(column: string, value: unknown): string | null {
  if (value === null || typeof value === 'string') return value;
  if (typeof value === 'bigint') return String(value);
  throw new CallsealError(
    'ERR_INVALID_ARGUMENT',
    `${column} holds neither a text nor a whole number, and cannot name an entity`,
  );
}

/** Types matter: SQLite orders numbers before texts before blobs. */
function encodePosition(values: readonly KeyValue[]): string {
  return JSON.stringify(
    values.map((value) => {
      if (typeof value === 'bigint') return { integer: String(value) };
      if (typeof value === 'number') return { real: value };
      return typeof value === 'string' ? { text: value } : { blob: Buffer.from(value).toString('hex') };
    }),
  );
}

function decodePosition(position: string): KeyValue[] {
  const values = JSON.parse(position) as { integer?: string; real?: number; text?: string; blob?: string }[];
  return values.map(({ integer, real, text, blob }) => {
    if (integer !== undefined) return BigInt(integer);
    return real ?? text ?? Buffer.from(blob ?? '', 'hex');
  });
}
