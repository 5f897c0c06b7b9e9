/** Decrypts whole files. */

import type { KeyRing } from '../recipients/keyring.ts';
import type { FileSigner } from '../signing/info.ts';
import type { SignerCertificates } from '../signing/signer-certificates.ts';
import { assertBoolean, assertKeyRing, assertOptions, assertPath, assertSignal } from './arguments.ts';
import { decryptJob } from './decrypt-job.ts';
import type { FileResult } from './encrypt.ts';
import { type JobOptions, throwIfAborted } from './job.ts';
import { type OutputOptions, outputOf } from './output.ts';
import type { Extent } from './recovery.ts';

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

/** To take what there is of a file that is cut or damaged. */
export interface RecoveryOptions {
  /**
   * Open also a file that is cut or damaged behind its header: all authentic segments before the first that is not are
   * released, and `complete` and `loss` say what is missing. Default false: such a file is `ERR_TRUNCATED` or
   * `ERR_TAMPERED`. What opens a file at all stays as strict as ever, and a signature that is wrong is `ERR_TAMPERED`.
   */
  recover?: boolean | undefined;
}

/** Options of {@link decryptFile}. */
export interface DecryptFileOptions extends DecryptOptions, RecoveryOptions, OutputOptions, JobOptions {}

/** What {@link decryptFile} did. */
export interface DecryptFileResult extends FileResult, Extent {
  /** The id of the private key that opened the file: SHA-256 of its DER SubjectPublicKeyInfo, lower-case hexadecimal. */
  keyId: string;
  /** Who signed the file; null when nobody did. */
  signer: FileSigner | null;
}

/**
 * Decrypts a file. The output appears under its name complete, wholly authenticated, synced and with mode 0600, or not
 * at all; the input is left as it is. Output and input may be the same file if it has one name.
 *
 * With `recover` the output is a prefix of the plaintext when the file is incomplete, which it then does not replace; look at
 * `complete` in the result, and at `content` of `signer`: `requireSigner` then stands for who began the file. A file
 * that is still being written is `ERR_INPUT_CHANGED`: {@link followCallFile} reads it.
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
  const { keys, signal, recover = false } = options;
  assertKeyRing(keys);
  assertSignal(signal);
  assertBoolean(recover, 'recover');
  throwIfAborted(signal);
  return decryptJob(input, outputOf(output, options), options, recover);
}
