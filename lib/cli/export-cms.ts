/** `callseal export-cms`: call files as CMS messages, for partners with plain OpenSSL. */

import type { Command } from 'commander';
import { exportCms } from '../cms/export.ts';
import { CallsealError } from '../errors.ts';
import type { KeyRing } from '../recipients/keyring.ts';
import type { Recipients } from '../recipients/recipients.ts';
import type { SignerCertificates } from '../signing/signer-certificates.ts';
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
import { addRecipientOptions, loadRecipients, type RecipientChoice } from './recipient-options.ts';
import { addRequireSignerOption, loadRequiredSigners, type RequireSignerChoice } from './sign-options.ts';
import { refuseStdin } from './stdio.ts';
import { formatBytes } from './text.ts';

interface ExportOptions extends RecipientChoice, OutputChoice, OutputOptions, RequireSignerChoice {
  key: string[];
  recursive?: boolean;
  pem?: boolean;
}

/** `openssl cms` cannot read a longer message: it holds it in memory, with lengths of 31 bits. */
const MOST_FOR_OPENSSL = 2 ** 31 - 1;

const HELP = `
FILE${DEFAULT_SUFFIX} becomes FILE${CMS_SUFFIX} beside it. The partner opens it with openssl alone:
  openssl cms -decrypt -binary -inform DER -in FILE${CMS_SUFFIX} -recip partner.crt -inkey partner.key -out FILE
and uses FILE only if that ends with 0: openssl writes before it has checked.

Examples:
  callseal export-cms -k my_private.key -r partner.crt call.callsre${DEFAULT_SUFFIX}
  callseal export-cms -k my_private.key -r partner.crt --pem -o call.pem call.callsre${DEFAULT_SUFFIX}
  callseal export-cms -k my_private.key -r partner.crt --output-dir outbox *${DEFAULT_SUFFIX}`;

export function define(command: Command): void {
  const openKeys = addKeyOptions(command.argument('<file...>', 'encrypted files'));
  addRecipientOptions(command);
  addRequireSignerOption(command);
  command
    .option('--pem', 'PEM text instead of DER')
    .option('-o, --output <file>', 'write to this file')
    .option('--output-dir <dir>', 'write below this directory')
    .option('--suffix <suffix>', `what ${DEFAULT_SUFFIX} becomes in names`, suffixOption, CMS_SUFFIX)
    .option('-R, --recursive', 'take the encrypted files of directories')
    .option('-f, --force', 'replace outputs that exist')
    .option('--no-sync', 'do not wait until each file is on the disk')
    .option('-q, --quiet', 'only errors')
    .option('-v, --verbose', 'a line for each file')
    .addHelpText('after', HELP)
    .action((paths: string[], options: ExportOptions) => exportCommand(paths, options, openKeys));
}

async function exportCommand(
  paths: string[],
  options: ExportOptions,
  openKeys: ReturnType<typeof addKeyOptions>,
): Promise<void> {
  const output = new Output('export-cms', options);
  refuseStdin(paths);
  checkOutputChoice(options, paths.length);
  if (options.recipient === undefined && options.config === undefined) {
    throw new CallsealError('ERR_INVALID_ARGUMENT', 'give the certificates to encrypt for: -r CERT or --config FILE');
  }
  const signal = interruptSignal();
  const { files, passedOver, several } = await expandInputs(paths, {
    recursive: options.recursive,
    signal,
    take: (name) => name.endsWith(DEFAULT_SUFFIX),
  });
  const jobs = await planJobs(files, options, resuffixed(DEFAULT_SUFFIX), async () => false);
  const recipients = await loadRecipients(options, output);
  const requireSigner = await loadRequiredSigners(options);
  const keys = openKeys(options.key, output);
  noticeFipsOff(output);
  const batch = new FileBatch<FileDone>(output, { done: 'exported' });
  process.exitCode = await batch.run(jobs, { signal, several, passedOver }, (job, onProgress) =>
    exportOne(job, { options, keys, requireSigner, recipients, signal, onProgress, output }),
  );
  reportKeyNotes(keys, output);
}

interface ExportTask {
  options: ExportOptions;
  keys: KeyRing;
  requireSigner: SignerCertificates | undefined;
  recipients: Recipients;
  signal: AbortSignal;
  onProgress: (bytes: number, total: number) => void;
  output: Output;
}

async function exportOne(job: Job, task: ExportTask): Promise<FileDone> {
  const { options, keys, requireSigner, recipients, signal, onProgress, output } = task;
  await makeDirectoryFor(job.output, options);
  const choice = {
    keys,
    requireSigner,
    recipients,
    pem: options.pem === true,
    ...writing(options),
    signal,
    onProgress,
  };
  const { inputBytes, outputBytes } = await exportCms(job.path, job.output, choice);
  if (outputBytes > MOST_FOR_OPENSSL) {
    output.warn(`${job.output}: has ${formatBytes(outputBytes)}, and openssl cms reads at most 2 GiB`);
  }
  return { bytes: inputBytes, line: `exported to ${job.output}, ${formatBytes(outputBytes)}` };
}
