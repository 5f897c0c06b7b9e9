/** Proves that a file is complete and unaltered, without writing a byte. */

import type { FileSigner } from '../signing/info.ts';
import { assertKeyRing, assertOptions, assertPath, assertSignal } from './arguments.ts';
import type { DecryptOptions } from './decrypt.ts';
import { decryptJob } from './decrypt-job.ts';
import { type JobOptions, throwIfAborted } from './job.ts';

/** Options of {@link verify}. */
export interface VerifyOptions extends DecryptOptions, JobOptions {}

/** What {@link verify} found in an intact file. */
export interface VerifyResult {
  /** Length of the file. */
  inputBytes: number;
  /** Length of what is encrypted in it. */
  plaintextBytes: number;
  /** The id of the private key that opened the file, lower-case hexadecimal. */
  keyId: string;
  /** Who signed the file; null when nobody did. */
  signer: FileSigner | null;
}

/**
 * Authenticates every byte of a file. Only this, and decryption, proves a file; {@link inspect} believes what it says.
 *
 * @throws {CallsealError} `ERR_TAMPERED`, `ERR_TRUNCATED`, and otherwise what {@link decryptFile} throws, except for
 *   what concerns the output.
 *
 * @example
 * const { plaintextBytes } = await verify('call.callsre.sealed', { keys });
 */
export async function verify(path: string, options: VerifyOptions): Promise<VerifyResult> {
  assertPath(path, 'path');
  assertOptions(options);
  const { keys, signal } = options;
  assertKeyRing(keys);
  assertSignal(signal);
  throwIfAborted(signal);
  const { inputBytes, outputBytes, keyId, signer } = await decryptJob(path, null, options, false);
  return { inputBytes, plaintextBytes: outputBytes, keyId, signer };
}
