/** For whom to encrypt: `--config` or `-r`, and what to do about certificates that are not as they should be. */

import { existsSync } from 'node:fs';
import { type Command, Option } from 'commander';
import type { RecipientFiles } from '../agent/recipient-files.ts';
import { DEFAULT_CONFIG_PATH, encryptionRecipients, formatProblem } from '../config/index.ts';
import { CallsealError } from '../errors.ts';
import type { RecipientSource } from '../recipients/examine.ts';
import type { PolicyAction, RecipientPolicy } from '../recipients/policy.ts';
import { Recipients } from '../recipients/recipients.ts';
import type { Output } from './output.ts';

/** As commander hands them over. */
export interface RecipientChoice {
  config?: string;
  recipient?: string[];
  expired: PolicyAction;
  notYetValid: PolicyAction;
  weak: PolicyAction;
  nonRsa: PolicyAction;
  unreadable: PolicyAction;
  duplicate: PolicyAction;
  minRecipients: number;
}

const POLICIES: [flag: string, what: string][] = [
  ['--expired', 'an expired certificate'],
  ['--not-yet-valid', 'a certificate that is not valid yet'],
  ['--weak', 'an RSA key shorter than 2048 bits'],
  ['--non-rsa', 'a key that is not RSA, or longer than 8192 bits'],
  ['--unreadable', 'a file that is missing or holds no certificate'],
  ['--duplicate', 'a key listed twice'],
];

export function addRecipientOptions(command: Command): void {
  command
    .option('-c, --config <file>', `client_property.conf that lists the certificates (default: ${DEFAULT_CONFIG_PATH})`)
    .option('-r, --recipient <cert>', 'certificate or public key to encrypt for (repeatable)', collect);
  addPolicyOptions(command);
}

/** What to do about certificates that are not as they should be. */
export function addPolicyOptions(command: Command): void {
  for (const [flag, what] of POLICIES) {
    command.addOption(
      new Option(`${flag} <action>`, `what to do about ${what}`).choices(['refuse', 'warn', 'skip']).default('refuse'),
    );
  }
  command.option('--min-recipients <n>', 'refuse with fewer usable recipients', parseCount, 1);
}

/** For options that may be repeated. */
export function collect(value: string, previous: string[] | undefined): string[] {
  return [...(previous ?? []), value];
}

function parseCount(text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1 && number <= 4096) return number;
  throw new CallsealError('ERR_INVALID_ARGUMENT', '--min-recipients takes a number from 1 to 4096');
}

/**
 * Opens the certificates and reports what the policy let pass.
 *
 * @throws CallsealError ERR_INVALID_ARGUMENT, ERR_CONFIG, ERR_CERTIFICATE_*, ERR_NO_RECIPIENTS
 */
export async function loadRecipients(choice: RecipientChoice, output: Output): Promise<Recipients> {
  const policy = policyOf(choice);
  const named = recipientFiles(choice);
  const sources = 'certificates' in named ? named.certificates : configuredSources(named.config, policy, output);
  const recipients = await Recipients.load(sources, policy);
  for (const warning of recipients.warnings) output.warn(warning.message);
  return recipients;
}

/** What the options say about certificates that are not as they should be. */
export function policyOf(choice: RecipientChoice): RecipientPolicy {
  const { expired, notYetValid, weak, nonRsa, unreadable, duplicate, minRecipients: minimum } = choice;
  return { expired, notYetValid, weak, nonRsa, unreadable, duplicate, minimum };
}

/**
 * Where the options name recipients.
 *
 * @throws CallsealError ERR_INVALID_ARGUMENT
 */
export function recipientFiles({ config, recipient }: RecipientChoice): RecipientFiles {
  if (recipient === undefined)
    return { config: configPath(config, 'give the certificates to encrypt for: -r CERT or --config FILE') };
  if (config === undefined) return { certificates: recipient };
  throw new CallsealError('ERR_INVALID_ARGUMENT', '-r and --config cannot be used together');
}

/** What the configuration lists, with where it is written; its warnings are said. */
function configuredSources(path: string, policy: RecipientPolicy, output: Output): RecipientSource[] {
  // A missing certificate is an error of the configuration, unless the policy is to do without.
  const { recipients, problems } = encryptionRecipients(path, { checkFiles: policy.unreadable === 'refuse' });
  for (const problem of problems) {
    if (problem.severity === 'warning') output.warn(formatProblem(path, problem).replace(' warning:', ''));
  }
  return recipients.map(({ path: certificate, line }) => ({ path: certificate, origin: `${path}:${line}` }));
}

/**
 * The configuration file to use.
 *
 * @param advice what to do when none is given and the vendor's is not there
 * @throws CallsealError ERR_INVALID_ARGUMENT
 */
export function configPath(given: string | undefined, advice: string): string {
  if (given !== undefined) return given;
  if (existsSync(DEFAULT_CONFIG_PATH)) return DEFAULT_CONFIG_PATH;
  throw new CallsealError('ERR_INVALID_ARGUMENT', `${advice} (${DEFAULT_CONFIG_PATH} does not exist)`);
}
