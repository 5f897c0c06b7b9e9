/** Proves that a file is complete and unaltered, without writing a byte. */

import { native } from '../native/load.ts';
import { assertKeyRing, assertPath, assertSignal } from './arguments.ts';
import type { DecryptOptions } from './decrypt.ts';
import { type JobOptions, runJob, throwIfAborted } from './job.ts';
import { openHeader } from './open.ts';
import { readFileHeader } from './read-header.ts';

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
  const { keys, signal } = options;
  assertKeyRing(keys);
  assertSignal(signal);
  throwIfAborted(signal);
  const { header, size } = await readFileHeader(path);
  const { bodyKey, keyId } = await openHeader(header, keys, path);
  try {
    const { inputBytes, outputBytes } = await runJob(path, size, options, (control) =>
      native().decryptFile(bodyKey, header.preludeBytes, path, header.bodyOffset, null, control),
    );
    return { inputBytes, plaintextBytes: outputBytes, keyId };
  } finally {
    bodyKey.destroy();
  }
}
