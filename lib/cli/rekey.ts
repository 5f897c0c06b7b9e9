/** `callseal rekey`: files under fresh content keys. */

import type { Command } from 'commander';
import { rekeyFile } from '../callfile/rekey.ts';
import { CallsealError } from '../errors.ts';
import type { InputFile } from './files.ts';
import { noticeFipsOff } from './fips-notice.ts';
import { interruptSignal } from './interrupt.ts';
import { addKeyOptions, type KeyOpener, reportKeyNotes } from './key-options.ts';
import { Output, type OutputOptions } from './output.ts';
import { addQueueOptions, type QueueChoice, queueFiles } from './queue-options.ts';
import { addRecipientOptions, loadRecipients, type RecipientChoice } from './recipient-options.ts';
import {
  addRequireSignerOption,
  addSignOptions,
  loadRequiredSigners,
  type RequireSignerChoice,
  type SignChoice,
  type SignerOpener,
} from './sign-options.ts';
import { refuseStdin } from './stdio.ts';
import { type FileChange, StreamBatch } from './stream-batch.ts';
import { formatBytes } from './text.ts';
import { FileWalk } from './walk.ts';

interface RekeyOptions extends RecipientChoice, OutputOptions, QueueChoice, SignChoice, RequireSignerChoice {
  key?: string[];
  output?: string;
  before?: string;
  recursive?: boolean;
  force?: boolean;
  json?: boolean;
  dropSignature?: boolean;
}

const HELP = `
Each file is decrypted and encrypted again in memory, for the recipients given and nobody else, and takes its own place when
all of it has proved authentic. It is needed when somebody may have the content keys of files who shall not open them: a private key was
lost or stolen, or a recipient was removed who may have kept what they could read. To change recipients otherwise, callseal
recipients is enough, and does not read the body. Copies of the old files still open with the old keys.

Files encrypted since the command began are left alone. After a run that was ended, give its beginning: --before TIME.

A signed file needs a signature of its own after that: --sign-key, with --require-signer for the writers whose files are signed anew.
--drop-signature gives the old one up.

Examples:
  callseal rekey -k mary.key -r mary.crt -r jane.crt -R /var/calls
  callseal rekey -k mary.key -r mary.crt --before 2026-11-22T08:00:00Z -R /var/calls`;

export function define(command: Command): void {
  const openKeys = addKeyOptions(command.argument('<file...>', 'encrypted files'), false);
  addRecipientOptions(command);
  const openSigner = addSignOptions(command);
  addRequireSignerOption(command);
  command
    .option('--drop-signature', 'let signed files become files without a signature')
    .option('-o, --output <file>', 'write to this file and leave the input as it is')
    .option('-f, --force', 'replace an output that exists')
    .option('--before <time>', 'leave alone what was encrypted since (ISO 8601; default: now)')
    .option('-R, --recursive', 'take the encrypted files of directories')
    .option('--json', 'a line of JSON for each file on standard output')
    .option('-q, --quiet', 'only errors')
    .option('-v, --verbose', 'a line for each file');
  addQueueOptions(command);
  command
    .addHelpText('after', HELP)
    .action((paths: string[], options: RekeyOptions) => rekeyCommand(paths, options, openKeys, openSigner));
}

async function rekeyCommand(
  paths: string[],
  options: RekeyOptions,
  openKeys: KeyOpener,
  openSigner: SignerOpener,
): Promise<void> {
  const output = new Output('rekey', options);
  refuseStdin(paths);
  const before = timeOf(options.before);
  const signal = interruptSignal();
  if (options.queue !== undefined) {
    if (options.output !== undefined) throw usage('-o and --queue cannot be used together');
    if (options.signKey !== undefined)
      throw usage('--sign-key and --queue cannot be used together: workers sign nothing');
    if (options.requireSigner !== undefined) throw usage('--require-signer and --queue cannot be used together');
    const dropSignature = options.dropSignature === true;
    await queueFiles(paths, options, output, async () => {
      return { kind: 'rekey', recipients: await loadRecipients(options, output), before, dropSignature };
    });
    return;
  }
  if (options.key === undefined) throw usage('give the private key of one of the recipients: -k KEY');
  const walk = await FileWalk.of(paths, { recursive: options.recursive, signal });
  if (options.output !== undefined && walk.several) throw usage('-o names one output, but there are several files');
  const recipients = await loadRecipients(options, output);
  const requireSigner = await loadRequiredSigners(options);
  const signer = await openSigner(options, output);
  const keys = openKeys(options.key, output);
  noticeFipsOff(output);
  const batch = new StreamBatch(output, {
    signal,
    json: options.json,
    done: 'rekeyed',
    unchanged: `encrypted since ${before.toISOString()}`,
  });
  const to = options.output ?? null;
  process.exitCode = await batch.run(walk, async (file: InputFile): Promise<FileChange> => {
    const { changed, inputBytes } = await rekeyFile(file.path, to, {
      keys,
      requireSigner,
      recipients,
      signer,
      dropSignature: options.dropSignature,
      before,
      signal,
      overwrite: options.force,
    });
    const line = changed ? `${formatBytes(inputBytes)} under a new key` : 'encrypted since; left alone';
    return { changed, line, facts: { changed } };
  });
  reportKeyNotes(keys, output);
}

/** @throws CallsealError ERR_INVALID_ARGUMENT */
function timeOf(text: string | undefined): Date {
  if (text === undefined) return new Date();
  const time = new Date(text);
  if (!/^\d{4}-\d\d-\d\d/.test(text) || Number.isNaN(time.getTime())) {
    throw usage('--before takes a time such as 2026-11-22T08:00:00Z');
  }
  return time;
}

function usage(message: string): CallsealError {
  return new CallsealError('ERR_INVALID_ARGUMENT', message);
}
