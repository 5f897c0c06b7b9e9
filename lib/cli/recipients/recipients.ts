/** `callseal recipients …`: who can open files that are encrypted already. */

import type { Command } from 'commander';
import type { RecipientChange } from '../../callfile/recipients-change.ts';
import { CallsealError } from '../../errors.ts';
import { addKeyOptions } from '../key-options.ts';
import type { Output } from '../output.ts';
import { addQueueOptions } from '../queue-options.ts';
import {
  addPolicyOptions,
  addRecipientOptions,
  collect,
  loadRecipients,
  type RecipientChoice,
} from '../recipient-options.ts';
import { type ChangeOptions, changeFiles } from './change.ts';
import { type ListOptions, listCommand } from './list.ts';
import { addMatchOption, keysOf, MATCH_HELP, matchesOf } from './match-options.ts';

const CHANGE_HELP = `
The body of a file is not touched: one private-key operation a file, whatever its size. A file that has what it should have
is left alone, so a command that was ended, also by SIGKILL, is continued by typing it again. What is not complete yet is refused.`;

const REMOVAL_HELP = `
Whoever is removed may have kept what they could read, and the key of each file: where that matters, callseal rekey.`;

export function define(command: Command): void {
  defineList(command.command('list').description('show who can open files; needs no key'));
  defineAdd(command.command('add').description('let more keys open files'));
  defineRemove(command.command('remove').description('take recipients out of files'));
  defineReplace(command.command('replace').description('put new recipients where old ones are'));
}

function defineList(command: Command): void {
  addMatchOption(command.argument('<file...>', 'encrypted files'), 'only files with such a recipient');
  command
    .option('--json', 'a line of JSON for each file on standard output')
    .option('-R, --recursive', 'take the encrypted files of directories')
    .option('-q, --quiet', 'only errors and the result')
    .addHelpText(
      'after',
      `${MATCH_HELP}\n${examples('list call.callsre.sealed', 'list -R -m subject=CN=Fred /var/calls')}`,
    )
    .action((paths: string[], options: ListOptions) => listCommand(paths, options));
}

interface AddOptions extends ChangeOptions, RecipientChoice {
  match?: string[];
}

function defineAdd(command: Command): void {
  const openKeys = addChangeOptions(command);
  addRecipientOptions(command);
  addMatchOption(command, 'only to files with such a recipient');
  command
    .addHelpText('after', CHANGE_HELP + MATCH_HELP)
    .addHelpText(
      'after',
      examples('add -k mary.key -r fred.crt -R /var/calls', 'add -k mary.key -c new.conf -R /var/calls'),
    )
    .action((paths: string[], options: AddOptions) =>
      changeFiles('add', paths, options, openKeys, async (output) => ({
        add: await loadRecipients(options, output),
        ...(options.match !== undefined && { where: matchesOf(options.match) }),
      })),
    );
}

interface RemoveOptions extends ChangeOptions {
  match?: string[];
  cert?: string[];
}

function defineRemove(command: Command): void {
  const openKeys = addChangeOptions(command);
  addMatchOption(command, 'who is removed');
  command
    .option('--cert <file>', 'who is removed: those with the keys of this certificate file (repeatable)', collect)
    .addHelpText('after', CHANGE_HELP + REMOVAL_HELP + MATCH_HELP)
    .addHelpText(
      'after',
      examples('remove -k mary.key --cert fred.crt -R /var/calls', 'remove -k mary.key -m expired -R /var/calls'),
    )
    .action((paths: string[], options: RemoveOptions) =>
      changeFiles('remove', paths, options, openKeys, async () => {
        const remove = [...matchesOf(options.match), ...(await keysOf(options.cert))];
        if (remove.length === 0) throw usage('give the recipients to remove: --cert FILE or --match MATCH');
        return { remove };
      }),
    );
}

interface ReplaceOptions extends ChangeOptions, Omit<RecipientChoice, 'recipient' | 'config'> {
  match?: string[];
  old?: string[];
  new?: string[];
}

function defineReplace(command: Command): void {
  const openKeys = addChangeOptions(command);
  addMatchOption(command, 'who is replaced');
  command
    .option('--old <cert>', 'who is replaced: those with the keys of this certificate file (repeatable)', collect)
    .option('--new <cert>', 'certificate or public key that takes their place (repeatable)', collect);
  addPolicyOptions(command);
  command
    .addHelpText('after', '\nFiles without an old recipient are left alone. Old and new are changed in one write.')
    .addHelpText('after', CHANGE_HELP + REMOVAL_HELP + MATCH_HELP)
    .addHelpText('after', examples('replace -k fred.key --old fred-2025.crt --new fred-2026.crt -R /var/calls'))
    .action((paths: string[], options: ReplaceOptions) =>
      changeFiles('replace', paths, options, openKeys, (output) => replacement(options, output)),
    );
}

async function replacement(options: ReplaceOptions, output: Output): Promise<RecipientChange> {
  const old = [...matchesOf(options.match), ...(await keysOf(options.old))];
  if (old.length === 0) throw usage('give the recipients to replace: --old CERT or --match MATCH');
  if (options.new === undefined) throw usage('give the certificates that take their place: --new CERT');
  return { replace: { old, new: await loadRecipients({ ...options, recipient: options.new }, output) } };
}

function addChangeOptions(command: Command): ReturnType<typeof addKeyOptions> {
  const openKeys = addKeyOptions(command.argument('<file...>', 'encrypted files'), false);
  command
    .option('-R, --recursive', 'take the encrypted files of directories')
    .option('-n, --dry-run', 'do everything but write')
    .option('--verify', 'open the header also of files that are left alone, instead of believing it')
    .option('--json', 'a line of JSON for each file on standard output')
    .option('-q, --quiet', 'only errors')
    .option('-v, --verbose', 'a line for each file');
  addQueueOptions(command);
  return openKeys;
}

function examples(...lines: string[]): string {
  return `\nExamples:\n${lines.map((line) => `  callseal recipients ${line}`).join('\n')}`;
}

function usage(message: string): CallsealError {
  return new CallsealError('ERR_INVALID_ARGUMENT', message);
}
