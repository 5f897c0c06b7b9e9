/** `callseal decrypt`: encrypted files back into what they were. */

import type { Command } from 'commander';
import { decryptFile } from '../callfile/decrypt.ts';
import { createDecryptStream } from '../callfile/decrypt-stream.ts';
import type { KeyRing } from '../recipients/keyring.ts';
import type { SignerCertificates } from '../signing/signer-certificates.ts';
import { FileBatch, type FileDone } from './batch.ts';
import { beginsAsCallFile } from './call-file.ts';
import { type Expansion, expandInputs, type InputFile } from './files.ts';
import { noticeFipsOff } from './fips-notice.ts';
import { interruptSignal } from './interrupt.ts';
import { addKeyOptions, reportKeyNotes } from './key-options.ts';
import { Output, type OutputOptions } from './output.ts';
import {
  checkOutputChoice,
  DEFAULT_SUFFIX,
  decryptedName,
  type Job,
  makeDirectoryFor,
  type OutputChoice,
  planJobs,
  writing,
} from './outputs.ts';
import { addRequireSignerOption, loadRequiredSigners, type RequireSignerChoice } from './sign-options.ts';
import { checkStdio, STDIO, streamThrough } from './stdio.ts';
import { formatBytes } from './text.ts';

interface DecryptCommandOptions extends OutputChoice, OutputOptions, RequireSignerChoice {
  key: string[];
  recursive?: boolean;
}

const HELP = `
Without an output option FILE${DEFAULT_SUFFIX} becomes FILE beside it. A passphrase is asked for when a key needs one.
With --recursive, files whose names do not end in the suffix (encrypted in place) are taken only with --output-dir.
Nothing is written unless the whole file is authentic; with -o - each part is, and a cut-off file ends in an error.

Examples:
  callseal decrypt -k my_private.key call.callsre${DEFAULT_SUFFIX}
  callseal decrypt -k my_private.key --require-signer ivr-host.crt call.callsre${DEFAULT_SUFFIX}
  callseal decrypt -k mary.key -k fred.key --recursive sealed --output-dir calls
  callseal decrypt -k fred.key --passphrase-file /run/secrets/fred call.callsre${DEFAULT_SUFFIX}
  callseal decrypt -k my_private.key -o - calls.tar${DEFAULT_SUFFIX} | tar x`;

export function define(command: Command): void {
  const openKeys = addKeyOptions(command.argument('<file...>', 'encrypted files, or - for standard input'));
  addRequireSignerOption(command);
  command
    .option('-o, --output <file>', 'write to this file, or - for standard output')
    .option('--output-dir <dir>', 'write below this directory')
    .option('--suffix <suffix>', 'taken off the names of encrypted files', DEFAULT_SUFFIX)
    .option('-R, --recursive', 'take the encrypted files of directories')
    .option('-f, --force', 'replace outputs that exist')
    .option('--no-sync', 'do not wait until each file is on the disk')
    .option('-q, --quiet', 'only errors')
    .option('-v, --verbose', 'a line for each file')
    .addHelpText('after', HELP)
    .action((paths: string[], options: DecryptCommandOptions) => decryptCommand(paths, options, openKeys));
}

async function decryptCommand(
  paths: string[],
  options: DecryptCommandOptions,
  openKeys: ReturnType<typeof addKeyOptions>,
): Promise<void> {
  const output = new Output('decrypt', options);
  checkOutputChoice(options, paths.length);
  const streaming = checkStdio(paths, options.output, options.outputDir !== undefined);
  const signal = interruptSignal();
  const requireSigner = await loadRequiredSigners(options);
  if (streaming) {
    const keys = openKeys(options.key, output);
    noticeFipsOff(output);
    const transform = createDecryptStream({ keys, requireSigner, signal });
    await streamThrough(paths[0]!, options.output ?? STDIO, transform, { ...writing(options), signal });
    reportKeyNotes(keys, output);
    return;
  }
  const { files, passedOver, several } = await encryptedFiles(paths, options, signal);
  if (files.length === 0 && passedOver > 0 && options.outputDir === undefined) {
    output.notice(`files whose names do not end in ${options.suffix} are decrypted only below --output-dir`);
  }
  checkOutputChoice(options, files.length);
  const jobs = await planJobs(files, options, decryptedName, async () => false);
  const keys = openKeys(options.key, output);
  noticeFipsOff(output);
  const batch = new FileBatch<FileDone>(output, { done: 'decrypted' });
  process.exitCode = await batch.run(jobs, { signal, several, passedOver }, (job, onProgress) =>
    decryptOne(job, { options, keys, requireSigner, signal, onProgress }),
  );
  reportKeyNotes(keys, output);
}

/** Of directories, what bears the suffix; below an output directory also what was encrypted in place. */
async function encryptedFiles(
  paths: string[],
  options: DecryptCommandOptions,
  signal: AbortSignal,
): Promise<Expansion> {
  const bearsSuffix = (name: string): boolean => name.endsWith(options.suffix);
  const { recursive } = options;
  if (options.outputDir === undefined) return expandInputs(paths, { recursive, signal, take: bearsSuffix });
  const found = await expandInputs(paths, { recursive, signal });
  const files: InputFile[] = [];
  for (const file of found.files) {
    signal.throwIfAborted();
    const taken = file.named || file.problem !== undefined || bearsSuffix(file.path);
    if (taken || (await beginsAsCallFile(file.path))) files.push(file);
  }
  return { files, passedOver: found.passedOver + found.files.length - files.length, several: found.several };
}

interface DecryptTask {
  options: DecryptCommandOptions;
  keys: KeyRing;
  requireSigner: SignerCertificates | undefined;
  signal: AbortSignal;
  onProgress: (bytes: number, total: number) => void;
}

async function decryptOne(job: Job, task: DecryptTask): Promise<FileDone> {
  const { options, ...how } = task;
  await makeDirectoryFor(job.output, options);
  const result = await decryptFile(job.path, job.output, { ...how, ...writing(options) });
  return { bytes: result.inputBytes, line: `${formatBytes(result.outputBytes)} decrypted to ${job.output}` };
}
