/** What became of a job's files, written down in one transaction with the end of the job. */

import { hostname } from 'node:os';
import type PgBoss from 'pg-boss';
import { CallsealError, type ErrorCode } from '../errors.ts';
import { jobOf, QUEUE, type QueueDatabase, type Statements } from './database.ts';
import type { JobData } from './enqueue.ts';

/** A file that failed. */
export interface FileFailure {
  path: string;
  code: ErrorCode | 'ERR_UNEXPECTED';
  message: string;
  /** Whether it may go well another time. */
  passing: boolean;
}

export interface JobResult {
  changed: number;
  unchanged: number;
  passedOver: number;
  failures: FileFailure[];
}

/** So often a file is tried. */
const MOST_ATTEMPTS = 5;
/** Seconds before the second attempt; four times as long before each further one. */
const FIRST_DELAY = 5;

/** What time may heal. A file that is not whole may still be being written. */
const PASSING: ReadonlySet<string> = new Set(['ERR_IO', 'ERR_INPUT_CHANGED', 'ERR_INPUT_BUSY', 'ERR_TRUNCATED']);
/** Of `ERR_IO`: a file that is gone, or not ours to write, will be so in a minute. */
const LASTING: ReadonlySet<string | undefined> = new Set(['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'EROFS']);

export function failureOf(path: unknown, error: unknown): FileFailure {
  const known = error instanceof CallsealError;
  return {
    path: typeof path === 'string' ? path : JSON.stringify(path),
    code: known ? error.code : 'ERR_UNEXPECTED',
    message: error instanceof Error ? error.message : String(error),
    passing: known && PASSING.has(error.code) && !LASTING.has(error.errno),
  };
}

/**
 * Ends a job. Files that may go well another time are queued again, in a job of their own that waits longer each time.
 * When another worker has ended the job before, nothing is written: every file counts once.
 */
export async function endJob(database: QueueDatabase, id: string, data: JobData, result: JobResult): Promise<void> {
  await database.transaction(async (statements) => {
    const { changed, unchanged, passedOver } = result;
    const counts = [changed, unchanged, passedOver, 0];
    if (await writeResult(database, statements, id, data.batch, counts)) {
      await writeFailures(database, statements, data, result.failures);
    }
    await database.boss.complete(QUEUE, id, {}, { db: statements as PgBoss.Db });
  });
}

/** Ends a job whose batch is not for this worker to do; what is wrong with it is kept with the batch. */
export async function refuseJob(database: QueueDatabase, id: string, data: JobData, problem: string): Promise<void> {
  await database.transaction(async (statements) => {
    const { schema } = database;
    await statements.executeSql(`update ${schema}.callseal_batch set problem = $2 where id = $1`, [
      data.batch,
      problem,
    ]);
    await writeResult(database, statements, id, data.batch, [0, 0, 0, data.paths.length]);
    await database.boss.complete(QUEUE, id, {}, { db: statements as PgBoss.Db });
  });
}

/** @returns whether it is the first for the job */
async function writeResult(
  { schema }: QueueDatabase,
  statements: Statements,
  id: string,
  batch: string,
  counts: readonly number[],
): Promise<boolean> {
  const { rows } = await statements.executeSql(
    `insert into ${schema}.callseal_result (job, batch, host, changed, unchanged, passed_over, refused)
     values ($1, $2, $3, $4, $5, $6, $7) on conflict (job) do nothing returning job`,
    [id, batch, hostname(), ...counts],
  );
  return rows.length === 1;
}

async function writeFailures(
  database: QueueDatabase,
  statements: Statements,
  { batch, paths, attempt }: JobData,
  failures: readonly FileFailure[],
): Promise<void> {
  const table = `${database.schema}.callseal_failure`;
  if (attempt > 1)
    await statements.executeSql(`delete from ${table} where batch = $1 and path = any($2)`, [batch, paths]);
  if (failures.length === 0) return;
  const again = attempt < MOST_ATTEMPTS ? failures.filter(({ passing }) => passing) : [];
  const column = (name: keyof FileFailure) => failures.map((failure) => failure[name]);
  await statements.executeSql(
    `insert into ${table} (batch, path, code, message, host, attempts, final)
     select $1, path, code, message, $5, $6, final
     from unnest($2::text[], $3::text[], $4::text[], $7::boolean[]) as failed (path, code, message, final)
     on conflict (batch, path) do nothing`,
    [
      batch,
      column('path'),
      column('code'),
      column('message'),
      hostname(),
      attempt,
      failures.map((f) => !again.includes(f)),
    ],
  );
  if (again.length === 0) return;
  const data: JobData = { batch, paths: again.map(({ path }) => path), attempt: attempt + 1 };
  const job = jobOf(data, FIRST_DELAY * 4 ** (attempt - 1));
  await database.boss.insert([job], { db: statements as PgBoss.Db });
}
