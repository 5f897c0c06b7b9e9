/** `callseal tail`: what is authentic of a file that may still be written. */

import { stat } from 'node:fs/promises';
import type { Command } from 'commander';
import { followCallFile } from '../callfile/follow.ts';
import { describeLoss } from '../callfile/recovery.ts';
import { CallsealError, errnoOf } from '../errors.ts';
import { EXIT_RECOVERED } from './exit-codes.ts';
import { noticeFipsOff } from './fips-notice.ts';
import { interruptSignal } from './interrupt.ts';
import { addKeyOptions, reportKeyNotes } from './key-options.ts';
import { Output, type OutputOptions } from './output.ts';
import { DEFAULT_SUFFIX } from './outputs.ts';
import { signatureText } from './recovered.ts';
import { addRequireSignerOption, loadRequiredSigners, type RequireSignerChoice } from './sign-options.ts';
import { keepOffTerminal, refuseStdin, STDIO, toStdout } from './stdio.ts';

interface TailOptions extends OutputOptions, RequireSignerChoice {
  key: string[];
  follow?: boolean;
  bytes?: string;
  output?: string;
}

const HELP = `
Writes to standard output what is there of FILE and authentic, and ends: with 0 when the file is complete, with 22
when it is not. With -f it goes on as the file grows, and ends when the last segment has come; it waits for a file
that is not there yet.

The signature of a signed file is verified when its end comes; with -n, which passes over segments, only its beginning.

Examples:
  callseal tail -k my_private.key -f call.callsre${DEFAULT_SUFFIX} | player
  callseal tail -k my_private.key -n 64000 call.callsre${DEFAULT_SUFFIX} > last-seconds`;

export function define(command: Command): void {
  const openKeys = addKeyOptions(command.argument('<file>', 'encrypted file, which may still be written'));
  addRequireSignerOption(command);
  command
    .option('-f, --follow', 'go on until the last segment has come')
    .option('-n, --bytes <n>', 'begin n bytes before what is now the end')
    .option('-o, --output <file>', 'only -: write to standard output also when that is a terminal')
    .option('-q, --quiet', 'only errors')
    .addHelpText('after', HELP)
    .action((path: string, options: TailOptions) => tailCommand(path, options, openKeys));
}

async function tailCommand(
  path: string,
  options: TailOptions,
  openKeys: ReturnType<typeof addKeyOptions>,
): Promise<void> {
  const output = new Output('tail', options);
  refuseStdin([path]);
  if (options.output !== undefined && options.output !== STDIO) {
    throw new CallsealError('ERR_INVALID_ARGUMENT', 'tail writes to standard output only; give > FILE for a file');
  }
  keepOffTerminal(options.output);
  const bytes = options.bytes === undefined ? undefined : byteCount(options.bytes);
  const signal = interruptSignal();
  const requireSigner = await loadRequiredSigners(options);
  const keys = openKeys(options.key, output);
  noticeFipsOff(output);
  if (options.follow && (await isMissing(path))) output.notice(`${path}: waiting for it, as it is not there yet`);
  const file = followCallFile(path, { keys, requireSigner, follow: options.follow, bytes, signal });
  try {
    await toStdout(file, signal);
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  }
  reportKeyNotes(keys, output);
  if (file.loss === null) return;
  output.warn(`${path}: incomplete: ${describeLoss(file.loss)}${signatureText(file.signer)}`);
  process.exitCode = EXIT_RECOVERED;
}

function byteCount(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new CallsealError('ERR_INVALID_ARGUMENT', `--bytes takes a number of bytes, not ${text}`);
}

async function isMissing(path: string): Promise<boolean> {
  try {
    await stat(path);
    return false;
  } catch (error) {
    return errnoOf(error) === 'ENOENT';
  }
}
