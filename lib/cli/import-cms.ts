/** `callseal import-cms`: CMS messages that plain OpenSSL has made, as call files. */

import type { Command } from 'commander';
import { importCms } from '../cms/import.ts';
import type { KeyRing } from '../recipients/keyring.ts';
import type { Recipients } from '../recipients/recipients.ts';
import type { Signer } from '../signing/signer.ts';
import { FileBatch, type FileDone } from './batch.ts';
import { expandInputs } from './files.ts';
import { noticeFipsOff } from './fips-notice.ts';
import { interruptSignal } from './interrupt.ts';
import { addKeyOptions, reportKeyNotes } from './key-options.ts';
import { Output, type OutputOptions } from './output.ts';
import {
  CMS_SUFFIX,
  checkOutputChoice,
  DEFAULT_SUFFIX,
  type Job,
  makeDirectoryFor,
  type OutputChoice,
  planJobs,
  resuffixed,
  suffixOption,
  writing,
} from './outputs.ts';
import { addRecipientOptions, collect, loadRecipients, type RecipientChoice } from './recipient-options.ts';
import { addSignOptions, type SignChoice, type SignerOpener } from './sign-options.ts';
import { refuseStdin } from './stdio.ts';
import { formatBytes } from './text.ts';

interface ImportOptions extends RecipientChoice, OutputChoice, OutputOptions, SignChoice {
  key: string[];
  recursive?: boolean;
  cert?: string[];
}

const HELP = `
FILE${CMS_SUFFIX} becomes FILE${DEFAULT_SUFFIX} beside it, encrypted for the certificates of -r or client_property.conf. Nothing is written
unless the whole message is authentic. The partner makes it so (the two -keyopt behind each -recip):
  openssl cms -encrypt -binary -stream -aes-256-gcm -in FILE -outform DER -out FILE${CMS_SUFFIX} \\
    -recip my_cert.crt -keyopt rsa_padding_mode:oaep -keyopt rsa_oaep_md:sha256
Without --cert, certificates inside and beside the key files say which recipient a key belongs to; then each key is tried.

Examples:
  callseal import-cms -k my_private.key -r my_cert.crt call.callsre${CMS_SUFFIX}
  callseal import-cms -k my_private.key --cert my_cert.crt -r mary.crt -r fred.crt call.callsre${CMS_SUFFIX}
  callseal import-cms -k my_private.key -r my_cert.crt --output-dir inbox *${CMS_SUFFIX}`;

export function define(command: Command): void {
  const openKeys = addKeyOptions(command.argument('<file...>', 'CMS messages, DER or PEM'));
  addRecipientOptions(command);
  const openSigner = addSignOptions(command);
  command
    .option('--cert <file>', 'certificate of a key: open the message for it and nobody else (repeatable)', collect)
    .option('-o, --output <file>', 'write to this file')
    .option('--output-dir <dir>', 'write below this directory')
    .option('--suffix <suffix>', `what ${CMS_SUFFIX} becomes in names`, suffixOption, DEFAULT_SUFFIX)
    .option('-R, --recursive', 'take the messages of directories')
    .option('-f, --force', 'replace outputs that exist')
    .option('--no-sync', 'do not wait until each file is on the disk')
    .option('-q, --quiet', 'only errors')
    .option('-v, --verbose', 'a line for each file')
    .addHelpText('after', HELP)
    .action((paths: string[], options: ImportOptions) => importCommand(paths, options, openKeys, openSigner));
}

async function importCommand(
  paths: string[],
  options: ImportOptions,
  openKeys: ReturnType<typeof addKeyOptions>,
  openSigner: SignerOpener,
): Promise<void> {
  const output = new Output('import-cms', options);
  refuseStdin(paths);
  checkOutputChoice(options, paths.length);
  const signal = interruptSignal();
  const { files, passedOver, several } = await expandInputs(paths, {
    recursive: options.recursive,
    signal,
    take: (name) => name.endsWith(CMS_SUFFIX),
  });
  const jobs = await planJobs(files, options, resuffixed(CMS_SUFFIX), async () => false);
  const recipients = await loadRecipients(options, output);
  const signer = await openSigner(options, output);
  const keys = openKeys(options.key, output);
  noticeFipsOff(output);
  const batch = new FileBatch<FileDone>(output, { done: 'imported' });
  process.exitCode = await batch.run(jobs, { signal, several, passedOver }, (job, onProgress) =>
    importOne(job, { options, keys, recipients, signer, signal, onProgress }),
  );
  reportKeyNotes(keys, output);
}

interface ImportTask {
  options: ImportOptions;
  keys: KeyRing;
  recipients: Recipients;
  signer: Signer | undefined;
  signal: AbortSignal;
  onProgress: (bytes: number, total: number) => void;
}

async function importOne(job: Job, task: ImportTask): Promise<FileDone> {
  const { options, keys, recipients, signer, signal, onProgress } = task;
  await makeDirectoryFor(job.output, options);
  const choice = { keys, certificates: options.cert, recipients, signer, ...writing(options), signal, onProgress };
  const { inputBytes, outputBytes } = await importCms(job.path, job.output, choice);
  return { bytes: inputBytes, line: `imported to ${job.output}, ${formatBytes(outputBytes)}` };
}
