/** How far batches are, as any host sees it. */

import { QUEUE, type QueueDatabase } from './database.ts';

export interface BatchStatus {
  batch: string;
  /** What it does, for people. */
  change: string;
  /** Where it was queued. */
  host: string;
  queuedAt: Date;
  files: number;
  /** False while files are still being queued, and for ever when that was ended. */
  filled: boolean;
  changed: number;
  /** As they should be already: also those that a worker had finished when it was killed. */
  unchanged: number;
  /** No Callseal files. */
  passedOver: number;
  /** For good: tried as often as it makes sense, or given up with a job over which workers died again and again. */
  failed: number;
  /** Failed, and will be tried again. */
  retrying: number;
  waiting: number;
  /** Jobs that workers have. */
  activeJobs: number;
  /** Files a second, over the last minute. */
  rate: number;
  /** Null when nothing is being done. */
  secondsLeft: number | null;
  finished: boolean;
  /** Why workers refused it, or null. */
  problem: string | null;
}

export interface ListedFailure {
  path: string;
  code: string;
  message: string;
  host: string;
  attempts: number;
  final: boolean;
}

/** Failures listed of a batch. */
const MOST_LISTED = 1_000;

/**
 * Batches, newest first.
 *
 * @param batch Only this one.
 * @throws {CallsealError} `ERR_QUEUE_UNAVAILABLE`.
 */
export async function batchStatuses(database: QueueDatabase, batch?: string): Promise<BatchStatus[]> {
  if (!(await hasTables(database))) return [];
  const { schema } = database;
  const { rows } = await database.executeSql(
    `select b.id, b.description, b.host, b.created_on, b.files, b.filled, b.problem,
       coalesce(r.changed, 0) as changed, coalesce(r.unchanged, 0) as unchanged,
       coalesce(r.passed_over, 0) as passed_over, coalesce(r.refused, 0) as refused,
       coalesce(r.recent, 0) as recent, extract(epoch from now() - b.created_on) as age,
       (select count(*) from ${schema}.callseal_failure f where f.batch = b.id and f.final) as final,
       (select count(*) from ${schema}.callseal_failure f where f.batch = b.id and not f.final) as retrying,
       coalesce(j.active, 0) as active, coalesce(j.abandoned, 0) as abandoned
     from ${schema}.callseal_batch b
     left join (
       select batch, sum(changed) as changed, sum(unchanged) as unchanged, sum(passed_over) as passed_over,
         sum(refused) as refused,
         sum(changed + unchanged + passed_over) filter (where finished_on > now() - interval '60 seconds') as recent
       from ${schema}.callseal_result group by batch) r on r.batch = b.id
     left join (
       select data->>'batch' as batch, count(*) filter (where state = 'active') as active,
         sum(case when jsonb_typeof(data->'paths') = 'array' then jsonb_array_length(data->'paths') else 0 end)
           filter (where state = 'failed') as abandoned
       from (select data, state from ${schema}.job where name = $1
             union all select data, state from ${schema}.archive where name = $1) jobs
       where state in ('active', 'failed') group by 1) j on j.batch = b.id::text
     where $2::uuid is null or b.id = $2
     order by b.created_on desc`,
    [QUEUE, batch ?? null],
  );
  return rows.map(statusOf);
}

function statusOf(row: Record<string, unknown>): BatchStatus {
  const number = (name: string): number => Number(row[name]);
  const [files, changed, unchanged, passedOver] = ['files', 'changed', 'unchanged', 'passed_over'].map(number) as [
    number,
    number,
    number,
    number,
  ];
  const failed = number('final') + number('refused') + number('abandoned');
  const waiting = Math.max(0, files - changed - unchanged - passedOver - failed);
  const rate = number('recent') / Math.min(60, Math.max(1, number('age')));
  const filled = row.filled === true;
  return {
    batch: String(row.id),
    change: String(row.description),
    host: String(row.host),
    queuedAt: row.created_on as Date,
    files,
    filled,
    changed,
    unchanged,
    passedOver,
    failed,
    retrying: number('retrying'),
    waiting,
    activeJobs: number('active'),
    rate,
    secondsLeft: waiting === 0 ? 0 : rate > 0 ? waiting / rate : null,
    finished: filled && waiting === 0,
    problem: row.problem === null ? null : String(row.problem),
  };
}

/** Files of a batch that failed, at most a thousand. @throws {CallsealError} `ERR_QUEUE_UNAVAILABLE`. */
export async function failuresOf(database: QueueDatabase, batch: string): Promise<ListedFailure[]> {
  const { rows } = await database.executeSql(
    `select path, code, message, host, attempts, final from ${database.schema}.callseal_failure
     where batch = $1 order by final desc, path limit ${MOST_LISTED}`,
    [batch],
  );
  return rows as unknown as ListedFailure[];
}

async function hasTables(database: QueueDatabase): Promise<boolean> {
  const { rows } = await database.executeSql('select to_regclass($1) as found', [
    `${database.schema}.callseal_failure`,
  ]);
  return rows[0]?.found !== null;
}
