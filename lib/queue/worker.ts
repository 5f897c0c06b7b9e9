/**
 * Does the jobs of a queue until it is stopped. A job is done at least once, and what is done to a file is done once:
 * the second time it changes nothing. While a worker lives it says so of the jobs that it has; those of one that was
 * killed go to another when their lease is over.
 */

import { setMaxListeners } from 'node:events';
import { realpath } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { CallsealError, errnoOf } from '../errors.ts';
import type { KeyRing } from '../recipients/keyring.ts';
import { addedKeyIds, type BatchChange, describeChange, restoreChange } from './batch-change.ts';
import { DEFAULT_LEASE, QUEUE, type QueueDatabase } from './database.ts';
import type { JobData } from './enqueue.ts';
import { type FileTask, fileTask } from './file-task.ts';
import { endJob, failureOf, type JobResult, refuseJob } from './job-result.ts';
import { Limiter } from './limiter.ts';

export interface WorkerOptions {
  /** The directory that the paths of jobs are below. */
  root: string;
  keys: KeyRing;
  /** Files at once. */
  concurrency: number;
  /** Seconds after which another worker gets the jobs of this one when it no longer says that it lives. */
  lease?: number | undefined;
  /** Return when there is nothing left to do. Default false: wait for more. */
  drain?: boolean | undefined;
  /** Ids of keys that files may be given to; changes that give them to others are refused. Default: any. */
  allowed?: ReadonlySet<string> | undefined;
  signal: AbortSignal;
  /** Told once of each batch. */
  onBatch?: (batch: string, description: string) => void;
  onJob?: (data: JobData, result: JobResult) => void;
  /** Told of what keeps the worker from working; it goes on. */
  onTrouble?: (error: unknown) => void;
}

/** Jobs that a worker has at once, so that its threads are busy while the last files of one are done. */
const JOBS_AT_ONCE = 2;
/** Milliseconds between looks into an empty queue. */
const POLL = 1_000;
/** Milliseconds before the next attempt when the database does not answer: first and longest. */
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 15_000;
/** A worker says that it lives so many times a lease. */
const BEATS = 4;

/** What there is to do for a batch, or why it is not done here. */
type Preparation = { task: FileTask } | { problem: string };

/**
 * @throws {CallsealError} `ERR_IO` when the root is not there. What goes wrong with the database later does not end the worker.
 */
export async function runWorker(database: QueueDatabase, options: WorkerOptions): Promise<void> {
  const root = await realpath(options.root).catch((error: unknown) => {
    throw noRoot(options.root, error);
  });
  setMaxListeners(0, options.signal); // one for each file under way
  const worker = new Worker(database, { ...options, root });
  await worker.run();
}

class Worker {
  readonly #database: QueueDatabase;
  readonly #options: WorkerOptions;
  readonly #limiter: Limiter;
  readonly #batches = new Map<string, Promise<Preparation>>();
  readonly #held = new Set<string>();

  constructor(database: QueueDatabase, options: WorkerOptions) {
    this.#database = database;
    this.#options = options;
    this.#limiter = new Limiter(options.concurrency);
  }

  async run(): Promise<void> {
    const lease = this.#options.lease ?? DEFAULT_LEASE;
    const beat = setInterval(() => void this.#beat(lease).catch(() => {}), (lease * 1000) / BEATS);
    try {
      await Promise.all(Array.from({ length: JOBS_AT_ONCE }, () => this.#loop(lease)));
    } finally {
      clearInterval(beat);
    }
  }

  async #loop(lease: number): Promise<void> {
    const { signal, drain, onTrouble } = this.#options;
    let delay = FIRST_PAUSE;
    while (!signal.aborted) {
      try {
        const job = await this.#fetch();
        if (job !== undefined) await this.#do(job, lease);
        else if (drain && (await this.#isEmpty())) return;
        else await pause(POLL, undefined, { signal }).catch(() => {});
        delay = FIRST_PAUSE;
      } catch (error) {
        onTrouble?.(error);
        await pause(delay, undefined, { signal }).catch(() => {});
        delay = Math.min(delay * 2, LONGEST_PAUSE);
      }
    }
  }

  async #fetch(): Promise<{ id: string; data: unknown } | undefined> {
    const [job] = await this.#database.boss.fetch<unknown>(QUEUE, { batchSize: 1 });
    if (job === undefined) this.#database.throwFailure();
    return job;
  }

  async #isEmpty(): Promise<boolean> {
    return (await this.#database.boss.getQueueSize(QUEUE, { before: 'completed' })) === 0;
  }

  async #do(job: { id: string; data: unknown }, lease: number): Promise<void> {
    const { boss } = this.#database;
    const data = jobData(job.data);
    if (data === null) {
      this.#options.onTrouble?.(
        new CallsealError('ERR_INVALID_ARGUMENT', `job ${job.id} cannot be understood; left out`),
      );
      await boss.complete(QUEUE, job.id, { problem: 'not understood' });
      return;
    }
    this.#held.add(job.id);
    try {
      await this.#beat(lease);
      await this.#doFiles(job.id, data);
    } finally {
      this.#held.delete(job.id);
    }
  }

  async #doFiles(id: string, data: JobData): Promise<void> {
    const { signal, onJob } = this.#options;
    const preparation = await this.#prepare(data.batch);
    if ('problem' in preparation) return refuseJob(this.#database, id, data, preparation.problem);
    const result: JobResult = { changed: 0, unchanged: 0, passedOver: 0, failures: [] };
    const one = async (path: unknown): Promise<void> => {
      if (signal.aborted) return;
      try {
        result[await preparation.task(path, signal)] += 1;
      } catch (error) {
        result.failures.push(failureOf(path, error));
      }
    };
    await Promise.all([...new Set(data.paths)].map((path) => this.#limiter.run(() => one(path))));
    // Stopped: another worker need not wait for the end of the lease, and finds done what is done.
    if (signal.aborted) {
      await this.#database.boss.fail(QUEUE, id, {});
      return;
    }
    await endJob(this.#database, id, data, result);
    onJob?.(data, result);
  }

  /** Looked at once; a batch whose database does not answer is looked at again. */
  #prepare(batch: string): Promise<Preparation> {
    let preparation = this.#batches.get(batch);
    if (preparation === undefined) {
      preparation = this.#look(batch);
      this.#batches.set(batch, preparation);
      preparation.catch(() => this.#batches.delete(batch));
    }
    return preparation;
  }

  async #look(batch: string): Promise<Preparation> {
    const { root, keys, allowed, onBatch, onTrouble } = this.#options;
    const table = `${this.#database.schema}.callseal_batch`;
    const { rows } = await this.#database.executeSql(`select change from ${table} where id = $1`, [batch]);
    let change: BatchChange;
    try {
      change = restoreChange(rows[0]?.change);
    } catch (error) {
      if (!(error instanceof CallsealError)) throw error;
      onTrouble?.(error);
      return { problem: error.message };
    }
    const stranger = addedKeyIds(change).find((keyId) => allowed?.has(keyId) === false);
    if (stranger !== undefined) {
      const problem = `it gives files to key ${stranger}, which this worker is not told to allow: --allow CERT`;
      onTrouble?.(new CallsealError('ERR_INVALID_ARGUMENT', `batch ${batch} is refused: ${problem}`));
      return { problem };
    }
    onBatch?.(batch, describeChange(change));
    return { task: fileTask(change, root, keys) };
  }

  /** Says that this worker lives, of the jobs that it has. */
  async #beat(lease: number): Promise<void> {
    if (this.#held.size === 0) return;
    await this.#database.executeSql(
      `update ${this.#database.schema}.job set started_on = now(), expire_in = make_interval(secs => $3)
       where name = $1 and id = any($2) and state = 'active'`,
      [QUEUE, [...this.#held], lease],
    );
  }
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const MOST_PATHS = 100_000;

/** Null for what is no job of ours; paths are judged one by one. */
function jobData(data: unknown): JobData | null {
  if (typeof data !== 'object' || data === null) return null;
  const { batch, paths, attempt } = data as Record<string, unknown>;
  if (typeof batch !== 'string' || !UUID.test(batch)) return null;
  if (!Array.isArray(paths) || paths.length > MOST_PATHS) return null;
  if (!Number.isInteger(attempt) || (attempt as number) < 1 || (attempt as number) > 100) return null;
  return { batch, paths, attempt: attempt as number };
}

function noRoot(root: string, cause: unknown): CallsealError {
  const errno = errnoOf(cause);
  const message = `the root ${root} is not there (${errno ?? cause}); give the directory that the files are below here`;
  return new CallsealError('ERR_IO', message, { path: root, cause, ...(errno && { errno }) });
}
