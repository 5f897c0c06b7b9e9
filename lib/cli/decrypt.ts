/** `callseal decrypt`: encrypted files back into what they were. */

import type { Command } from 'commander';
import { decryptFile } from '../callfile/decrypt.ts';
import { createDecryptStream } from '../callfile/decrypt-stream.ts';
import type { KeyRing } from '../recipients/keyring.ts';
import { FileBatch, type FileDone } from './batch.ts';
import { expandInputs } from './files.ts';
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
import { checkStdio, STDIO, streamThrough } from './stdio.ts';
import { formatBytes } from './text.ts';

interface DecryptCommandOptions extends OutputChoice, OutputOptions {
  key: string[];
  recursive?: boolean;
}

const HELP = `
Without an output option FILE${DEFAULT_SUFFIX} becomes FILE beside it. A passphrase is asked for when a key needs one.
Nothing is written unless the whole file is authentic; with -o - each part is, and a cut-off file ends in an error.

Examples:
  callseal decrypt -k my_private.key call.callsre${DEFAULT_SUFFIX}
  callseal decrypt -k mary.key -k fred.key --recursive sealed --output-dir calls
  callseal decrypt -k fred.key --passphrase-file /run/secrets/fred call.callsre${DEFAULT_SUFFIX}
  callseal decrypt -k my_private.key -o - calls.tar${DEFAULT_SUFFIX} | tar x`;

export function define(command: Command): void {
  const openKeys = addKeyOptions(command.argument('<file...>', 'encrypted files, or - for standard input'));
  command
    .option('-o, --output <file>', 'write to this file, or - for standard output')
    .option('--output-dir <dir>', 'write below this directory')
    .option('--suffix <suffix>', 'taken off the names of encrypted files', DEFAULT_SUFFIX)
    .option('-R, --recursive', 'take the files of directories whose names end in the suffix')
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
  if (streaming) {
    const keys = openKeys(options.key, output);
    noticeFipsOff(output);
    const transform = createDecryptStream({ keys, signal });
    await streamThrough(paths[0]!, options.output ?? STDIO, transform, { ...writing(options), signal });
    reportKeyNotes(keys, output);
    return;
  }
  const take = (name: string): boolean => name.endsWith(options.suffix);
  const { files, passedOver, several } = await expandInputs(paths, { recursive: options.recursive, signal, take });
  checkOutputChoice(options, files.length);
  const jobs = await planJobs(files, options, decryptedName);
  const keys = openKeys(options.key, output);
  noticeFipsOff(output);
  const batch = new FileBatch<FileDone>(output, { done: 'decrypted' });
  process.exitCode = await batch.run(jobs, { signal, several, passedOver }, (job, onProgress) =>
    decryptOne(job, { options, keys, signal, onProgress }),
  );
  reportKeyNotes(keys, output);
}

interface DecryptTask {
  options: DecryptCommandOptions;
  keys: KeyRing;
  signal: AbortSignal;
  onProgress: (bytes: number, total: number) => void;
}

async function decryptOne(job: Job, { options, keys, signal, onProgress }: DecryptTask): Promise<FileDone> {
  await makeDirectoryFor(job.output, options);
  const result = await decryptFile(job.path, job.output, { keys, ...writing(options), signal, onProgress });
  return { bytes: result.inputBytes, line: `${formatBytes(result.outputBytes)} decrypted to ${job.output}` };
}
