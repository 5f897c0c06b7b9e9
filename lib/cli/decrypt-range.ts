/** `callseal decrypt --range`: a part of one file, without decrypting the rest. */

import { checkTarget } from '../atomic-file.ts';
import { openRandomAccess } from '../callfile/random-access.ts';
import { CallsealError } from '../errors.ts';
import type { KeyRing } from '../recipients/keyring.ts';
import { EXIT_RECOVERED } from './exit-codes.ts';
import { noticeFipsOff } from './fips-notice.ts';
import { interruptSignal } from './interrupt.ts';
import { reportKeyNotes } from './key-options.ts';
import type { Output } from './output.ts';
import { decryptedName, type OutputChoice, planJobs, writing } from './outputs.ts';
import { loadRequiredSigners, type RequireSignerChoice } from './sign-options.ts';
import { STDIO, streamTo } from './stdio.ts';
import { formatBytes, formatInteger } from './text.ts';

/** Bytes of the plaintext, as HTTP counts them (RFC 9110 section 14.1.2): both ends belong to it. */
export type ByteRange = { start: number; end: number } | { last: number };

interface RangeOptions extends OutputChoice, RequireSignerChoice {
  range: string;
  recursive?: boolean;
  recover?: boolean;
}

/**
 * `START-END`, `START-` or `-LAST`.
 *
 * @throws CallsealError ERR_INVALID_ARGUMENT
 */
export function parseRange(text: string): ByteRange {
  const [, start = '', end = ''] = /^(\d{0,15})-(\d{0,15})$/.exec(text) ?? [];
  if (start === '' && Number(end) > 0) return { last: Number(end) };
  const range = { start: Number(start), end: end === '' ? Number.MAX_SAFE_INTEGER - 1 : Number(end) };
  if (start !== '' && range.start <= range.end) return range;
  throw usage('--range takes START-END, START- or -LAST, in bytes; 0-99 are the first hundred, -100 the last hundred');
}

/**
 * The range within `size` bytes; `end` is behind it. As in HTTP, it is cut where the file ends, and one that begins
 * there or later is refused.
 *
 * @throws CallsealError ERR_INVALID_ARGUMENT
 */
export function rangeWithin(range: ByteRange, size: number, path: string): { start: number; end: number } {
  if (size === 0) throw usage(`${path}: nothing is encrypted in it, so there is no range to give`);
  if ('last' in range) return { start: Math.max(0, size - range.last), end: size };
  if (range.start < size) return { start: range.start, end: Math.min(range.end + 1, size) };
  const bytes = formatInteger(size);
  throw usage(
    `${path}: the range begins at byte ${formatInteger(range.start)}, and there are ${bytes}, counted from 0`,
  );
}

/** Writes the range to `-o`. */
export async function decryptRange(
  paths: readonly string[],
  options: RangeOptions,
  openKeys: (paths: readonly string[], output: Output) => KeyRing,
  keyPaths: readonly string[],
  output: Output,
): Promise<void> {
  const range = parseRange(options.range);
  const [path] = paths;
  if (path === undefined || paths.length > 1 || options.recursive) throw usage('--range takes one file');
  if (path === STDIO) throw usage('--range needs a file: standard input cannot be read from any place');
  if (options.output === undefined) throw usage('give -o OUT with --range, or -o - for standard output');
  if (options.output !== STDIO) {
    await planJobs([{ path, relative: path, named: true }], options, decryptedName, async () => false);
    await checkTarget(options.output, options.force === true);
  }
  const signal = interruptSignal();
  const requireSigner = await loadRequiredSigners(options);
  const keys = openKeys(keyPaths, output);
  noticeFipsOff(output);
  await using call = await openRandomAccess(path, { keys, requireSigner, recover: options.recover, signal });
  const { start, end } = rangeWithin(range, call.size, path);
  await streamTo(call.createReadStream({ start, end: end - 1 }), options.output, { ...writing(options), signal });
  output.detail(
    `${path}: ${formatBytes(end - start)} from byte ${formatInteger(start)} decrypted to ${options.output}`,
  );
  reportKeyNotes(keys, output);
  if (call.complete) return;
  output.warn(`${path}: its end is missing; the range was taken of the ${formatBytes(call.size)} that are there`);
  process.exitCode = EXIT_RECOVERED;
}

function usage(message: string): CallsealError {
  return new CallsealError('ERR_INVALID_ARGUMENT', message);
}
