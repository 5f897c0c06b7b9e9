/** Decrypts whole files. */

import type { KeyRing } from '../recipients/keyring.ts';
import type { FileSigner } from '../signing/info.ts';
import type { SignerCertificates } from '../signing/signer-certificates.ts';
import { assertKeyRing, assertOptions, assertPath, assertSignal } from './arguments.ts';
import { decryptJob } from './decrypt-job.ts';
import type { FileResult } from './encrypt.ts';
import { type JobOptions, throwIfAborted } from './job.ts';
import { type OutputOptions, outputOf } from './output.ts';

/** What every way to decrypt takes. */
export interface DecryptOptions {
  /** The private keys at hand; one that fits is enough. */
  keys: KeyRing;
  /**
   * Accept only what one of these signed: nothing of another file comes out, and nobody is asked for a passphrase.
   * Default: the signature of a signed file is verified, whoever made it.
   */
  requireSigner?: SignerCertificates | undefined;
  /** Cancels the operation (`ERR_ABORTED`). */
  signal?: AbortSignal | undefined;
}

/** Options of {@link decryptFile}. */
export interface DecryptFileOptions extends DecryptOptions, OutputOptions, JobOptions {}

/** What {@link decryptFile} did. */
export interface DecryptFileResult extends FileResult {
  /** The id of the private key that opened the file: SHA-256 of its DER SubjectPublicKeyInfo, lower-case hexadecimal. */
  keyId: string;
  /** Who signed the file; null when nobody did. */
  signer: FileSigner | null;
}

/**
 * Decrypts a file. The output appears under its name complete, wholly authenticated, synced and with mode 0600, or not
 * at all; the input is left as it is. Output and input may be the same file if it has one name.
 *
 * @throws {CallsealError} `ERR_NOT_CALLSEAL`, `ERR_UNSUPPORTED_VERSION`, `ERR_NO_MATCHING_KEY`,
 *   `ERR_PASSPHRASE_REQUIRED`, `ERR_WRONG_PASSPHRASE`, `ERR_NOT_SIGNED`, `ERR_WRONG_SIGNER`, `ERR_TAMPERED`,
 *   `ERR_TRUNCATED`, `ERR_OUTPUT_EXISTS`, `ERR_INPUT_CHANGED`, `ERR_IO`, `ERR_ABORTED`, `ERR_INVALID_ARGUMENT`.
 *
 * @example
 * await using keys = new KeyRing(['my_private.key']);
 * const { keyId } = await decryptFile('call.callsre.sealed', 'call.callsre', { keys });
 */
export async function decryptFile(
  input: string,
  output: string,
  options: DecryptFileOptions,
): Promise<DecryptFileResult> {
  assertPath(input, 'input');
  assertPath(output, 'output');
  assertOptions(options);
  const { keys, signal } = options;
  assertKeyRing(keys);
  assertSignal(signal);
  throwIfAborted(signal);
  return decryptJob(input, outputOf(output, options), options);
}
