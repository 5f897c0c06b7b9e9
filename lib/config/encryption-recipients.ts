/** From LOGGING_ENCRYPTION_KEY to a list of certificate paths that is complete, or an error that says why not. */

import { CallsealError } from '../errors.ts';
import { objectionToFile } from './item-files.ts';
import { type Objection, objectionTo } from './item-rules.ts';
import { type Item, splitItems } from './items.ts';
import { type ClientProperties, RECIPIENTS_SETTING, type Setting } from './model.ts';
import { type ConfigProblem, formatPlace, ProblemLog, shownItem } from './problems.ts';
import { readClientProperties } from './read.ts';

/** A certificate (or bare public key) named in the configuration; nobody has opened it yet. */
export interface RecipientPath {
  /** Absolute, as written in the file. */
  readonly path: string;
  /** Counted from 1. */
  readonly line: number;
  /** Where the path begins, behind its quote if it has one; counted from 1 in UTF-16 units. */
  readonly column: number;
  /** `file:line`, for messages about the certificate. */
  readonly origin: string;
}

export interface RecipientOptions {
  /**
   * `throw` (the default): any error is thrown, so that a list which is returned is complete and not empty.
   * `report`: errors are among the problems and the list may be empty or lack items. For checking a configuration;
   * never encrypt to such a list without looking at the problems.
   */
  readonly onError?: 'throw' | 'report';
  /** Whether the files must be there. Default true; false checks a configuration meant for another host. */
  readonly checkFiles?: boolean;
}

/** What {@link encryptionRecipients} found. */
export interface EncryptionRecipients {
  /** In the order of the list, each path once. */
  readonly recipients: readonly RecipientPath[];
  /** Those of the whole file, in its order; without errors unless `onError` is `report`. */
  readonly problems: readonly ConfigProblem[];
}

/**
 * The certificates every response file is encrypted for.
 *
 * @param source the path of a client_property.conf, or a parsed one.
 * @throws CallsealError `ERR_CONFIG`, with path and line, if no recipient is configured (the setting is absent, empty
 *   or `default`) or the list has an error; and what `readClientProperties` throws, whatever `onError` is.
 * @example
 * const { recipients, problems } = encryptionRecipients(DEFAULT_CONFIG_PATH);
 * for (const problem of problems) console.error(formatProblem(DEFAULT_CONFIG_PATH, problem));
 * await Recipients.load(recipients);
 */
export function encryptionRecipients(
  source: string | ClientProperties,
  options: RecipientOptions = {},
): EncryptionRecipients {
  const { onError = 'throw', checkFiles = true } = options;
  const properties = typeof source === 'string' ? readClientProperties(source) : source;
  const log = new ProblemLog(properties.problems);
  const setting = properties.settings.findLast(({ name }) => name === RECIPIENTS_SETTING);
  const recipients = setting === undefined ? [] : collectPaths(setting, properties.path, checkFiles, log);
  if (recipients.length === 0) reportNobody(setting, log);
  const problems = log.list();
  if (onError === 'throw') throwErrors(properties.path, problems);
  return { recipients, problems };
}

/** The value that the vendor's software takes for "not set". */
const DEFAULT_VALUE = 'default';

function collectPaths(setting: Setting, configPath: string, checkFiles: boolean, log: ProblemLog): RecipientPath[] {
  if (setting.value === DEFAULT_VALUE) return [];
  const taken = new Map<string, RecipientPath>();
  for (const item of splitItems(setting, log)) {
    const objection = objectionTo(item, configPath) ?? (checkFiles ? objectionToFile(item.text) : undefined);
    const first = taken.get(samePath(item.text));
    if (objection !== undefined) report(log, item, 'error', objection);
    else if (first !== undefined) report(log, item, 'warning', duplicateOf(first, item));
    else taken.set(samePath(item.text), recipientOf(item, configPath));
  }
  return [...taken.values()];
}

function recipientOf({ text, line, column }: Item, configPath: string): RecipientPath {
  return { path: text, line, column, origin: formatPlace(configPath, line) };
}

function report(log: ProblemLog, item: Item, severity: 'error' | 'warning', { rule, message }: Objection): void {
  log.add({ severity, rule, line: item.line, column: item.column, setting: RECIPIENTS_SETTING, message });
}

/** Spellings of one path that no symbolic link can make differ. Links to one file are told by their keys, later. */
function samePath(path: string): string {
  return path.replace(/\/(?:\.?\/)+/g, '/');
}

function duplicateOf(first: RecipientPath, item: Item): Objection {
  const message =
    `${shownItem(item.text)} is listed already on line ${first.line}, column ${first.column}; ` +
    'remove one, or write the certificate that was meant';
  return { rule: 'duplicate', message };
}

const EXAMPLE = `${RECIPIENTS_SETTING} = /customer/cert/file.crt,/etc/lumenvox/www/certs/lumenvox.crt`;

/** Encrypting to nobody is never silent; where an item was refused, its own error says more. */
function reportNobody(setting: Setting | undefined, log: ProblemLog): void {
  if (log.hasErrors) return;
  let reason = `${RECIPIENTS_SETTING} names no certificate`;
  if (setting === undefined) reason = `${RECIPIENTS_SETTING} is not set`;
  else if (setting.value === DEFAULT_VALUE)
    reason = `${RECIPIENTS_SETTING} is "default", which stands for no encryption`;
  const message = `${reason}, so nothing can be encrypted; write absolute paths of certificates, such as ${EXAMPLE}`;
  const line = setting?.line ?? 0;
  log.add({ severity: 'error', rule: 'not-configured', line, setting: RECIPIENTS_SETTING, message });
}

function throwErrors(path: string, problems: readonly ConfigProblem[]): void {
  const [first, ...others] = problems.filter(({ severity }) => severity === 'error');
  if (first === undefined) return;
  const lines = [...new Set(others.map(({ line }) => line))].filter((line) => line !== 0);
  const more = lines.length === 0 ? '' : ` (more errors on line${lines.length === 1 ? '' : 's'} ${lines.join(', ')})`;
  throw new CallsealError('ERR_CONFIG', `${formatPlace(path, first.line)}: ${first.message}${more}`, {
    path,
    ...(first.line === 0 ? {} : { line: first.line }),
  });
}
