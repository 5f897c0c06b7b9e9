/** `callseal doctor`: everything that an operator gets wrong, and what to do about it. Changes nothing. */

import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { DEFAULT_CONFIG_PATH } from '../config/index.ts';
import { attend } from '../doctor/attend.ts';
import type { Finding, Severity } from '../doctor/check.ts';
import { worst } from '../doctor/check.ts';
import type { CheckResult } from '../doctor/doctor.ts';
import { CallsealError } from '../errors.ts';
import { version } from '../version.ts';
import { DEFAULT_DIRECTORY, type Referral, startExaminer } from './doctor-process.ts';
import { EXIT_DOCTOR_ERRORS, EXIT_DOCTOR_WARNINGS } from './exit-codes.ts';
import { interruptSignal } from './interrupt.ts';
import { addKeyStoreOptions, type HierarchyOptions, namedStore, stateDirectory } from './keys/hierarchy-options.ts';
import { folderOf } from './keys/installation-options.ts';
import { type Colors, colorsFor, Output } from './output.ts';
import type { PassphrasePlace } from './passphrase-options.ts';
import { collect } from './recipient-options.ts';
import { count, safe, safeJson } from './text.ts';

/** As `callseal agent` has it. */
const DEFAULT_AGENT = 'http://127.0.0.1:9465';
/** Of the JSON document. Members may be added; a change of what there is raises it. */
const FORMAT = 1;

const EXIT_CODE: Record<Severity, number> = {
  ok: 0,
  note: 0,
  warning: EXIT_DOCTOR_WARNINGS,
  error: EXIT_DOCTOR_ERRORS,
};

interface DoctorOptions extends HierarchyOptions {
  config?: string;
  watch?: string[];
  outputDir?: string;
  key?: string[];
  agent?: string;
  warnDays: number;
  patience: number;
  quiet?: boolean;
  json?: boolean;
}

const HELP = `
Looks at Node and the native module, the FIPS module, the configuration and its certificates, permissions, the clock,
disks, the key store, the agent, and limits; says of everything that is wrong what to do. It changes nothing and asks for
nothing. Run it as the user that does the work, as permissions are another user’s otherwise. Ends with 0 when there is
nothing to do, with ${EXIT_DOCTOR_WARNINGS} for warnings, with ${EXIT_DOCTOR_ERRORS} for errors.

Examples:
  callseal doctor
  runuser -u callseal -- callseal doctor --watch /var/lumenvox/responses --agent http://127.0.0.1:9465
  callseal doctor --store postgres://voice@db/voice --passphrase-file /run/secrets/voice
  callseal doctor --json > doctor.json`;

export function define(command: Command): void {
  command
    .option('-c, --config <file>', `client_property.conf to look at (default: ${DEFAULT_CONFIG_PATH})`)
    .option('--watch <dir>', `directory whose files are encrypted (repeatable; default: ${DEFAULT_DIRECTORY})`, collect)
    .option('--output-dir <dir>', 'where encrypted files go, when that is elsewhere')
    .option('-k, --key <file>', 'private-key file that is used on this host, to open or to sign (repeatable)', collect)
    .option('--agent <url>', `where the agent listens (default: ${DEFAULT_AGENT})`)
    .option('--warn-days <n>', 'warn of certificates that expire within so many days', parseDays, 30)
    .option('--patience <seconds>', 'give up a check that takes longer, and make the next', parseSeconds, 30);
  const places = addKeyStoreOptions(command);
  command
    .option('-q, --quiet', 'only what there is something to do about')
    .option('--json', 'one JSON document on standard output')
    .addHelpText('after', HELP)
    .action((options: DoctorOptions) => doctorCommand(options, places));
}

function parseDays(text: string): number {
  if (/^\d{1,5}$/.test(text)) return Number(text);
  throw new CallsealError('ERR_INVALID_ARGUMENT', '--warn-days takes a number of days');
}

function parseSeconds(text: string): number {
  if (/^[1-9]\d{0,4}$/.test(text)) return Number(text);
  throw new CallsealError('ERR_INVALID_ARGUMENT', '--patience takes a number of seconds, 1 or more');
}

async function doctorCommand(options: DoctorOptions, places: readonly PassphrasePlace[]): Promise<void> {
  const output = new Output('doctor');
  const colors = colorsFor(process.stdout);
  const tell = (result: CheckResult): void => {
    for (const line of resultLines(result, options.quiet === true, colors)) output.print(line);
  };
  const time = new Date();
  const checks = await checksOf(options, places, time, options.json === true ? () => {} : tell);
  const severity = worst(checks.map((result) => result.severity));
  process.exitCode = EXIT_CODE[severity];
  if (options.json !== true) return output.print(summary(checks, colors));
  const { exitCode } = process;
  output.print(
    safeJson({ format: FORMAT, callseal: version(), time: time.toISOString(), severity, exitCode, checks }, 2),
  );
}

async function checksOf(
  options: DoctorOptions,
  places: readonly PassphrasePlace[],
  now: Date,
  tell: (result: CheckResult) => void,
): Promise<CheckResult[]> {
  const signal = interruptSignal();
  const named = await namedBy(options, places, now);
  const scratch = await mkdtemp(join(tmpdir(), 'callseal-doctor-')).catch(() => null);
  const clear = (): void => {
    if (scratch !== null) rmSync(scratch, { recursive: true, force: true });
  };
  process.once('exit', clear); // also where nobody reads what is printed any more
  try {
    const start = (earlier: readonly CheckResult[]) => startExaminer({ ...named, scratch, earlier });
    return await attend({ start, patience: options.patience, signal }, tell);
  } finally {
    process.off('exit', clear);
    clear();
  }
}

/** Without a look at any file, which may be on a disk that is gone. */
async function namedBy(
  options: DoctorOptions,
  places: readonly PassphrasePlace[],
  now: Date,
): Promise<Omit<Referral, 'scratch' | 'earlier'>> {
  const { config, watch, outputDir, key, agent, warnDays } = options;
  return {
    config: config ?? null,
    directories: watch ?? null,
    store: namedStore(options) ?? null,
    agent: parseUrl(agent ?? DEFAULT_AGENT).href,
    agentExpected: agent !== undefined,
    outputDirectory: outputDir ?? null,
    keys: key ?? [],
    stateDirectory: await stateDirectory(options),
    installationFolder: await folderOf(options),
    warnDays,
    places,
    now: now.getTime(),
  };
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  const isWeb = url?.protocol === 'http:' || url?.protocol === 'https:';
  // The address is shown in what is found, and a password with it.
  if (url !== null && isWeb && url.username === '' && url.password === '') return url;
  throw new CallsealError(
    'ERR_INVALID_ARGUMENT',
    `--agent takes a URL such as ${DEFAULT_AGENT}, without name and password`,
  );
}

function resultLines({ check, findings }: CheckResult, quiet: boolean, colors: Colors): string[] {
  const shown = quiet ? findings.filter(({ severity }) => EXIT_CODE[severity] !== 0) : findings;
  return shown.flatMap((finding) => findingLines(check, finding, colors));
}

function findingLines(check: string, { severity, message, where, remedy }: Finding, colors: Colors): string[] {
  const paint = { ok: colors.green, note: colors.cyan, warning: colors.yellow, error: colors.red }[severity];
  const place = where === null || message.includes(where) ? '' : `${safe(where)}: `;
  const line = `${paint(severity.padEnd(7))}  ${check.padEnd(13)}  ${place}${safe(message)}`;
  return remedy === null ? [line] : [line, `${' '.repeat(24)} → ${colors.bold(safe(remedy))}`];
}

function summary(checks: readonly CheckResult[], colors: Colors): string {
  const findings = checks.flatMap((result) => result.findings);
  const number = (severity: Severity): number => findings.filter((finding) => finding.severity === severity).length;
  const [errors, warnings] = [number('error'), number('warning')];
  const what = `${count(checks.length, 'check')}: ${count(errors, 'error')}, ${count(warnings, 'warning')}, ${count(number('note'), 'note')}`;
  return errors > 0 ? colors.red(what) : warnings > 0 ? colors.yellow(what) : colors.green(what);
}
