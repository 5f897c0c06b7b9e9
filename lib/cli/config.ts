/** `callseal config check`: the configuration as it will be used on this host, with everything that is wrong. */

import type { Command } from 'commander';
import { DEFAULT_CONFIG_PATH } from '../config/index.ts';
import { type ConfigFinding, type ConfigReport, checkConfiguration } from '../doctor/configuration-report.ts';
import { CallsealError } from '../errors.ts';
import { native } from '../native/load.ts';
import { EXIT_CONFIG, EXIT_RECIPIENTS } from './exit-codes.ts';
import { type Colors, colorsFor, Output } from './output.ts';
import { configPath } from './recipient-options.ts';
import { recipientLine } from './recipient-text.ts';
import { count, safe, safeJson } from './text.ts';

interface CheckCommandOptions {
  json?: boolean;
  warnDays: number;
}

const EXIT_CODE = { file: EXIT_CONFIG, keys: EXIT_RECIPIENTS };

const HELP = `
Opens every certificate, and looks for duplicates, expiry, private keys that do not belong on a recording host, and
permissions that let others change any of it. Ends with 0, with 3 when the file is wrong, with 4 when a certificate is;
warnings do not change that.

Examples:
  callseal config check
  callseal config check --json --warn-days 60 /etc/lumenvox/client_property.conf`;

export function define(command: Command): void {
  command
    .command('check')
    .description('check a configuration and every certificate it lists')
    .argument('[file]', `client_property.conf (default: ${DEFAULT_CONFIG_PATH})`)
    .option('--json', 'one JSON document on standard output')
    .option('--warn-days <n>', 'warn of certificates that expire within so many days', parseDays, 30)
    .addHelpText('after', HELP)
    .action(checkCommand);
}

function parseDays(text: string): number {
  if (/^\d{1,5}$/.test(text)) return Number(text);
  throw new CallsealError('ERR_INVALID_ARGUMENT', '--warn-days takes a number of days');
}

async function checkCommand(file: string | undefined, options: CheckCommandOptions): Promise<void> {
  const path = configPath(file, 'give the file to check: callseal config check FILE');
  native();
  const now = new Date();
  const report = await checkConfiguration(path, { warnDays: options.warnDays, now });
  const output = new Output('config check');
  const exitCode = report.failed === null ? 0 : EXIT_CODE[report.failed];
  const { config, recipients } = report;
  const findings = report.findings.map(adviceOf);
  if (options.json) output.print(safeJson({ config, exitCode, recipients, findings }, 2));
  else for (const line of reportLines(report, now, colorsFor(process.stdout))) output.print(line);
  process.exitCode = exitCode;
}

function reportLines(report: ConfigReport, now: Date, colors: Colors): string[] {
  const lines = [colors.bold(safe(report.config))];
  for (const recipient of report.recipients) {
    lines.push(`  line ${recipient.line}: ${recipientLine(recipient, now)}`, colors.dim(`    ${safe(recipient.path)}`));
  }
  for (const finding of report.findings) lines.push(findingLine(adviceOf(finding), colors));
  const number = (severity: ConfigFinding['severity'], word: string): string =>
    count(report.findings.filter((finding) => finding.severity === severity).length, word);
  lines.push(
    `${count(report.recipients.length, 'recipient')}; ${number('error', 'error')}, ${number('warning', 'warning')}`,
  );
  return lines;
}

/** As this command has always shown it: what is wrong and what to do, in one sentence. */
type Advice = Pick<ConfigFinding, 'severity' | 'rule' | 'line'> & { message: string };

function adviceOf({ severity, rule, fact, remedy, line }: ConfigFinding): Advice {
  return { severity, rule, message: remedy === null ? fact : `${fact}; ${remedy}`, line };
}

function findingLine({ severity, message, line }: Advice, colors: Colors): string {
  const paint = { error: colors.red, warning: colors.yellow, note: colors.cyan }[severity];
  return `  ${paint(`${severity}:`)} ${line === null ? '' : `line ${line}: `}${safe(message)}`;
}
