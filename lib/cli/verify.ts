/** `callseal verify`: everything that decrypt checks, and nothing written. */

import type { Command } from 'commander';
import { type VerifyResult, verify } from '../callfile/verify.ts';
import { FileBatch, type FileDone } from './batch.ts';
import { expandInputs } from './files.ts';
import { noticeFipsOff } from './fips-notice.ts';
import { isForeign } from './inspect.ts';
import { interruptSignal } from './interrupt.ts';
import { JsonDocument, jsonFile } from './json.ts';
import { addKeyOptions, reportKeyNotes } from './key-options.ts';
import { Output, type OutputOptions } from './output.ts';
import { DEFAULT_SUFFIX } from './outputs.ts';
import {
  addRequireSignerOption,
  describeSigner,
  loadRequiredSigners,
  type RequireSignerChoice,
} from './sign-options.ts';
import { refuseStdin } from './stdio.ts';
import { formatBytes } from './text.ts';

interface VerifyOptions extends OutputOptions, RequireSignerChoice {
  key: string[];
  json?: boolean;
  recursive?: boolean;
}

/** What is said of a file that is whole; null for one met in a directory that is none of ours. */
interface Verified extends FileDone {
  facts: VerifyResult | null;
}

const HELP = `
Ends with 0 only if every file is authentic and complete. Nothing is written.

Examples:
  callseal verify -k my_private.key call.callsre${DEFAULT_SUFFIX}
  callseal verify -k my_private.key --require-signer ivr-host.crt call.callsre${DEFAULT_SUFFIX}
  callseal verify -k my_private.key --json --recursive /var/lumenvox/responses`;

export function define(command: Command): void {
  const openKeys = addKeyOptions(command.argument('<file...>', 'encrypted files'));
  addRequireSignerOption(command);
  command
    .option('--json', 'one JSON document on standard output')
    .option('-R, --recursive', 'take the encrypted files of directories')
    .option('-q, --quiet', 'only errors')
    .option('-v, --verbose', 'a line for each file')
    .addHelpText('after', HELP)
    .action((paths: string[], options: VerifyOptions) => verifyCommand(paths, options, openKeys));
}

async function verifyCommand(
  paths: string[],
  options: VerifyOptions,
  openKeys: ReturnType<typeof addKeyOptions>,
): Promise<void> {
  const output = new Output('verify', options);
  refuseStdin(paths);
  const signal = interruptSignal();
  const { files, passedOver, several } = await expandInputs(paths, { recursive: options.recursive, signal });
  const requireSigner = await loadRequiredSigners(options);
  const keys = openKeys(options.key, output);
  noticeFipsOff(output);
  const document = options.json ? new JsonDocument() : null;
  let foreign = 0;
  const batch = new FileBatch<Verified>(output, { done: 'authentic and complete', skipped: 'not Callseal files' });
  process.exitCode = await batch.run(
    files,
    {
      signal,
      several,
      passedOver,
      observe: (file, result) => {
        if ('error' in result) document?.add(jsonFile(file.path, result.error));
        else if (result.value.facts === null) foreign += 1;
        else document?.add({ ...jsonFile(file.path, null), ...result.value.facts });
      },
    },
    async (file, onProgress) => {
      try {
        const facts = await verify(file.path, { keys, requireSigner, signal, onProgress });
        const parts = ['authentic and complete', `${formatBytes(facts.plaintextBytes)} decrypted`];
        if (facts.signer !== null) parts.push(describeSigner(facts.signer));
        const line = [...parts, `key id ${facts.keyId}`].join(', ');
        if (!several) output.notice(`${file.path}: ${line}`);
        return { bytes: facts.inputBytes, line, facts };
      } catch (error) {
        if (!isForeign(file, error)) throw error;
        return { bytes: 0, line: 'not a Callseal file', skipped: true, facts: null };
      }
    },
  );
  document?.end(passedOver + foreign);
  reportKeyNotes(keys, output);
}
