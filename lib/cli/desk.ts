/** `callseal desk`: a page on this host on which encrypted files are opened, heard, read and saved. */

import { mkdir, stat } from 'node:fs/promises';
import type { Command } from 'commander';
import { Desk } from '../desk/desk.ts';
import { DeskServer } from '../desk/server.ts';
import { findLoosePermissions } from '../doctor/permissions.ts';
import { CallsealError } from '../errors.ts';
import type { KeyHierarchy } from '../keys/hierarchy.ts';
import { systemError } from '../recipients/regular-file.ts';
import { noticeFipsOff } from './fips-notice.ts';
import { interruptSignal } from './interrupt.ts';
import {
  addStateDirOption,
  addStoreOption,
  type HierarchyOptions,
  namedStore,
  withHierarchy,
} from './keys/hierarchy-options.ts';
import { addFolderOption, folderOf, openKey } from './keys/installation-options.ts';
import { Output, type OutputOptions } from './output.ts';
import { DEFAULT_SUFFIX, suffixOption } from './outputs.ts';
import { addPassphraseOptions, type PassphrasePlace, passphraseSources } from './passphrase-options.ts';
import { collect } from './recipient-options.ts';
import { count } from './text.ts';

interface DeskCommandOptions extends HierarchyOptions, OutputOptions {
  key?: string[];
  outputDir?: string;
  suffix: string;
  port: number;
  idleMinutes: number;
}

/** Passphrases of the keys that open files, and of the installation key. */
interface Passphrases {
  keys: readonly PassphrasePlace[];
  installation: readonly PassphrasePlace[];
}

const OTHERS_WRITE = 0o002;

const HELP = `
Prints the address of a page that works once, in one browser on this host: open it there. Files can be dropped on the page, too;
private keys can be given there, and are forgotten when the page is closed. Nothing that is decrypted is written anywhere,
unless it is saved. Ctrl-C ends the desk.

With --store the page has another one for an administrator: the key hierarchy.

From another computer: ssh -L 8321:127.0.0.1:8321 HOST, and there callseal desk --port 8321.

Examples:
  callseal desk
  callseal desk /var/lumenvox/responses
  callseal desk -k my_private.key --output-dir opened responses
  callseal desk --store sqlite:/var/lib/callseal/keys.db`;

export function define(command: Command): void {
  command
    .argument('[path...]', 'directories and files to show')
    .option('-k, --key <file>', 'private key to offer on the page (repeatable)', collect)
    .option('--output-dir <dir>', 'where the page saves many files at once')
    .option('--suffix <suffix>', 'taken off the names of encrypted files', suffixOption, DEFAULT_SUFFIX)
    .option('--port <n>', 'port on 127.0.0.1 (default: any, at an address of its own)', whole('--port', 0, 65_535), 0)
    .option('--idle-minutes <n>', 'end after so long without a request', whole('--idle-minutes', 1, 1440), 30)
    .option('-q, --quiet', 'only the address, and errors');
  const keys = addPassphraseOptions(command);
  addStateDirOption(addFolderOption(addStoreOption(command)));
  const installation = addPassphraseOptions(command, {
    prefix: 'installation-',
    of: 'of the installation key, or PIN of its token',
  });
  command
    .addHelpText('after', HELP)
    .action((paths: string[], options: DeskCommandOptions) => deskCommand(paths, options, { keys, installation }));
}

async function deskCommand(paths: string[], options: DeskCommandOptions, passphrases: Passphrases): Promise<void> {
  const output = new Output('desk', options);
  if (namedStore(options) === undefined) {
    noticeFipsOff(output);
    return serve(paths, options, passphrases.keys, null, output);
  }
  const open = async (chosen: HierarchyOptions) =>
    openKey({ folder: await folderOf(chosen) }, passphrases.installation, output);
  await withHierarchy(open, options, output, (hierarchy) => serve(paths, options, passphrases.keys, hierarchy, output));
}

/** Until Ctrl-C, the page's button, or a time without anybody there. */
async function serve(
  paths: readonly string[],
  { key = [], outputDir, suffix, port, idleMinutes }: DeskCommandOptions,
  places: readonly PassphrasePlace[],
  hierarchy: KeyHierarchy | null,
  output: Output,
): Promise<void> {
  const signal = interruptSignal();
  if (outputDir !== undefined) await prepareOutputDirectory(outputDir, output);
  const passphrases = places.length === 0 ? [] : passphraseSources(places, output);
  const desk = await Desk.open({
    ...{ paths, keys: key, passphrases, suffix, hierarchy, idleMinutes },
    outputDir: outputDir ?? null,
  });
  try {
    const server = await DeskServer.listen(desk, port, (error) => output.fail(error));
    try {
      output.print(server.address);
      output.notice('open this address in a browser on this host; it works once. Ctrl-C ends the desk');
      void desk.shelf.scan().catch((error: unknown) => output.fail(error));
      const why = await Promise.race([desk.ended, aborted(signal)]);
      if (why === 'idle') output.notice(`nobody was there for ${count(idleMinutes, 'minute')}; the desk ends`);
    } finally {
      await server.close();
    }
  } finally {
    await desk.close();
  }
  output.notice('keys are forgotten, decrypted content is gone');
}

function aborted(signal: AbortSignal): Promise<'interrupted'> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve('interrupted');
    signal.addEventListener('abort', () => resolve('interrupted'), { once: true });
  });
}

/**
 * Makes it where there is none. Whoever may write there could put a link in the way of a folder that is saved.
 *
 * @throws {CallsealError} `ERR_IO`; `ERR_INVALID_ARGUMENT` when every user may write there
 */
async function prepareOutputDirectory(path: string, output: Output): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 }).catch((error: unknown) => {
    throw systemError(error, 'cannot make the directory', path);
  });
  // Sticky or not: the folders in it are made by those who come first.
  if (((await stat(path)).mode & OTHERS_WRITE) !== 0) {
    const how = `name a directory in it that is yours alone, or chmod o-w ${path}`;
    throw new CallsealError('ERR_INVALID_ARGUMENT', `--output-dir: every user may write ${path}; ${how}`);
  }
  for (const { who, fact, command } of await findLoosePermissions(path)) {
    if (who === 'everyone') throw new CallsealError('ERR_INVALID_ARGUMENT', `--output-dir: ${fact}; ${command}`);
    output.warn(`--output-dir: ${fact}; ${command}`);
  }
}

function whole(option: string, least: number, most: number): (text: string) => number {
  return (text) => {
    if (/^\d{1,6}$/.test(text) && Number(text) >= least && Number(text) <= most) return Number(text);
    throw new CallsealError('ERR_INVALID_ARGUMENT', `${option} takes a whole number from ${least} to ${most}`);
  };
}
