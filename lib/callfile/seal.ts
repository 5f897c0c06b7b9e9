/**
 * Encrypts a finished file and removes its plaintext, so that nothing is lost whenever the process is killed, and nobody
 * who still writes to the file is robbed. `native/core/seal_job.h` has the order of steps, and the reasons.
 */

import type { BigIntStats } from 'node:fs';
import { CallsealError, hasCode } from '../errors.ts';
import { native } from '../native/load.ts';
import type { SealRequest } from '../native/seal-binding.ts';
import {
  assertOptions,
  assertPath,
  assertRecipients,
  assertSegmentLength,
  assertSignal,
  assertSigner,
} from './arguments.ts';
import type { EncryptOptions, FileResult } from './encrypt.ts';
import { DEFAULT_SEGMENT_LENGTH, MAGIC } from './format.ts';
import { type Inspection, inspect } from './inspect.ts';
import { isCallFile } from './is-call-file.ts';
import { runJob, throwIfAborted } from './job.ts';
import { newPrelude, templateOf } from './template.ts';

const NO_BYTES = new Uint8Array(0);
const DEFAULT_QUIET_FOR = 5000;

/** What `lstat` with `bigint: true` says of a file's content: two that are equal are of one content. */
export type FileStamp = Pick<BigIntStats, 'ino' | 'size' | 'mtimeNs' | 'ctimeNs'>;

/** Options of {@link sealFile}. */
export interface SealOptions extends EncryptOptions {
  /**
   * Refuse where no lease can be had, which proves that nobody has the file open for writing: `ERR_IO`. Default false:
   * {@link quietFor} decides there.
   */
  requireLease?: boolean | undefined;
  /** Without a lease: milliseconds that must have passed since the file was last written to. Default 5000. */
  quietFor?: number | undefined;
  /**
   * What the caller saw of the file at least {@link quietFor} ago, by a clock that cannot be set. If it still is that, it
   * counts as quiet whatever its times say: for times in the future, and clocks that were set back.
   */
  observed?: FileStamp | undefined;
  /**
   * A directory above the file. Whoever may write below it cannot lead the caller elsewhere: no directory between the two
   * may be a symbolic link (`ERR_IO`, `ENOTDIR`). Default: links are followed.
   */
  inputRoot?: string | undefined;
  /** The same for the output. */
  outputRoot?: string | undefined;
}

/** What {@link sealFile} did. */
export interface SealResult extends FileResult {
  /** A lease proved that nobody had the file open for writing; otherwise it had been quiet for long enough. */
  leased: boolean;
  /** The output was there already, from an attempt that was cut short: only the plaintext was removed. */
  resumed: boolean;
}

/** What {@link cleanDirectory} did. */
export interface CleanResult {
  /** Unfinished outputs of dead processes, removed. */
  removed: number;
  /** Plaintext files that a dead process was about to remove, back under their names. */
  restored: number;
}

/**
 * Encrypts a file that is finished, then removes it. Either both are done and on the disk, or the plaintext is where
 * it was. The output has mode 0600, the plaintext's time of modification and, when root asks, its owner.
 *
 * An output that an earlier attempt has finished, and was killed before it removed the plaintext, is recognised: then
 * only that is done.
 *
 * @param path A regular file with one name (no symbolic or other hard link).
 * @param output A new name, perhaps in another directory or file system.
 * @throws {CallsealError} `ERR_INPUT_BUSY` (open for writing, not quiet yet, or another process seals it),
 *   `ERR_INPUT_CHANGED`, `ERR_OUTPUT_EXISTS`, `ERR_ALREADY_ENCRYPTED`, `ERR_IO` (`ENOENT`: the file is gone), `ERR_ABORTED`,
 *   `ERR_INVALID_ARGUMENT`.
 *
 * @example
 * const { leased } = await sealFile('call.callsre', 'call.callsre.sealed', { recipients });
 */
export async function sealFile(path: string, output: string, options: SealOptions): Promise<SealResult> {
  assertPath(path, 'path');
  assertPath(output, 'output');
  assertOptions(options);
  const { recipients, signer, segmentLength = DEFAULT_SEGMENT_LENGTH, signal, quietFor = DEFAULT_QUIET_FOR } = options;
  assertRecipients(recipients);
  assertSigner(signer);
  assertSegmentLength(segmentLength);
  assertQuietFor(quietFor);
  for (const name of ['inputRoot', 'outputRoot'] as const) {
    if (options[name] !== undefined) assertPath(options[name], name);
  }
  assertSignal(signal);
  throwIfAborted(signal);
  const request: SealRequest = {
    input: path,
    output,
    inputRoot: options.inputRoot ?? null,
    outputRoot: options.outputRoot ?? null,
    requireLease: options.requireLease ?? false,
    quietFor,
    observed: options.observed ?? null,
  };
  const seal = (refusedPrefix: Uint8Array): Promise<SealResult> =>
    runJob(path, { signal }, async (control) => {
      const template = templateOf(recipients, signer);
      const job = native().sealFile(template, newPrelude(signer), request, segmentLength, refusedPrefix, control);
      return { ...(await job), resumed: false };
    });
  try {
    return await seal(MAGIC);
  } catch (error) {
    if (hasCode(error, 'ERR_OUTPUT_EXISTS')) return finishEarlier(request, error, signal);
    // Refused for its first letters alone: a plaintext that happens to begin with them must not stay one.
    if (!hasCode(error, 'ERR_ALREADY_ENCRYPTED') || (await isCallFile(path, signal))) throw error;
    return seal(NO_BYTES);
  }
}

/** Removes the plaintext whose output is there. `refusal` is thrown when that is not the encryption of this very file. */
async function finishEarlier(
  request: SealRequest,
  refusal: unknown,
  signal: AbortSignal | undefined,
): Promise<SealResult> {
  let found: Inspection;
  try {
    found = await inspect(request.output, { signal });
  } catch (error) {
    throw hasCode(error, 'ERR_ABORTED') ? error : refusal;
  }
  if (found.plaintextBytes === null) throw refusal;
  try {
    const lengths = { inputBytes: found.plaintextBytes, outputBytes: found.fileBytes };
    return { ...(await native().finishSealing(request, lengths)), resumed: true };
  } catch (error) {
    // A link, which is no output of ours: its name is taken all the same.
    throw hasCode(error, 'ERR_INVALID_ARGUMENT') ? refusal : error;
  }
}

function assertQuietFor(value: number): void {
  if (Number.isFinite(value) && value >= 0 && value <= Number.MAX_SAFE_INTEGER / 1e6) return;
  throw new CallsealError('ERR_INVALID_ARGUMENT', 'quietFor must be a number of milliseconds, 0 or more');
}

/**
 * Removes what killed processes have left behind in a directory: unfinished outputs (`.NAME.<16 hex>.callseal-tmp`) go, and
 * plaintext that was about to be removed (`.NAME.<16 hex>.callseal-plain`) gets its name back, or `NAME.1`, … when that is
 * taken. What belongs to living processes, this one too, is left alone. Memory does not grow with the directory.
 *
 * @throws {CallsealError} `ERR_IO`, after everything that can be done was done.
 */
export async function cleanDirectory(directory: string): Promise<CleanResult> {
  assertPath(directory, 'directory');
  return native().cleanDirectory(directory);
}
