/** Fills the queue: files below a root, in jobs of some hundred. */

import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type PgBoss from 'pg-boss';
import { type BatchChange, describeChange, storeChange } from './batch-change.ts';
import { jobOf, type QueueDatabase } from './database.ts';

/** Unless the caller says otherwise. */
const FILES_PER_JOB = 200;
/** Jobs written in one statement. */
const JOBS_AT_ONCE = 20;

/** What workers are told: no more than where the files are. */
export interface JobData {
  batch: string;
  /** Below the root, which each worker knows for itself. */
  paths: string[];
  /** From 1; more for files that failed before. */
  attempt: number;
}

export interface Enqueued {
  batch: string;
  files: number;
  jobs: number;
}

/**
 * Queues a change of files.
 *
 * @param paths Below the root, each once.
 * @param options.filesPerJob What is done again when a worker dies. Default 200.
 * @throws {CallsealError} `ERR_QUEUE_UNAVAILABLE`, and what `paths` throws: then the batch has the files so far, and its
 *   status says that it was not filled.
 */
export async function enqueue(
  database: QueueDatabase,
  change: BatchChange,
  paths: AsyncIterable<string>,
  options: { filesPerJob?: number; onProgress?: (files: number) => void } = {},
): Promise<Enqueued> {
  const { filesPerJob = FILES_PER_JOB, onProgress } = options;
  const batch = randomUUID();
  const table = `${database.schema}.callseal_batch`;
  await database.executeSql(`insert into ${table} (id, change, description, host) values ($1, $2, $3, $4)`, [
    batch,
    JSON.stringify(await storeChange(change)),
    describeChange(change),
    hostname(),
  ]);
  const enqueued = { batch, files: 0, jobs: 0 };
  let jobs: string[][] = [];
  const write = async (): Promise<void> => {
    const files = jobs.reduce((sum, job) => sum + job.length, 0);
    await writeJobs(database, batch, jobs);
    enqueued.files += files;
    enqueued.jobs += jobs.length;
    jobs = [];
    onProgress?.(enqueued.files);
  };
  for await (const path of paths) {
    const last = jobs.at(-1);
    if (last !== undefined && last.length < filesPerJob) last.push(path);
    else {
      if (jobs.length === JOBS_AT_ONCE) await write();
      jobs.push([path]);
    }
  }
  if (jobs.length > 0) await write();
  await database.executeSql(`update ${table} set filled = true where id = $1`, [batch]);
  return enqueued;
}

/** Jobs and the number of their files appear together. */
async function writeJobs(database: QueueDatabase, batch: string, jobs: readonly string[][]): Promise<void> {
  await database.transaction(async (statements) => {
    const data = jobs.map((paths): JobData => ({ batch, paths, attempt: 1 }));
    await database.boss.insert(
      data.map((each) => jobOf(each)),
      { db: statements as PgBoss.Db },
    );
    const files = jobs.reduce((sum, job) => sum + job.length, 0);
    await statements.executeSql(`update ${database.schema}.callseal_batch set files = files + $2 where id = $1`, [
      batch,
      files,
    ]);
  });
}
