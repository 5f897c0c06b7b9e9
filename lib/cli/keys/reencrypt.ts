/** `callseal reencrypt`: a table's records under the key that encrypts now, while the service goes on. */

import type { Command } from 'commander';
import { CallsealError } from '../../errors.ts';
import type { TableLayout } from '../../keys/reencryption/application-table.ts';
import type { TableReport } from '../../keys/reencryption/reencrypt-table.ts';
import type { ReencryptionFailure } from '../../keys/reencryption/tally.ts';
import { EXIT_SOME_FAILED } from '../exit-codes.ts';
import { interruptSignal } from '../interrupt.ts';
import { Output, type OutputOptions } from '../output.ts';
import { safeJson } from '../text.ts';
import {
  addHierarchyOptions,
  type HierarchyOpener,
  type HierarchyOptions,
  withHierarchy,
} from './hierarchy-options.ts';
import { wholeNumber } from './numbers.ts';
import { reportLines, shortReport } from './reencrypt-text.ts';
import { RowProgress } from './row-progress.ts';

interface ReencryptOptions extends HierarchyOptions, OutputOptions {
  db: string;
  table: string;
  key: string;
  column: string;
  area: string;
  entity: string;
  tenant?: string;
  dryRun?: boolean;
  rate?: number;
  batch: number;
  restart?: boolean;
  json?: boolean;
}

/** Failures shown as they come; all are counted, and the report has the first 200. */
const FAILURES_SHOWN = 1000;

const DEFAULT_BATCH = 100;

const HELP = `
--entity says what each row’s record belongs to: a comma-separated list of tenant=, type=, id= and field=, as it was when the
record was protected. A bare word is a column for tenant and id, and a fixed text for type and field; 'text' in
single quotes is always a text, "column" in double quotes always a column. Table and columns are taken as they are written, not folded to
lower case.

Each row that is not under the current key is re-encrypted and written back only where it is unchanged, so that the service can
go on. A row that cannot be opened is listed with its key and left as it is; then it ends with 20. A run that was ended, by
whatever, continues where it was; --restart begins anew. At the end all rows are counted again, by the key that they are
under: callseal working remove and callseal master remove rely on that.

Examples:
  callseal reencrypt --db postgres://voice@db/voice --table voice_models --key id --column template \\
                     --area models --entity 'type=claimant,id=claimant_id,field=template'
  callseal reencrypt --db sqlite:/var/lib/voice/voice.db --table voice_models --key tenant,id --column template \\
                     --area models --entity 'tenant=tenant,type=claimant,id=id' --rate 500 --dry-run`;

export function define(command: Command): void {
  const open = addHierarchyOptions(command);
  command
    .requiredOption('--db <url>', 'database of the table: sqlite:PATH or postgres://USER@HOST/DATABASE')
    .requiredOption('--table <name>', 'the table, with its schema before it or without')
    .requiredOption('--key <columns>', 'the column, or columns, of its primary key or of a unique index')
    .requiredOption('--column <name>', 'the column with the protected records: BYTEA, BLOB')
    .requiredOption('--area <area>', 'set of working keys, such as models')
    .requiredOption('--entity <list>', 'what each row’s record belongs to; see below')
    .option('--tenant <text>', 'the same tenant for all rows')
    .option('--dry-run', 'open every record, and change nothing')
    .option('--rate <n>', 'rows a second, at most', wholeNumber('--rate', 1))
    .option('--batch <n>', 'rows to read at a time', wholeNumber('--batch', 1, 10_000), DEFAULT_BATCH)
    .option('--restart', 'begin anew, whatever a run before has left')
    .option('--json', 'the report as one JSON document on standard output')
    .option('-q, --quiet', 'only errors')
    .option('-v, --verbose', 'without a terminal, say every ten seconds how far it has come')
    .addHelpText('after', HELP)
    .action((options: ReencryptOptions) => reencryptCommand(options, open));
}

async function reencryptCommand(options: ReencryptOptions, open: HierarchyOpener): Promise<void> {
  const output = new Output('reencrypt', options);
  const layout = await layoutOf(options);
  const { openApplicationTable } = await import('../../keys/reencryption/open-table.ts');
  const table = await openApplicationTable(options.db, layout);
  try {
    const report = await withHierarchy(open, options, output, async (keys) => {
      const { reencryptTable } = await import('../../keys/reencryption/reencrypt-table.ts');
      const progress = new RowProgress(output);
      const failures = new FailureLines(output);
      try {
        return await reencryptTable(keys, table, {
          ...job(options, layout),
          onFailure: (failure) => failures.add(failure),
          onProgress: (now) => progress.update(now),
        });
      } catch (error) {
        if (options.dryRun !== true) failures.sayContinued(error);
        throw error;
      } finally {
        progress.stop();
      }
    });
    tell(report, options, output);
  } finally {
    await table.close();
  }
}

async function layoutOf(options: ReencryptOptions): Promise<TableLayout> {
  const { EntityColumns } = await import('../../keys/reencryption/entity-columns.ts');
  const { parseNames } = await import('../../keys/reencryption/names.ts');
  const [column, ...more] = parseNames(options.column, '.', '--column');
  if (more.length > 0) throw new CallsealError('ERR_INVALID_ARGUMENT', '--column names one column, without its table');
  const entity = EntityColumns.parse(options.entity);
  return {
    table: parseNames(options.table, '.', '--table'),
    key: parseNames(options.key, ',', '--key'),
    column: column!,
    entity: options.tenant === undefined ? entity : entity.withTenant(options.tenant),
  };
}

function job({ area, batch, rate, dryRun, restart }: ReencryptOptions, { entity }: TableLayout) {
  return {
    area,
    batch,
    entity: entity.toString(),
    signal: interruptSignal(),
    ...(rate !== undefined && { rate }),
    ...(dryRun !== undefined && { dryRun }),
    ...(restart !== undefined && { restart }),
  };
}

function tell(report: TableReport, options: ReencryptOptions, output: Output): void {
  if (options.json) output.print(safeJson(report, 2));
  else if (!output.quiet) for (const line of reportLines(report)) output.print(line);
  output.notice(shortReport(report));
  if (report.counts.failed > 0) process.exitCode = EXIT_SOME_FAILED;
}

/** Failures as they come, up to a number. */
class FailureLines {
  readonly #output: Output;
  #shown = 0;

  constructor(output: Output) {
    this.#output = output;
  }

  add({ key, code, message }: ReencryptionFailure): void {
    this.#shown += 1;
    if (this.#shown <= FAILURES_SHOWN) this.#output.fail(new CallsealError(code, `row ${key}: ${message}`));
    else if (this.#shown === FAILURES_SHOWN + 1)
      this.#output.notice('more rows fail; they are only counted from here on');
  }

  /** What was done stays done, and the next run knows. */
  sayContinued(error: unknown): void {
    if (error instanceof CallsealError && error.code !== 'ERR_INVALID_ARGUMENT') {
      this.#output.notice('the same command continues where this run has come to');
    }
  }
}
