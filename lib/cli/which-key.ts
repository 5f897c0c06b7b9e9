/** `callseal which-key`: which of my keys opens which files, and which files none opens. */

import type { Command } from 'commander';
import { type WhichKeyResult, whichKey } from '../callfile/which-key.ts';
import { CallsealError } from '../errors.ts';
import type { KeyRing } from '../recipients/keyring.ts';
import { FileBatch, type FileDone } from './batch.ts';
import { expandInputs, type InputFile } from './files.ts';
import { noticeFipsOff } from './fips-notice.ts';
import { isForeign } from './inspect.ts';
import { interruptSignal } from './interrupt.ts';
import { JsonDocument, jsonFile } from './json.ts';
import { addKeyOptions, reportKeyNotes } from './key-options.ts';
import { exitCodeFor, Output, type OutputOptions } from './output.ts';
import { DEFAULT_SUFFIX } from './outputs.ts';
import { refuseStdin } from './stdio.ts';
import { count, formatBytes, safe } from './text.ts';

interface WhichKeyCommandOptions extends OutputOptions {
  key: string[];
  json?: boolean;
  quick?: boolean;
  recursive?: boolean;
}

/** What is known of one key once all files were looked at. */
interface KeyScore {
  path: string;
  ring: KeyRing;
  keyId: string | null;
  files: number;
  bytes: number;
  /** Why it could not be opened, when a file may need it. */
  problem: CallsealError | null;
}

interface Examined extends FileDone {
  /** Null for a file met in a directory that is none of ours. */
  found: WhichKeyResult | null;
}

const HELP = `
Proves each answer with the key: one RSA operation for each file and key that fits; bodies are not read. --quick only compares
key ids and takes the word of headers and of certificates beside keys.

Ends with 0 when every file opens with one of the keys, with 5 when there are files that none opens, with 6 or 14 when a key
that may fit could not be opened.

Examples:
  callseal which-key -k mary.key -k fred.key call.callsre${DEFAULT_SUFFIX}
  callseal which-key -k mary.key -k fred.key --recursive /var/lumenvox/responses
  callseal which-key -k old.key --quick --json -R /archive > who.json`;

export function define(command: Command): void {
  const openKeys = addKeyOptions(command.argument('<file...>', 'encrypted files'));
  command
    .option('--quick', 'compare key ids only; nothing is proved')
    .option('--json', 'one JSON document on standard output')
    .option('-R, --recursive', 'take the encrypted files of directories')
    .option('-q, --quiet', 'only errors and the result')
    .option('-v, --verbose', 'a line for each file')
    .addHelpText('after', HELP)
    .action((paths: string[], options: WhichKeyCommandOptions) => whichKeyCommand(paths, options, openKeys));
}

async function whichKeyCommand(
  paths: string[],
  options: WhichKeyCommandOptions,
  openKeys: ReturnType<typeof addKeyOptions>,
): Promise<void> {
  const output = new Output('which-key', options);
  refuseStdin(paths);
  const signal = interruptSignal();
  const { files, passedOver, several } = await expandInputs(paths, { recursive: options.recursive, signal });
  const keys = options.key.map((path) => newScore(path, openKeys([path], output)));
  noticeFipsOff(output);
  const report = new Report(keys, output, options.json === true, several);
  const rings = keys.map(({ ring }) => ring);
  const batch = new FileBatch<Examined>(output, { done: 'looked at', skipped: 'not Callseal files' });
  const observe: Parameters<typeof batch.run<InputFile>>[1]['observe'] = (file, result) =>
    'error' in result ? report.failed(file, result.error) : report.examined(file, result.value.found);
  const exitCode = await batch.run(files, { signal, several, passedOver, observe }, async (file) => {
    try {
      const found = await whichKey(file.path, { keys: rings, quick: options.quick, signal });
      report.noteClosed(found);
      const [closed] = found.closed;
      if (found.opens.length === 0 && closed !== undefined) throw closed.error;
      return { bytes: found.fileBytes, line: report.line(found), found };
    } catch (error) {
      if (!isForeign(file, error)) throw error;
      return { bytes: 0, line: 'not a Callseal file', skipped: true, found: null };
    }
  });
  report.end(passedOver, signal.aborted);
  for (const { ring } of keys) {
    for (const note of ring.untried) output.notice(note);
    reportKeyNotes(ring, output);
  }
  process.exitCode = signal.aborted ? exitCode : report.exitCode(exitCode);
}

function newScore(path: string, ring: KeyRing): KeyScore {
  return { path, ring, keyId: null, files: 0, bytes: 0, problem: null };
}

/** Standard output: files that no key opens as they are met, then each key. */
class Report {
  readonly #keys: readonly KeyScore[];
  readonly #output: Output;
  readonly #document: JsonDocument | null;
  readonly #several: boolean;
  #none = 0;
  #noneBytes = 0;
  #foreign = 0;

  constructor(keys: readonly KeyScore[], output: Output, json: boolean, several: boolean) {
    this.#keys = keys;
    this.#output = output;
    this.#document = json ? new JsonDocument() : null;
    this.#several = several;
  }

  /** `opens with mary.key and fred.key (key ids compared, not proved)`. */
  line({ opens, proved, recipients }: WhichKeyResult): string {
    if (opens.length === 0) return `none of these keys; ${encryptedFor(recipients)}`;
    const names = opens.map(({ ring }) => this.#keys[ring]!.path).join(' and ');
    return `opens with ${names}${proved ? '' : ' (key ids compared, not proved)'}`;
  }

  noteClosed({ closed }: WhichKeyResult): void {
    for (const { ring, error } of closed) this.#keys[ring]!.problem ??= error;
  }

  failed(file: InputFile, error: unknown): void {
    this.#document?.add(jsonFile(file.path, error));
  }

  examined(file: InputFile, found: WhichKeyResult | null): void {
    if (found === null) {
      this.#foreign += 1;
      return;
    }
    for (const { ring, keyId } of found.opens) {
      const key = this.#keys[ring]!;
      key.keyId = keyId;
      key.files += 1;
      key.bytes += found.fileBytes;
    }
    const none = found.opens.length === 0;
    if (none) {
      this.#none += 1;
      this.#noneBytes += found.fileBytes;
    }
    if (this.#document !== null) this.#document.add(this.#element(file, found));
    else if (none || !this.#several) this.#output.print(`${safe(file.path)}: ${safe(this.line(found))}`);
  }

  #element(file: InputFile, found: WhichKeyResult) {
    const { fileBytes, proved, opens, recipients } = found;
    const error = opens.length > 0 ? null : new CallsealError('ERR_NO_MATCHING_KEY', this.line(found));
    return {
      ...jsonFile(file.path, error),
      fileBytes,
      proved,
      keys: opens.map(({ ring }) => this.#keys[ring]!.path),
      encryptedFor: recipients.map(({ keyId, certificate }) => ({ keyId, subject: certificate?.subject ?? null })),
    };
  }

  /** @param cutShort not all files were looked at: sums would mislead, but a document is ended all the same */
  end(passedOver: number, cutShort: boolean): void {
    if (this.#document !== null) {
      const keys = this.#keys.map(({ path, keyId, files, bytes, problem }) => {
        const { exitCode, error } = jsonFile(path, problem);
        return { key: path, keyId, files, bytes, exitCode, error };
      });
      this.#document.end(passedOver + this.#foreign, { keys });
    } else if (this.#several && !cutShort) {
      for (const key of this.#keys) this.#output.print(keyLine(key));
      const none = `${count(this.#none, 'file')} (${formatBytes(this.#noneBytes)})`;
      if (this.#none > 0) this.#output.print(`none of these keys opens ${none}, listed above`);
    }
    for (const { problem } of this.#keys) if (problem !== null && this.#several) this.#output.warn(problem.message);
  }

  /** @param failures the code of the batch: files that could not be looked at */
  exitCode(failures: number): number {
    const problem = this.#keys.find((key) => key.problem !== null)?.problem;
    if (problem) return exitCodeFor(problem);
    if (failures !== 0) return failures;
    return this.#none > 0 ? exitCodeFor(new CallsealError('ERR_NO_MATCHING_KEY', '')) : 0;
  }
}

function keyLine({ path, keyId, files, bytes, problem }: KeyScore): string {
  if (problem !== null && keyId === null) return `${safe(path)}: not opened, so what it opens is not known`;
  const id = keyId === null ? '' : `, key id ${keyId}`;
  return `${safe(path)}: opens ${count(files, 'file')} (${formatBytes(bytes)})${id}`;
}

const NAMED = 4;

function encryptedFor(recipients: WhichKeyResult['recipients']): string {
  const names = recipients
    .slice(0, NAMED)
    .map(({ keyId, certificate }) => certificate?.subject ?? `public key ${keyId.slice(0, 16)}…`);
  const more = recipients.length > NAMED ? [`${recipients.length - NAMED} more`] : [];
  return `encrypted for ${[...names, ...more].join('; ')}`;
}
