/** `callseal encrypt`: files for the holders of certificates. */

import type { Command } from 'commander';
import { encryptFile } from '../callfile/encrypt.ts';
import { createEncryptStream } from '../callfile/encrypt-stream.ts';
import { isCallFile } from '../callfile/is-call-file.ts';
import { CallsealError, hasCode } from '../errors.ts';
import type { Recipients } from '../recipients/recipients.ts';
import type { Signer } from '../signing/signer.ts';
import { FileBatch, type FileDone } from './batch.ts';
import { looksLikeKeyFile } from './call-file.ts';
import { expandInputs, type InputFile } from './files.ts';
import { noticeFipsOff } from './fips-notice.ts';
import { interruptSignal } from './interrupt.ts';
import { Output, type OutputOptions } from './output.ts';
import {
  checkOutputChoice,
  DEFAULT_SUFFIX,
  encryptedName,
  type Job,
  makeDirectoryFor,
  type OutputChoice,
  planJobs,
  suffixOption,
  writing,
} from './outputs.ts';
import { addRecipientOptions, loadRecipients, type RecipientChoice } from './recipient-options.ts';
import { addSignOptions, type SignChoice } from './sign-options.ts';
import { checkStdio, STDIO, streamThrough } from './stdio.ts';
import { count, formatBytes } from './text.ts';

interface EncryptCommandOptions extends RecipientChoice, SignChoice, OutputChoice, OutputOptions {
  recursive?: boolean;
}

const HELP = `
Without an output option FILE becomes FILE${DEFAULT_SUFFIX} beside it. Files encrypted already are left alone.

Examples:
  callseal encrypt call.callsre                       for the certificates of client_property.conf
  callseal encrypt -r mary.crt -r fred.crt call.callsre
  callseal encrypt --in-place --recursive /var/lumenvox/responses
  callseal encrypt -r mary.crt --recursive calls --output-dir sealed
  callseal encrypt --sign-key host.key --sign-cert host.crt call.callsre
  tar c calls | callseal encrypt -r mary.crt - > calls.tar${DEFAULT_SUFFIX}`;

export function define(command: Command): void {
  addRecipientOptions(command.argument('<file...>', 'files, or - for standard input'));
  const openSigner = addSignOptions(command);
  command
    .option('-o, --output <file>', 'write to this file, or - for standard output')
    .option('--output-dir <dir>', 'write below this directory')
    .option('--in-place', 'the encrypted file takes the place of the plain one')
    .option('--suffix <suffix>', 'appended to the names of encrypted files', suffixOption, DEFAULT_SUFFIX)
    .option('-R, --recursive', 'take the files of directories')
    .option('-f, --force', 'replace outputs that exist')
    .option('--no-sync', 'do not wait until each file is on the disk')
    .option('-q, --quiet', 'only errors')
    .option('-v, --verbose', 'a line for each file')
    .addHelpText('after', HELP)
    .action((paths: string[], options: EncryptCommandOptions) => encryptCommand(paths, options, openSigner));
}

/** For whom files are encrypted, and who signs them. */
interface Parties {
  recipients: Recipients;
  signer: Signer | undefined;
}

type OpenSigner = ReturnType<typeof addSignOptions>;

async function encryptCommand(paths: string[], options: EncryptCommandOptions, openSigner: OpenSigner): Promise<void> {
  const output = new Output('encrypt', options);
  checkOutputChoice(options, paths.length);
  if (options.inPlace && !options.sync) {
    throw new CallsealError(
      'ERR_INVALID_ARGUMENT',
      '--in-place always syncs: without it a power cut could lose a file',
    );
  }
  const streaming = checkStdio(paths, options.output, options.inPlace === true || options.outputDir !== undefined);
  const signal = interruptSignal();
  if (streaming) {
    const parties = await prepare(options, output, openSigner);
    const transform = createEncryptStream({ ...parties, signal });
    await streamThrough(paths[0]!, options.output ?? STDIO, transform, { ...writing(options), signal });
    return;
  }
  const { files, passedOver, several } = await expandInputs(paths, { recursive: options.recursive, signal });
  checkOutputChoice(options, files.length);
  await refuseKeyFiles(files);
  const jobs = await planJobs(files, options, encryptedName, (path) =>
    // What cannot be examined is not known to be left alone.
    isCallFile(path, signal).catch(() => false),
  );
  const parties = await prepare(options, output, openSigner);
  const batch = new FileBatch<FileDone>(output, { done: encrypted(parties), skipped: 'encrypted already' });
  process.exitCode = await batch.run(jobs, { signal, several, passedOver }, (job, onProgress) =>
    encryptOne(job, { options, parties, signal, onProgress }),
  );
}

/** @throws CallsealError ERR_INVALID_ARGUMENT */
async function refuseKeyFiles(files: readonly InputFile[]): Promise<void> {
  for (const { path, named, problem } of files) {
    if (!named || problem !== undefined || !(await looksLikeKeyFile(path))) continue;
    throw new CallsealError(
      'ERR_INVALID_ARGUMENT',
      `${path}: is a certificate or key, not a recording; each certificate takes an option of its own: -r ${path}. ` +
        'To encrypt it all the same, give it as standard input, with - for its name',
      { path },
    );
  }
}

async function prepare(options: EncryptCommandOptions, output: Output, openSigner: OpenSigner): Promise<Parties> {
  const recipients = await loadRecipients(options, output);
  const signer = await openSigner(options, output);
  noticeFipsOff(output);
  return { recipients, signer };
}

function encrypted({ recipients, signer }: Parties): string {
  const done = signer === undefined ? 'encrypted' : 'signed and encrypted';
  return `${done} for ${count(recipients.list.length, 'recipient')}`;
}

interface EncryptTask {
  options: EncryptCommandOptions;
  parties: Parties;
  signal: AbortSignal;
  onProgress: (bytes: number, total: number) => void;
}

async function encryptOne(job: Job, task: EncryptTask): Promise<FileDone> {
  const { options, parties, signal, onProgress } = task;
  await makeDirectoryFor(job.output, options);
  const encrypt = async (allowNested: boolean): Promise<FileDone> => {
    const choice = { ...parties, ...writing(options), allowNested, signal, onProgress };
    const { inputBytes } = await encryptFile(job.path, job.output, choice);
    const where = options.inPlace ? 'in place' : `to ${job.output}`;
    return { bytes: inputBytes, line: `${formatBytes(inputBytes)} encrypted ${where}` };
  };
  try {
    return await encrypt(false);
  } catch (error) {
    if (!hasCode(error, 'ERR_ALREADY_ENCRYPTED')) throw error;
    // Refused for its first letters alone: a plaintext that happens to begin with them must not stay one.
    if (!(await isCallFile(job.path, signal))) return encrypt(true);
    if (options.output !== undefined) throw error;
    return { bytes: 0, line: 'encrypted already', skipped: true };
  }
}
