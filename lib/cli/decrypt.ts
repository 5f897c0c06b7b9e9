/** `callseal decrypt`: encrypted files back into what they were. */

import type { Command } from 'commander';
import { throwIfAborted } from '../abort.ts';
import { decryptFile } from '../callfile/decrypt.ts';
import { createDecryptStream } from '../callfile/decrypt-stream.ts';
import type { KeyRing } from '../recipients/keyring.ts';
import type { SignerCertificates } from '../signing/signer-certificates.ts';
import { FileBatch, type FileDone } from './batch.ts';
import { beginsAsCallFile } from './call-file.ts';
import { decryptRange } from './decrypt-range.ts';
import { EXIT_RECOVERED } from './exit-codes.ts';
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
  suffixOption,
  writing,
} from './outputs.ts';
import { recoveredText, refuseDamage } from './recovered.ts';
import { addRequireSignerOption, loadRequiredSigners, type RequireSignerChoice } from './sign-options.ts';
import { checkStdio, STDIO, streamThrough } from './stdio.ts';
import { formatBytes } from './text.ts';

interface DecryptCommandOptions extends OutputChoice, OutputOptions, RequireSignerChoice {
  key: string[];
  recursive?: boolean;
  range?: string;
  recover?: boolean;
}

const HELP = `
Without an output option FILE${DEFAULT_SUFFIX} becomes FILE beside it. A passphrase is asked for when a key needs one.
With --recursive, files whose names do not end in the suffix (encrypted in place) are taken only with --output-dir.
Nothing is written unless the whole file is authentic; with -o - each part is, and a cut-off file ends in an error.
With --recover a file whose end is missing gives all that is authentic, and 22 as exit code; a damaged one gives what
is before the damage, and 7.

Examples:
  callseal decrypt -k my_private.key call.callsre${DEFAULT_SUFFIX}
  callseal decrypt -k my_private.key --require-signer ivr-host.crt call.callsre${DEFAULT_SUFFIX}
  callseal decrypt -k mary.key -k fred.key --recursive sealed --output-dir calls
  callseal decrypt -k fred.key --passphrase-file /run/secrets/fred call.callsre${DEFAULT_SUFFIX}
  callseal decrypt -k my_private.key -o - calls.tar${DEFAULT_SUFFIX} | tar x
  callseal decrypt -k my_private.key --recover call.callsre${DEFAULT_SUFFIX}
  callseal decrypt -k my_private.key --range 960000-1919999 -o minute.raw call.callsre${DEFAULT_SUFFIX}

--range START-END counts bytes from 0, both ends included; START- goes to the end, -LAST are the last so many. Only what is
asked for is decrypted, and the end of the file, which proves how long it is.`;

export function define(command: Command): void {
  const openKeys = addKeyOptions(command.argument('<file...>', 'encrypted files, or - for standard input'));
  addRequireSignerOption(command);
  command
    .option('-o, --output <file>', 'write to this file, or - for standard output')
    .option('--output-dir <dir>', 'write below this directory')
    .option('--suffix <suffix>', 'taken off the names of encrypted files', suffixOption, DEFAULT_SUFFIX)
    .option('-R, --recursive', 'take the encrypted files of directories')
    .option('--range <range>', 'only these bytes of one file: START-END, START- or -LAST; with -o')
    .option('--recover', 'take what is authentic of files that are cut or damaged')
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
  const { range } = options;
  if (range !== undefined) return decryptRange(paths, { ...options, range }, openKeys, options.key, output);
  const streaming = checkStdio(paths, options.output, options.outputDir !== undefined);
  const signal = interruptSignal();
  const requireSigner = await loadRequiredSigners(options);
  if (streaming) {
    const keys = openKeys(options.key, output);
    noticeFipsOff(output);
    process.exitCode = await decryptStream(paths[0]!, { options, keys, requireSigner, signal }, output);
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
    decryptOne(job, { options, keys, requireSigner, signal }, onProgress),
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
    throwIfAborted(signal);
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
}

/** @returns the exit code */
async function decryptStream(path: string, { options, ...how }: DecryptTask, output: Output): Promise<number> {
  const { signal } = how;
  const transform = createDecryptStream({ ...how, recover: options.recover });
  const to = options.output ?? STDIO;
  await streamThrough(path, to, transform, { ...writing(options), signal });
  const name = path === STDIO ? 'standard input' : path;
  const done = `decrypted to ${to === STDIO ? 'standard output' : to}`;
  refuseDamage(name, transform, done);
  if (transform.loss === null) return 0;
  output.warn(`${name}: ${recoveredText(transform.loss, transform.signer, done)}`);
  return EXIT_RECOVERED;
}

async function decryptOne(
  job: Job,
  { options, ...how }: DecryptTask,
  onProgress: (bytes: number, total: number) => void,
): Promise<FileDone> {
  await makeDirectoryFor(job.output, options);
  const { recover } = options;
  const result = await decryptFile(job.path, job.output, { ...how, recover, ...writing(options), onProgress });
  const line = `${formatBytes(result.outputBytes)} decrypted to ${job.output}`;
  refuseDamage(job.path, result, line);
  if (result.loss === null) return { bytes: result.inputBytes, line };
  return { bytes: result.inputBytes, line: recoveredText(result.loss, result.signer, line), incomplete: true };
}
