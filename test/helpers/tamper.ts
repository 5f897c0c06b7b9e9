/** What somebody with SQL can do to a store, over every column of every table that `rows.ts` knows. */

import { AUDIT, MASTER, REENCRYPTION, STORE, WORKING } from '../../lib/keys/stores/rows.ts';
import type { KeyStore } from '../../lib/keys/stores/store.ts';
import type { StoreKind } from './stores.ts';

type Value = Uint8Array | number | string | null;

/** One row as the database has it: its values by column. */
export interface RawRow {
  readonly table: string;
  readonly values: Readonly<Record<string, Value>>;
  /** Columns that tell it from others. */
  readonly key: readonly string[];
}

const SHAPES = [
  { shape: STORE, key: ['single'], read: async (store: KeyStore) => [await store.readStore()] },
  { shape: MASTER, key: ['id'], read: (store: KeyStore) => store.readMasters() },
  { shape: WORKING, key: ['id'], read: (store: KeyStore) => store.readWorking() },
  { shape: AUDIT, key: ['sequence'], read: (store: KeyStore) => store.readAudit(0, 10_000) },
  { shape: REENCRYPTION, key: ['source', 'area'], read: (store: KeyStore) => store.readReencryptions() },
];

/** All rows of all tables. */
export async function rawRows(store: KeyStore): Promise<RawRow[]> {
  const rows: RawRow[] = [];
  for (const { shape, key, read } of SHAPES) {
    const columns = Object.entries(shape.fields) as [string, [string, unknown]][];
    for (const row of await read(store)) {
      const fields = row as unknown as Record<string, Value>;
      const values = Object.fromEntries(columns.map(([field, [column]]) => [column, fields[field]!]));
      rows.push({ table: shape.table, values: key[0] === 'single' ? { single: 1, ...values } : values, key });
    }
  }
  return rows;
}

/** Another value that the column can hold. */
export function altered(column: string, value: Value): Value {
  if (column === 'state') return value === 'active' ? 'removed' : 'active';
  if (value === null) return column === 'cursor' ? '1' : 1;
  if (typeof value === 'number') return value + 100; // not its neighbour's
  if (typeof value === 'string') return `${value}x`;
  if (value.length === 0) return Uint8Array.of(1);
  const bytes = Uint8Array.from(value);
  bytes[bytes.length >> 1]! ^= 0x10;
  return bytes;
}

export class Tamperer {
  readonly #kind: StoreKind;
  readonly #url: string;

  constructor(kind: StoreKind, url: string) {
    this.#kind = kind;
    this.#url = url;
  }

  /** Sets columns of the row that has `row`'s key. */
  update(row: RawRow, values: Readonly<Record<string, Value>>, where: RawRow = row): Promise<void> {
    const assignments = Object.entries(values).map(([column, value]) => `${column} = ${this.#literal(value)}`);
    return this.run(`update ${row.table} set ${assignments.join(', ')} where ${this.#where(where)}`);
  }

  delete(row: RawRow): Promise<void> {
    return this.run(`delete from ${row.table} where ${this.#where(row)}`);
  }

  insert({ table, values }: RawRow): Promise<void> {
    const literals = Object.values(values).map((value) => this.#literal(value));
    return this.run(`insert into ${table} (${Object.keys(values).join(', ')}) values (${literals.join(', ')})`);
  }

  /** Makes all tables hold these rows and no others. */
  async putBack(rows: readonly RawRow[]): Promise<void> {
    for (const { shape } of SHAPES) await this.run(`delete from ${shape.table}`);
    for (const row of rows) await this.insert(row);
  }

  run(sql: string): Promise<void> {
    return this.#kind.tamper(this.#url, sql);
  }

  #where(row: RawRow): string {
    return row.key.map((column) => `${column} = ${this.#literal(row.values[column]!)}`).join(' and ');
  }

  #literal(value: Value): string {
    if (value === null) return 'null';
    if (typeof value === 'number') return String(value);
    if (typeof value === 'string') return `'${value.replaceAll("'", "''")}'`;
    const digits = Buffer.from(value).toString('hex');
    return this.#kind.name === 'SQLite' ? `x'${digits}'` : `'\\x${digits}'::bytea`;
  }
}

/** How the hierarchy's messages name a row. */
export function nameOf(row: RawRow): RegExp {
  const id = row.values.id instanceof Uint8Array ? Buffer.from(row.values.id).toString('hex') : '';
  switch (row.table) {
    case STORE.table:
      return /store's own row/;
    case MASTER.table:
      return new RegExp(`master key ${id}`);
    case WORKING.table:
      return new RegExp(`working key ${id}`);
    case AUDIT.table:
      return new RegExp(`audit entry ${row.values.sequence}\\b`);
    default:
      return /re-encryption of/;
  }
}
