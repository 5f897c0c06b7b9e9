/** Encrypts whole files. */

import type { Recipients } from '../recipients/recipients.ts';
import type { Signer } from '../signing/signer.ts';
import {
  assertOptions,
  assertPath,
  assertRecipients,
  assertSegmentLength,
  assertSignal,
  assertSigner,
} from './arguments.ts';
import { DEFAULT_SEGMENT_LENGTH, MAGIC } from './format.ts';
import { type JobOptions, runJob, throwIfAborted } from './job.ts';
import { type OutputOptions, outputOf } from './output.ts';
import { newPrelude, templateOf } from './template.ts';

const NO_BYTES = new Uint8Array(0);

/** What every way to encrypt takes. */
export interface EncryptOptions {
  /** Whom the file is encrypted for: each of them opens it alone. */
  recipients: Recipients;
  /** Who signs the file, so that readers can tell it from one that anybody else made. Default: nobody. */
  signer?: Signer | undefined;
  /**
   * Bytes of an encrypted segment, 1024 to 16777216: what is authenticated at once, and held in memory.
   * Default 262144 for files and buffers, 65536 for streams.
   */
  segmentLength?: number | undefined;
  /** Cancels the operation (`ERR_ABORTED`). */
  signal?: AbortSignal | undefined;
}

/** Options of {@link encryptFile} and {@link encryptInPlace}. */
export interface EncryptFileOptions extends EncryptOptions, OutputOptions, JobOptions {
  /** Encrypt a file that is a Callseal file already once more. Default false: `ERR_ALREADY_ENCRYPTED`. */
  allowNested?: boolean | undefined;
}

/** What a file operation did. */
export interface FileResult {
  /** Length of the input. */
  inputBytes: number;
  /** Length of the output. */
  outputBytes: number;
}

/**
 * Encrypts a file. The output appears under its name complete, synced and with mode 0600, or not at all; the input is
 * left as it is. When output and input are the same file, see {@link encryptInPlace}.
 *
 * @param input A regular file of any size.
 * @param output A new name; its directory must exist.
 * @throws {CallsealError} `ERR_ALREADY_ENCRYPTED`, `ERR_OUTPUT_EXISTS`, `ERR_INPUT_CHANGED`, `ERR_IO`, `ERR_ABORTED`,
 *   `ERR_INVALID_ARGUMENT`.
 *
 * @example
 * const recipients = await Recipients.fromConfig();
 * await encryptFile('call.callsre', 'call.callsre.sealed', { recipients });
 */
export async function encryptFile(input: string, output: string, options: EncryptFileOptions): Promise<FileResult> {
  assertPath(input, 'input');
  assertPath(output, 'output');
  assertOptions(options);
  const { recipients, signer, segmentLength = DEFAULT_SEGMENT_LENGTH, signal, allowNested = false } = options;
  assertRecipients(recipients);
  assertSigner(signer);
  assertSegmentLength(segmentLength);
  assertSignal(signal);
  throwIfAborted(signal);
  const refusedPrefix = allowNested ? NO_BYTES : MAGIC;
  return runJob(input, options, (control) =>
    templateOf(recipients, signer).encryptFile(
      newPrelude(signer),
      input,
      outputOf(output, options),
      segmentLength,
      refusedPrefix,
      control,
    ),
  );
}

/**
 * Replaces a file by its encryption, in one rename: at every moment the name holds either the whole plaintext or the
 * whole encrypted file. The blocks of the plaintext are freed, not overwritten.
 *
 * @throws {CallsealError} What {@link encryptFile} throws; `ERR_INVALID_ARGUMENT` for a symbolic link or a file with
 *   several hard links, as the other name would keep the plaintext.
 *
 * @example
 * await encryptInPlace('/var/lumenvox/responses/call.callsre', { recipients });
 */
export async function encryptInPlace(path: string, options: EncryptFileOptions): Promise<FileResult> {
  return encryptFile(path, path, options);
}
