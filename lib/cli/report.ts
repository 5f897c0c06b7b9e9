/** `callseal report`: who can open what lies in some directories, and what is wrong with it. Needs no key. */

import type { Command } from 'commander';
import { checkTarget, writeAtomically } from '../atomic-file.ts';
import { CallsealError } from '../errors.ts';
import { TEMPORARY_NAME } from '../locked-temporary.ts';
import { reportPage } from '../report/page.ts';
import { type DirectoryReport, reportOn } from '../report/report.ts';
import { reportText } from '../report/text.ts';
import { version } from '../version.ts';
import { EXIT_SOME_FAILED } from './exit-codes.ts';
import { interruptSignal } from './interrupt.ts';
import { Output, type OutputOptions } from './output.ts';
import { DEFAULT_SUFFIX, suffixOption } from './outputs.ts';
import { StatusLine } from './status-line.ts';
import { count, safeJson } from './text.ts';

const DEFAULT_WARN_DAYS = 60;
const DEFAULT_MIN_BITS = 2048;
/** How often the line on the terminal is drawn anew, in milliseconds. */
const DRAW_INTERVAL = 200;

interface ReportCommandOptions extends OutputOptions {
  json?: boolean;
  html?: string;
  force?: boolean;
  suffix: string;
  warnDays: number;
  minBits: number;
}

const HELP = `
Reads names, headers and the mark of each last segment: nothing is decrypted, no key is needed, and so nothing is
authenticated. A file that is neither named nor made as a Callseal file counts as not encrypted.

Ends with 0 when everything could be looked at, whatever was found, and with 20 when something could not.

Examples:
  callseal report /var/lumenvox/responses
  callseal report --html report.html /var/lumenvox/responses /archive
  callseal report --json /archive | jq .problems.plaintext.files`;

export function define(command: Command): void {
  command
    .argument('<dir...>', 'directories, with all that is below them')
    .option('--json', 'one JSON document on standard output')
    .option('--html <file>', 'write a page, too')
    .option('-f, --force', 'replace the page if it exists')
    .option('--suffix <suffix>', 'what the names of encrypted files end in', suffixOption, DEFAULT_SUFFIX)
    .option(
      '--warn-days <n>',
      'certificates that expire within so many days are named',
      whole('--warn-days'),
      DEFAULT_WARN_DAYS,
    )
    .option('--min-bits <n>', 'RSA keys shorter than this are called weak', whole('--min-bits'), DEFAULT_MIN_BITS)
    .option('-q, --quiet', 'only errors and the result')
    .addHelpText('after', HELP)
    .action(reportCommand);
}

function whole(option: string): (text: string) => number {
  return (text) => {
    if (/^\d{1,6}$/.test(text)) return Number(text);
    throw new CallsealError('ERR_INVALID_ARGUMENT', `${option} takes a whole number`);
  };
}

async function reportCommand(directories: string[], options: ReportCommandOptions): Promise<void> {
  const output = new Output('report', options);
  const { html, force = false } = options;
  if (html !== undefined) await checkTarget(html, force);
  const report = await makeReport(directories, options, output);
  if (html !== undefined) {
    const page = reportPage(report, version());
    const writing = { overwrite: force, sync: true, mode: 0o644 };
    await writeAtomically(html, writing, (file) => file.writeFile(page));
    output.notice(`${html}: the page`);
  }
  if (options.json) output.print(safeJson({ callseal: version(), ...report }, 2));
  else for (const line of reportText(report)) output.print(line);
  if (report.problems.unreadable.files > 0) {
    output.warn(
      `${count(report.problems.unreadable.files, 'file or directory', 'files and directories')} could not be read`,
    );
    process.exitCode = EXIT_SOME_FAILED;
  }
}

async function makeReport(
  directories: readonly string[],
  { suffix, warnDays, minBits }: ReportCommandOptions,
  output: Output,
): Promise<DirectoryReport> {
  const line = new StatusLine(output);
  let drawn = 0;
  try {
    return await reportOn(directories, {
      suffix,
      warnDays,
      minBits,
      isUnfinished: (name) => TEMPORARY_NAME.test(name),
      signal: interruptSignal(),
      onFile: (files) => {
        if (Date.now() - drawn < DRAW_INTERVAL) return;
        drawn = Date.now();
        line.show(`looking at ${count(files, 'file')}`);
      },
    });
  } finally {
    line.clear();
  }
}
