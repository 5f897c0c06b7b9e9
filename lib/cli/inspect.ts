/** `callseal inspect`: who can open a file, and whether it is complete. Needs neither a key nor the native module. */

import type { Command } from 'commander';
import { type Inspection, inspect } from '../callfile/inspect.ts';
import { CallsealError, hasCode } from '../errors.ts';
import { type Result, runInOrder } from './batch.ts';
import { EXIT_SOME_FAILED } from './exit-codes.ts';
import { type Expansion, expandInputs, type InputFile } from './files.ts';
import { interruptExitCode, interruptSignal } from './interrupt.ts';
import { JsonDocument, jsonFile } from './json.ts';
import { colorsFor, exitCodeFor, Output } from './output.ts';
import { DEFAULT_SUFFIX } from './outputs.ts';
import { field, recipientLines } from './recipient-text.ts';
import { refuseStdin } from './stdio.ts';
import { count, daysUntil, formatBytesExactly, formatTime, safe } from './text.ts';

interface InspectOptions {
  json?: boolean;
  recursive?: boolean;
}

const HELP = `
What a header says is not authenticated until a key has verified it: callseal verify -k KEY FILE.

Examples:
  callseal inspect call.callsre${DEFAULT_SUFFIX}
  callseal inspect --json --recursive /var/lumenvox/responses`;

export function define(command: Command): void {
  command
    .argument('<file...>', 'encrypted files')
    .option('--json', 'one JSON document on standard output')
    .option('-R, --recursive', 'take the encrypted files of directories')
    .addHelpText('after', HELP)
    .action(inspectCommand);
}

async function inspectCommand(paths: string[], options: InspectOptions): Promise<void> {
  refuseStdin(paths);
  const signal = interruptSignal();
  const expansion = await expandInputs(paths, { recursive: options.recursive, signal });
  const report = options.json ? new JsonReport() : new TextReport(expansion.several);
  await runInOrder(
    expansion.files,
    signal,
    async (file) => {
      if (file.problem !== undefined) throw file.problem;
      return inspect(file.path, { signal });
    },
    (file, result) => report.add(file, result),
  );
  process.exitCode = signal.aborted ? interruptExitCode() : report.exitCode(expansion.several);
  report.end(expansion);
  if (signal.aborted) new Output('inspect').fail(signal.reason);
}

/** Whether a file met in a directory is simply none of ours. One that bears our suffix should have been. */
export function isForeign(file: InputFile, error: unknown): boolean {
  const other = hasCode(error, 'ERR_NOT_CALLSEAL');
  return other && !file.named && !file.path.endsWith(DEFAULT_SUFFIX);
}

/** What a file that could be read is nevertheless reported as. */
function problemOf(inspection: Inspection): CallsealError | null {
  if (inspection.state === 'complete') return null;
  const code = inspection.state === 'truncated' ? 'ERR_TRUNCATED' : 'ERR_TAMPERED';
  return new CallsealError(code, inspection.problem ?? inspection.state);
}

/** Keeps the score; what is written is up to the two forms. */
abstract class Report {
  readonly exitCodes: number[] = [];
  foreign = 0;

  add(file: InputFile, result: Result<Inspection>): void {
    if ('error' in result && isForeign(file, result.error)) {
      this.foreign += 1;
      return;
    }
    const error = 'error' in result ? result.error : problemOf(result.value);
    this.exitCodes.push(error === null ? 0 : exitCodeFor(error));
    this.show(file, 'value' in result ? result.value : null, error);
  }

  exitCode(several: boolean): number {
    const worst = this.exitCodes.find((code) => code !== 0) ?? 0;
    return several && worst !== 0 ? EXIT_SOME_FAILED : worst;
  }

  abstract show(file: InputFile, inspection: Inspection | null, error: unknown): void;
  abstract end(expansion: Expansion): void;
}

class JsonReport extends Report {
  readonly #document = new JsonDocument();
  readonly #now = new Date();

  override show(file: InputFile, inspection: Inspection | null, error: unknown): void {
    const recipients = inspection?.recipients.map(({ certificate, ...recipient }) => ({
      ...recipient,
      certificate: certificate && { ...certificate, daysLeft: daysUntil(certificate.notAfter, this.#now) },
    }));
    this.#document.add({ ...jsonFile(file.path, error), ...inspection, ...(recipients && { recipients }) });
  }

  override end(expansion: Expansion): void {
    this.#document.end(expansion.passedOver + this.foreign);
  }
}

class TextReport extends Report {
  readonly #output = new Output('inspect');
  readonly #colors = colorsFor(process.stdout);
  readonly #now = new Date();
  readonly #several: boolean;

  constructor(several: boolean) {
    super();
    this.#several = several;
  }

  override show(file: InputFile, inspection: Inspection | null, error: unknown): void {
    if (inspection === null) {
      this.#output.fail(error, file.path);
      return;
    }
    const { green, red, bold, dim } = this.#colors;
    const word = inspection.state === 'truncated' ? 'incomplete (truncated)' : inspection.state;
    const state = error === null ? green('complete') : red(`${word}: ${safe(inspection.problem ?? '')}`);
    const { recipients, plaintextBytes: plain } = inspection;
    const lines = [
      bold(safe(file.path)),
      `  state     ${state}`,
      `  made      ${formatTime(inspection.createdAt)}`,
      `  size      ${formatBytesExactly(inspection.fileBytes)}${plain === null ? '' : `; ${formatBytesExactly(plain)} decrypted`}`,
      `  format    version ${inspection.version}, suite ${inspection.suite.id}: ${inspection.suite.name}`,
      `  file id   ${inspection.fileId}`,
      `  opens with ${recipients.length === 1 ? 'this key' : `any one of these ${recipients.length} keys`}`,
      ...recipients.flatMap((recipient, index) => this.#recipient(index, recipient)),
      ...this.#signer(inspection.signer),
      dim('  (read from the header, which is not authenticated until callseal verify has checked it with a key)'),
    ];
    if (this.exitCodes.length > 1) lines.unshift('');
    for (const line of lines) this.#output.print(line);
  }

  #recipient(index: number, recipient: Inspection['recipients'][number]): string[] {
    const [name, ...rest] = recipientLines(recipient, this.#now);
    const number = `${index + 1}`.padStart(4);
    return [`${number}  ${this.#colors.cyan(name!)}`, ...rest.map((line) => `      ${line}`)];
  }

  /** What the file claims: a name costs a forger nothing. */
  #signer(signer: Inspection['signer']): string[] {
    if (signer === null) return [];
    const name = signer.certificate === null ? 'a bare public key' : safe(signer.certificate.subject) || '(no subject)';
    const lines = [field('with', signer.algorithm), field('key id', signer.keyId)];
    if (signer.certificate !== null) lines.unshift(field('sha256', signer.certificate.sha256));
    return [
      `  claims to be signed by ${this.#colors.cyan(name)}`,
      ...lines.map((line) => `      ${line}`),
      '      (not verified here; callseal verify --require-signer CERT proves it)',
    ];
  }

  override end(expansion: Expansion): void {
    if (!this.#several) return;
    const failed = this.exitCodes.filter((code) => code !== 0).length;
    const parts = [`${count(this.exitCodes.length - failed, 'file')} complete`];
    if (failed > 0) parts.push(`${failed} not`);
    const passedOver = expansion.passedOver + this.foreign;
    if (passedOver > 0) parts.push(`${passedOver} passed over`);
    this.#output.notice(parts.join(', '));
  }
}
