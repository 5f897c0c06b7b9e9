/** Decrypts whole files and whole buffers. */

import { native } from '../native/load.ts';
import type { KeyRing } from '../recipients/keyring.ts';
import { assertBytes, assertKeyRing, assertOptions, assertPath, assertSignal } from './arguments.ts';
import { decryptJob } from './decrypt-job.ts';
import type { FileResult } from './encrypt.ts';
import { headerEndsEarly, parseHeader } from './header.ts';
import { type JobOptions, throwIfAborted } from './job.ts';
import { openHeader } from './open.ts';
import { type OutputOptions, outputOf } from './output.ts';

/** What every way to decrypt takes. */
export interface DecryptOptions {
  /** The private keys at hand; one that fits is enough. */
  keys: KeyRing;
  /** Cancels the operation (`ERR_ABORTED`). */
  signal?: AbortSignal | undefined;
}

/** Options of {@link decryptFile}. */
export interface DecryptFileOptions extends DecryptOptions, OutputOptions, JobOptions {}

/** What {@link decryptFile} did. */
export interface DecryptFileResult extends FileResult {
  /** The id of the private key that opened the file: SHA-256 of its DER SubjectPublicKeyInfo, lower-case hexadecimal. */
  keyId: string;
}

/**
 * Decrypts a file. The output appears under its name complete, wholly authenticated, synced and with mode 0600, or not
 * at all; the input is left as it is. Output and input may be the same file if it has one name.
 *
 * @throws {CallsealError} `ERR_NOT_CALLSEAL`, `ERR_UNSUPPORTED_VERSION`, `ERR_NO_MATCHING_KEY`,
 *   `ERR_PASSPHRASE_REQUIRED`, `ERR_WRONG_PASSPHRASE`, `ERR_TAMPERED`, `ERR_TRUNCATED`, `ERR_OUTPUT_EXISTS`,
 *   `ERR_INPUT_CHANGED`, `ERR_IO`, `ERR_ABORTED`, `ERR_INVALID_ARGUMENT`.
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
  return decryptJob(input, outputOf(output, options), keys, options);
}

/**
 * Decrypts a whole call file in memory.
 *
 * @param bytes The body is copied when the key has been found: it must not change before.
 * @throws {CallsealError} What {@link decryptFile} throws, except for what concerns files.
 *
 * @example
 * const transcript = await decrypt(sealed, { keys: KeyRing.of(privateKey) });
 */
export async function decrypt(bytes: Uint8Array, options: DecryptOptions): Promise<Uint8Array> {
  assertBytes(bytes, 'bytes');
  assertOptions(options);
  const { keys, signal } = options;
  assertKeyRing(keys);
  assertSignal(signal);
  throwIfAborted(signal);
  const { header, need } = parseHeader(bytes);
  if (header === null) throw headerEndsEarly(bytes.length, need);
  const bodyKey = await openHeader(header, keys);
  try {
    throwIfAborted(signal);
    const plaintext = await native().decryptBuffer(bodyKey, header.preludeBytes, bytes.subarray(header.bodyOffset));
    throwIfAborted(signal);
    return plaintext;
  } finally {
    bodyKey.destroy();
  }
}
