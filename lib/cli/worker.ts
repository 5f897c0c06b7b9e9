/** `callseal worker`: does what was queued, on this host; `callseal worker status` shows how far it is, on any. */

import type { Command } from 'commander';
import { CallsealError } from '../errors.ts';
import type { BatchStatus, ListedFailure } from '../queue/status.ts';
import { EXIT_SOME_FAILED } from './exit-codes.ts';
import { noticeFipsOff } from './fips-notice.ts';
import { interruptExitCode, interruptSignal } from './interrupt.ts';
import { addKeyOptions, type KeyOpener, reportKeyNotes } from './key-options.ts';
import { columnLines } from './keys/columns.ts';
import { colorsFor, Output, type OutputOptions } from './output.ts';
import { collect } from './recipient-options.ts';
import { keysOf } from './recipients/match-options.ts';
import { poolThreads } from './stream-batch.ts';
import { count, formatInteger, formatTime, formatTimeLeft, safe, safeJson } from './text.ts';

interface WorkerOptions extends OutputOptions {
  queue?: string;
  key?: string[];
  root: string;
  concurrency?: number;
  lease?: number;
  allow?: string[];
  drain?: boolean;
}

const HELP = `
A worker takes jobs of some hundred files, made by callseal recipients … --queue and callseal rekey --queue, until it is stopped
(SIGTERM, Ctrl-C) or, with --drain, until there are none. Any number of workers on any number of hosts share a queue. When one
is killed, another has its jobs within about the lease; what was done to files is not done again.

Whoever may write to the queue’s database can have files given to other keys. --allow CERT limits that to keys you name.

Examples:
  callseal worker --queue postgres://callseal@db/jobs -k mary.key --root /mnt/calls
  callseal worker --queue postgres://callseal@db/jobs -k mary.key --root /mnt/calls --allow fred.crt --drain
  callseal worker status --queue postgres://callseal@db/jobs`;

const STATUS_HELP = `
Rates are of the last minute. With BATCH, ends with 20 when the batch is finished and had failures.

Examples:
  callseal worker status --queue postgres://callseal@db/jobs
  callseal worker status --queue postgres://callseal@db/jobs --json 7c9e6679-7425-40de-944b-e07fc1f90ae7`;

export function define(command: Command): void {
  const openKeys = addKeyOptions(command, false);
  command
    .option('--queue <url>', 'postgres://USER@HOST/DATABASE; the password comes from PGPASSWORD or ~/.pgpass')
    .option('--root <dir>', 'the directory that the queued files are below, on this host', '.')
    .option('--concurrency <n>', 'files at once (default: one for each core)', numberOf('--concurrency', 1, 1024))
    .option(
      '--lease <seconds>',
      'how long after its death others get its jobs (default: 20)',
      numberOf('--lease', 2, 3600),
    )
    .option('--allow <cert>', 'the only keys that files may be given to (repeatable; default: any)', collect)
    .option('--drain', 'end when there is nothing left to do')
    .option('-q, --quiet', 'only errors')
    .option('-v, --verbose', 'a line for each job')
    .addHelpText('after', HELP)
    .action((options: WorkerOptions) => workerCommand(options, openKeys));
  command
    .command('status')
    .description('show how far batches are')
    .argument('[batch]', 'one batch, with the files that failed')
    .option('--queue <url>', 'postgres://USER@HOST/DATABASE')
    .option('--json', 'one JSON document on standard output')
    .addHelpText('after', STATUS_HELP)
    .action((batch: string | undefined, own: StatusOptions, self: Command) =>
      // Commander gives an option that both have to the parent when it stands before the word.
      statusCommand(batch, { ...own, queue: own.queue ?? self.parent?.opts<StatusOptions>().queue }),
    );
}

function numberOf(option: string, least: number, most: number): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (Number.isInteger(number) && number >= least && number <= most) return number;
    throw usage(`${option} takes a number from ${least} to ${most}`);
  };
}

async function workerCommand(options: WorkerOptions, openKeys: KeyOpener): Promise<void> {
  const output = new Output('worker', options);
  const url = queueOf(options.queue);
  if (options.key === undefined) throw usage('give the private key of one of the recipients: -k KEY');
  const signal = interruptSignal();
  const keys = openKeys(options.key, output);
  const allowed = options.allow && new Set((await keysOf(options.allow)).flatMap(idsOf));
  noticeFipsOff(output);
  const [{ QueueDatabase }, { runWorker }] = await Promise.all([
    import('../queue/database.ts'),
    import('../queue/worker.ts'),
  ]);
  const database = await QueueDatabase.open(url, true);
  const total = { changed: 0, unchanged: 0, failed: 0 };
  let trouble = '';
  try {
    await runWorker(database, {
      root: options.root,
      keys,
      concurrency: options.concurrency ?? poolThreads(),
      lease: options.lease,
      drain: options.drain,
      allowed,
      signal,
      onBatch: (batch, description) => output.notice(`batch ${batch}: ${description}`),
      onJob: ({ batch, paths }, { changed, unchanged, failures }) => {
        total.changed += changed;
        total.unchanged += unchanged;
        total.failed += failures.length;
        trouble = '';
        output.detail(`batch ${batch}: ${count(paths.length, 'file')}, ${changed} changed, ${failures.length} failed`);
      },
      onTrouble: (error) => {
        const message = error instanceof Error ? error.message : String(error);
        if (message !== trouble) output.warn(message); // once, however often it is tried again
        trouble = message;
      },
    });
  } finally {
    await database.close();
  }
  const { changed, unchanged, failed } = total;
  output.notice(
    `${count(changed, 'file')} changed, ${formatInteger(unchanged)} as they should be, ${formatInteger(failed)} failed`,
  );
  reportKeyNotes(keys, output);
  if (signal.aborted) process.exitCode = interruptExitCode();
}

function idsOf(match: object): string[] {
  return 'keyId' in match && typeof match.keyId === 'string' ? [match.keyId] : [];
}

interface StatusOptions {
  queue?: string | undefined;
  json?: boolean;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

async function statusCommand(batch: string | undefined, options: StatusOptions): Promise<void> {
  const output = new Output('worker status');
  if (batch !== undefined && !UUID.test(batch)) throw usage(`${batch} is not the id of a batch`);
  const url = queueOf(options.queue);
  const [{ QueueDatabase }, { batchStatuses, failuresOf }] = await Promise.all([
    import('../queue/database.ts'),
    import('../queue/status.ts'),
  ]);
  const database = QueueDatabase.look(url);
  try {
    const found = await batchStatuses(database, batch);
    if (batch !== undefined && found.length === 0) throw usage(`the queue has no batch ${batch}`);
    const failures = batch === undefined ? undefined : await failuresOf(database, batch);
    if (options.json)
      output.print(safeJson({ batches: found.map((each) => ({ ...each, ...(failures && { failures }) })) }));
    else printStatus(output, found, failures);
    if (failures !== undefined && found[0]?.finished && found[0].failed > 0) process.exitCode = EXIT_SOME_FAILED;
  } finally {
    await database.close();
  }
}

function printStatus(output: Output, batches: readonly BatchStatus[], failures?: readonly ListedFailure[]): void {
  if (batches.length === 0) output.notice('nothing was ever queued there');
  const heading = [
    'BATCH',
    'QUEUED',
    'FILES',
    'CHANGED',
    'AS THEY SHOULD BE',
    'PASSED OVER',
    'FAILED',
    'WAITING',
    'STATE',
  ];
  const rows = batches.map((batch) => {
    const { files, changed, unchanged, passedOver, failed, waiting } = batch;
    const counts = [files, changed, unchanged, passedOver, failed, waiting].map(formatInteger);
    return [batch.batch, formatTime(batch.queuedAt), ...counts, stateOf(batch)];
  });
  if (batches.length > 0) for (const line of columnLines(heading, rows, colorsFor(process.stdout))) output.print(line);
  for (const batch of batches) {
    output.print(safe(`${batch.batch.slice(0, 8)}: ${batch.change}`));
    if (batch.problem !== null) output.print(safe(`  refused by workers: ${batch.problem}`));
  }
  for (const { path, code, message, attempts, final } of failures ?? []) {
    output.print(safe(`  ${final ? 'failed' : 'will be tried again'} (${attempts}): ${path}: ${code}: ${message}`));
  }
}

function stateOf({ finished, filled, rate, secondsLeft, activeJobs, retrying }: BatchStatus): string {
  if (finished) return 'finished';
  const parts = [`${formatInteger(Math.round(rate))}/s`];
  if (secondsLeft !== null) parts.push(formatTimeLeft(secondsLeft));
  else if (activeJobs === 0) parts.push('no worker at it');
  if (retrying > 0) parts.push(`${formatInteger(retrying)} to be tried again`);
  if (!filled) parts.push('still being queued, or that was ended');
  return parts.join(', ');
}

function queueOf(url: string | undefined): string {
  if (url === undefined) throw usage('give the queue: --queue postgres://USER@HOST/DATABASE');
  return url;
}

function usage(message: string): CallsealError {
  return new CallsealError('ERR_INVALID_ARGUMENT', message);
}
