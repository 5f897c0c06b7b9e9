/** `callseal bench`: what this host can do, and how many channels it can record. */

import { access, constants } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { checkTarget, writeAtomically } from '../atomic-file.ts';
import { channelsOf } from '../bench/host/channels.ts';
import { type HostMeasurement, measureHost } from '../bench/host/measure.ts';
import { hostPage } from '../bench/host/page.ts';
import { hostText } from '../bench/host/text.ts';
import { CallsealError, errnoOf } from '../errors.ts';
import { noticeFipsOff } from './fips-notice.ts';
import { interruptSignal } from './interrupt.ts';
import { Output, type OutputOptions } from './output.ts';
import { StatusLine } from './status-line.ts';
import { safeJson, safeLines } from './text.ts';

const DEFAULT_SECONDS = 20;
const MAX_SECONDS = 3600;
/** Percent of one core: the share a recording host is planned with. */
const DEFAULT_CPU_SHARE = 8;
const MAX_CPU_SHARE = 100_000;

interface BenchOptions extends OutputOptions {
  seconds: number;
  dir: string;
  cpuShare: number;
  json?: boolean;
  html?: string;
  force?: boolean;
}

const HELP = `
Needs nothing but the package: it makes keys and files of its own and removes them, also after Ctrl-C. It keeps all cores
and the disk busy meanwhile.

Examples:
  callseal bench --dir /var/lumenvox                    on the file system that matters
  callseal bench --dir /var/lumenvox --html host.html   also a page with charts
  callseal bench --json --seconds 60 > host.json`;

export function define(command: Command): void {
  command
    .addOption(
      new Option('--dir <dir>', 'where files are written: the file system that matters').default(
        tmpdir(),
        'the system’s temporary directory',
      ),
    )
    .option('--seconds <n>', 'about how long it takes', number('--seconds', 1, MAX_SECONDS), DEFAULT_SECONDS)
    .option(
      '--cpu-share <percent>',
      'of one core, that encryption may take; decides the number of channels',
      number('--cpu-share', 0.1, MAX_CPU_SHARE),
      DEFAULT_CPU_SHARE,
    )
    .option('--json', 'one JSON document on standard output')
    .option('--html <file>', 'write a page, too')
    .option('-f, --force', 'replace the page if it exists')
    .option('-q, --quiet', 'only errors and the result')
    .addHelpText('after', HELP)
    .action(benchCommand);
}

function number(option: string, least: number, most: number): (text: string) => number {
  return (text) => {
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (value >= least && value <= most) return value;
    throw new CallsealError('ERR_INVALID_ARGUMENT', `${option} takes a number from ${least} to ${most}`);
  };
}

async function benchCommand(options: BenchOptions): Promise<void> {
  const output = new Output('bench', options);
  if (options.html !== undefined) await checkPage(options.html, options.force === true);
  noticeFipsOff(output);
  const measurement = await measure(options, output);
  const cpuShare = options.cpuShare / 100;
  if (options.html !== undefined) {
    const page = hostPage(measurement, cpuShare);
    const writing = { overwrite: options.force === true, sync: true, mode: 0o644 };
    await writeAtomically(options.html, writing, (file) => file.writeFile(page));
    output.notice(`${options.html}: the page`);
  }
  if (options.json) output.print(safeJson({ ...measurement, channels: channelsOf(measurement, cpuShare) }, 2));
  else for (const line of hostText(measurement, cpuShare).split('\n')) output.print(safeLines(line));
}

/** Said before anybody waits for the measurement. */
async function checkPage(path: string, overwrite: boolean): Promise<void> {
  await checkTarget(path, overwrite);
  const directory = dirname(path);
  await access(directory, constants.W_OK).catch((cause: unknown) => {
    const errno = errnoOf(cause) ?? String(cause);
    throw new CallsealError('ERR_IO', `cannot create a file in ${directory} (${errno})`, { path, errno, cause });
  });
}

async function measure({ seconds, dir }: BenchOptions, output: Output): Promise<HostMeasurement> {
  const line = new StatusLine(output);
  const directory = resolve(dir);
  try {
    return await measureHost({
      directory,
      seconds,
      signal: interruptSignal(),
      onPart: (name) => line.show(`measuring: ${name}`),
    });
  } finally {
    line.clear();
  }
}
