/** `callseal doctor`: everything that an operator gets wrong, and what to do about it. Changes nothing. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { DEFAULT_CONFIG_PATH } from '../config/index.ts';
import type { Finding, Patient, Severity } from '../doctor/check.ts';
import { worst } from '../doctor/check.ts';
import { type CheckResult, examine } from '../doctor/doctor.ts';
import { CallsealError } from '../errors.ts';
import { version } from '../version.ts';
import { EXIT_DOCTOR_ERRORS, EXIT_DOCTOR_WARNINGS } from './exit-codes.ts';
import { addKeyStoreOptions, type HierarchyOptions, namedStore, stateDirectory } from './keys/hierarchy-options.ts';
import { folderOf, placesInTurn } from './keys/installation-options.ts';
import { type Colors, colorsFor, Output } from './output.ts';
import type { PassphrasePlace } from './passphrase-options.ts';
import { collect } from './recipient-options.ts';
import { count, safe, safeJson } from './text.ts';

/** As `callseal agent` has them. */
const DEFAULT_DIRECTORY = '/var/lumenvox/responses';
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
    .option('--warn-days <n>', 'warn of certificates that expire within so many days', parseDays, 30);
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

async function doctorCommand(options: DoctorOptions, places: readonly PassphrasePlace[]): Promise<void> {
  const output = new Output('doctor');
  const patient = await patientOf(options, places);
  const colors = colorsFor(process.stdout);
  const tell = (result: CheckResult): void => {
    for (const line of resultLines(result, options.quiet === true, colors)) output.print(line);
  };
  const checks = await examine(patient, options.json === true ? undefined : tell);
  const severity = worst(checks.map((result) => result.severity));
  process.exitCode = EXIT_CODE[severity];
  if (options.json !== true) return output.print(summary(checks, colors));
  const { exitCode } = process;
  const time = patient.now.toISOString();
  output.print(safeJson({ format: FORMAT, callseal: version(), time, severity, exitCode, checks }, 2));
}

async function patientOf(options: DoctorOptions, places: readonly PassphrasePlace[]): Promise<Patient> {
  const { config, watch, outputDir, key, agent, warnDays } = options;
  const state = await stateDirectory(options);
  return {
    config: config ?? (existsSync(DEFAULT_CONFIG_PATH) ? DEFAULT_CONFIG_PATH : null),
    warnDays,
    directories: watch ?? (existsSync(DEFAULT_DIRECTORY) ? [DEFAULT_DIRECTORY] : []),
    outputDirectory: outputDir ?? null,
    keys: key ?? [],
    passphraseFiles: places.filter(({ kind }) => kind === 'file').map(({ name }) => name),
    store: namedStore(options) ?? defaultStore(state),
    stateDirectory: state,
    installationFolder: await folderOf(options),
    ...(places.length > 0 && { passphrase: placesInTurn(places) }),
    agent: parseUrl(agent ?? DEFAULT_AGENT),
    agentExpected: agent !== undefined,
    now: new Date(),
  };
}

/** The store of this host, when it has one. */
function defaultStore(state: string): string | null {
  const path = join(state, 'keys.db');
  return existsSync(path) ? `sqlite:${path}` : null;
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
