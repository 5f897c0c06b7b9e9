/** The statements, the same for both databases. */

import { type Kysely, type Selectable, type SelectQueryBuilder, sql } from 'kysely';
import { CallsealError } from '../../errors.ts';
import { columnsOf, readRow } from './columns.ts';
import { AUDIT, MASTER, REENCRYPTION, REVISION, SINGLE, STORE, WORKING } from './rows.ts';
import type { AuditRow, MasterRow, ReencryptionRow, StoreReader, StoreRow, StoreWriter, WorkingRow } from './store.ts';
import type { Tables } from './tables.ts';

/** Runs one statement on whichever connection it belongs to. */
export type Run = <T>(statement: (db: Kysely<Tables>) => Promise<T>) => Promise<T>;

export class SqlReader implements StoreReader {
  protected readonly run: Run;

  constructor(run: Run) {
    this.run = run;
  }

  async readStore(): Promise<StoreRow | null> {
    const rows = await this.run((db) => db.selectFrom('callseal_store').selectAll().execute());
    if (rows.length > 1) throw new CallsealError('ERR_KEY_SUBSTITUTED', 'callseal_store has more than its one row');
    return rows[0] === undefined ? null : readRow(STORE, rows[0]);
  }

  async readRevision(): Promise<number> {
    return this.run(readRevision);
  }

  async readMasters(): Promise<MasterRow[]> {
    const rows = await this.run((db) => db.selectFrom('callseal_master_keys').selectAll().orderBy('id').execute());
    return rows.map((row) => readRow(MASTER, row));
  }

  async readWorking(area?: string): Promise<WorkingRow[]> {
    const rows = await this.run((db) => {
      const all = db.selectFrom('callseal_working_keys').selectAll().orderBy('area').orderBy('version');
      return (area === undefined ? all : all.where('area', '=', area)).execute();
    });
    return rows.map((row) => readRow(WORKING, row));
  }

  async readWorkingById(id: Uint8Array): Promise<WorkingRow | null> {
    const rows = await this.run((db) =>
      db.selectFrom('callseal_working_keys').selectAll().where('id', '=', id).execute(),
    );
    return rows[0] === undefined ? null : readRow(WORKING, rows[0]);
  }

  async readAudit(after: number, limit: number): Promise<AuditRow[]> {
    return this.#audit((rows) => rows.where('sequence', '>', after).orderBy('sequence').limit(limit));
  }

  async readLastAudit(): Promise<AuditRow | null> {
    return (await this.#audit((rows) => rows.orderBy('sequence', 'desc').limit(1)))[0] ?? null;
  }

  async readReencryptions(): Promise<ReencryptionRow[]> {
    const rows = await this.run((db) =>
      db.selectFrom('callseal_reencryptions').selectAll().orderBy('source').orderBy('area').execute(),
    );
    return rows.map((row) => readRow(REENCRYPTION, row));
  }

  async #audit(pick: (rows: AuditQuery) => AuditQuery): Promise<AuditRow[]> {
    const rows = await this.run((db) => pick(db.selectFrom('callseal_audit').selectAll()).execute());
    return rows.map((row) => readRow(AUDIT, row));
  }
}

type AuditQuery = SelectQueryBuilder<Tables, 'callseal_audit', Selectable<Tables['callseal_audit']>>;

export class SqlWriter extends SqlReader implements StoreWriter {
  async writeStore(row: StoreRow): Promise<void> {
    const columns = columnsOf(STORE, row);
    await this.run((db) =>
      db
        .insertInto('callseal_store')
        .values({ ...columns, single: SINGLE })
        .onConflict((conflict) => conflict.column('single').doUpdateSet(columns))
        .execute(),
    );
  }

  async writeMaster(row: MasterRow): Promise<void> {
    const columns = columnsOf(MASTER, row);
    await this.run((db) =>
      db
        .insertInto('callseal_master_keys')
        .values(columns)
        .onConflict((conflict) => conflict.column('id').doUpdateSet(columns))
        .execute(),
    );
  }

  async writeWorking(row: WorkingRow): Promise<void> {
    const columns = columnsOf(WORKING, row);
    await this.run((db) =>
      db
        .insertInto('callseal_working_keys')
        .values(columns)
        .onConflict((conflict) => conflict.column('id').doUpdateSet(columns))
        .execute(),
    );
  }

  async appendAudit(row: AuditRow): Promise<void> {
    const columns = columnsOf(AUDIT, row);
    await this.run((db) => db.insertInto('callseal_audit').values(columns).execute());
  }

  async writeReencryption(row: ReencryptionRow): Promise<void> {
    const columns = columnsOf(REENCRYPTION, row);
    await this.run((db) =>
      db
        .insertInto('callseal_reencryptions')
        .values(columns)
        .onConflict((conflict) => conflict.columns(['source', 'area']).doUpdateSet(columns))
        .execute(),
    );
  }
}

/** Raises the revision by one. */
export async function raiseRevision(db: Kysely<Tables>): Promise<void> {
  await db
    .updateTable('callseal_revision')
    .set({ revision: sql<number>`revision + 1` })
    .where('single', '=', SINGLE)
    .execute();
}

export async function readRevision(db: Kysely<Tables>): Promise<number> {
  const row = await db.selectFrom('callseal_revision').select('revision').executeTakeFirst();
  return readRow(REVISION, row ?? {}).revision;
}
