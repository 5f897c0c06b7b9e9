/**
 * The tables' versions, by Kysely's migrator. Run by whoever holds the store's lock, inside the transaction that holds it:
 * a store has all of a version's tables or none.
 */

import { type ColumnDefinitionBuilder, type Kysely, type Migration, Migrator, type RawBuilder, sql } from 'kysely';
import { CallsealError } from '../../errors.ts';
import { SINGLE } from './rows.ts';
import type { Tables } from './tables.ts';

const MIGRATIONS_TABLE = 'callseal_migrations';

/** What the two databases call the same. */
export interface ColumnTypes {
  readonly bytes: RawBuilder<unknown>;
  readonly whole: RawBuilder<unknown>;
  /** Compared and sorted byte by byte. */
  readonly text: RawBuilder<unknown>;
  /** At the end of each `create table`. */
  readonly suffix: RawBuilder<unknown>;
}

export const SQLITE_TYPES: ColumnTypes = {
  bytes: sql`blob`,
  whole: sql`integer`,
  text: sql`text`,
  suffix: sql`strict`,
};

export const POSTGRES_TYPES: ColumnTypes = {
  bytes: sql`bytea`,
  whole: sql`bigint`,
  text: sql`text collate "C"`,
  suffix: sql``,
};

/** A store to be brought up to date. */
export interface MigrationTarget {
  /** For messages. */
  readonly description: string;
  readonly types: ColumnTypes;
  /** PostgreSQL's; made when it is not there. */
  readonly schema?: string;
}

/** Ascending by name; what was released is never changed. */
const migrations = (types: ColumnTypes): Record<string, Migration> => ({
  '0001-key-hierarchy': { up: (db) => keyHierarchy(db, types) },
});

/** `empty` has no tables, `old` lacks some of this release, `current` is as this release wants it. */
export type SchemaState = 'empty' | 'old' | 'current';

/**
 * @param done names of the migrations that the store has seen; null when it has no table of them.
 * @throws {CallsealError} `ERR_UNSUPPORTED_VERSION` when a newer release has been here.
 */
export function schemaState(done: readonly unknown[] | null, { description, types }: MigrationTarget): SchemaState {
  if (done === null || done.length === 0) return 'empty';
  const known = Object.keys(migrations(types));
  const unknown = done.filter((name) => !known.includes(String(name)));
  if (unknown.length > 0) {
    throw new CallsealError(
      'ERR_UNSUPPORTED_VERSION',
      `${description} was made or upgraded by a newer release of Callseal (${unknown.join(', ')}); ` +
        'upgrade Callseal on this host, too',
    );
  }
  return done.length === known.length ? 'current' : 'old';
}

/** Names of the migrations done. Throws when there is no table of them. */
export async function migrationsDone(db: Kysely<Tables>): Promise<unknown[]> {
  const rows = await db.selectFrom(MIGRATIONS_TABLE).select('name').execute();
  return rows.map((row) => row.name);
}

/** Makes what is missing. `db` must be one connection, in a transaction that nobody else can be in. */
export async function migrate(db: Kysely<Tables>, { types, schema }: MigrationTarget): Promise<void> {
  const migrator = new Migrator({
    db,
    provider: { getMigrations: async () => migrations(types) },
    migrationTableName: MIGRATIONS_TABLE,
    migrationLockTableName: `${MIGRATIONS_TABLE}_lock`,
    disableTransactions: true,
    ...(schema !== undefined && { migrationTableSchema: schema }),
  });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) throw error;
}

async function keyHierarchy(db: Kysely<Tables>, { bytes, whole, text, suffix }: ColumnTypes): Promise<void> {
  const create = (table: string) => db.schema.createTable(table).modifyEnd(suffix);
  const natural = (column: string) => (builder: ColumnDefinitionBuilder) =>
    builder.notNull().check(sql`${sql.ref(column)} >= 0`);
  const ofLength = (column: string, length: number) => (builder: ColumnDefinitionBuilder) =>
    builder.notNull().check(sql`length(${sql.ref(column)}) = ${sql.lit(length)}`);
  const state = (...names: string[]) => {
    const list = sql.join(names.map((name) => sql.lit(name)));
    return (builder: ColumnDefinitionBuilder) => builder.notNull().check(sql`state in (${list})`);
  };
  const required = (builder: ColumnDefinitionBuilder) => builder.notNull();
  const single = (builder: ColumnDefinitionBuilder) => builder.primaryKey().check(sql`single = ${sql.lit(SINGLE)}`);

  await create('callseal_revision')
    .addColumn('single', whole, single)
    .addColumn('revision', whole, natural('revision'))
    .execute();
  await db.insertInto('callseal_revision').values({ single: SINGLE, revision: 0 }).execute();

  await create('callseal_store')
    .addColumn('single', whole, single)
    .addColumn('store_id', bytes, ofLength('store_id', 16))
    .addColumn('installation_id', bytes, ofLength('installation_id', 32))
    .addColumn('created_at', whole, natural('created_at'))
    .addColumn('sequence', whole, natural('sequence'))
    .addColumn('current_master_id', bytes, required)
    .addColumn('audit_sequence', whole, natural('audit_sequence'))
    .addColumn('audit_hash', bytes, required)
    .addColumn('signature', bytes, required)
    .execute();

  await create('callseal_master_keys')
    .addColumn('id', bytes, (column) => ofLength('id', 16)(column).primaryKey())
    .addColumn('suite', whole, natural('suite'))
    .addColumn('state', text, state('active', 'disabled', 'removed'))
    .addColumn('sequence', whole, natural('sequence'))
    .addColumn('created_at', whole, natural('created_at'))
    .addColumn('changed_at', whole, natural('changed_at'))
    .addColumn('wrapped', bytes, required)
    .addColumn('signature', bytes, required)
    .execute();

  await create('callseal_working_keys')
    .addColumn('id', bytes, (column) => ofLength('id', 16)(column).primaryKey())
    .addColumn('area', text, required)
    .addColumn('version', whole, (column) => column.notNull().check(sql`version >= 1`))
    .addColumn('master_id', bytes, ofLength('master_id', 16))
    .addColumn('suite', whole, natural('suite'))
    .addColumn('state', text, state('active', 'retired', 'removed'))
    .addColumn('sequence', whole, natural('sequence'))
    .addColumn('created_at', whole, natural('created_at'))
    .addColumn('reserved', whole, natural('reserved'))
    .addColumn('wrapped', bytes, required)
    .addColumn('mac', bytes, ofLength('mac', 32))
    .addUniqueConstraint('callseal_working_keys_area_version', ['area', 'version'])
    .execute();

  await create('callseal_audit')
    .addColumn('sequence', whole, (column) => column.primaryKey().check(sql`sequence >= 1`))
    .addColumn('at', whole, natural('at'))
    .addColumn('actor', text, required)
    .addColumn('host', text, required)
    .addColumn('event', text, required)
    .addColumn('details', text, required)
    .addColumn('hash', bytes, ofLength('hash', 32))
    .execute();

  await create('callseal_reencryptions')
    .addColumn('source', text, required)
    .addColumn('area', text, required)
    .addColumn('started_at', whole, natural('started_at'))
    .addColumn('changed_at', whole, natural('changed_at'))
    .addColumn('finished_at', whole)
    .addColumn('cursor', text)
    .addColumn('report', text, required)
    .addPrimaryKeyConstraint('callseal_reencryptions_key', ['source', 'area'])
    .execute();
}
