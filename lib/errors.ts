/**
 * The one error class of the package and its closed set of codes.
 *
 * A code is part of the API: `switch (error.code)` narrows, and the command line maps each code to one documented exit
 * code (`lib/cli/exit-codes.ts`). A message says what went wrong, where (file, line, certificate) and what to do next;
 * it never contains a secret.
 */

/** Every code a {@link CallsealError} can carry. */
export const ERROR_CODES = [
  /** The native binary is missing or cannot be loaded. */
  'ERR_NATIVE_UNAVAILABLE',
  /** The addon's or libcrypto's own symbols resolve to another OpenSSL, such as the one inside the node executable. */
  'ERR_CRYPTO_NOT_ISOLATED',
  /** FIPS is required (the default) and the provider cannot be loaded, is tampered with, or failed its self-test. */
  'ERR_FIPS_UNAVAILABLE',
  /** The crypto module refuses this operation (algorithm, key size, padding), or the project's policy does. */
  'ERR_NOT_APPROVED',
  /** OpenSSL failed in a way no input explains; its error queue is in `cause`. */
  'ERR_CRYPTO',
  /** An argument of the API or the command line is wrong. */
  'ERR_INVALID_ARGUMENT',
  /** client_property.conf is wrong; the message names file and line. */
  'ERR_CONFIG',
  /** A certificate file is missing, not readable, or holds no certificate or public key. */
  'ERR_CERTIFICATE_UNREADABLE',
  /** A certificate has expired. */
  'ERR_CERTIFICATE_EXPIRED',
  /** A certificate is not valid yet. */
  'ERR_CERTIFICATE_NOT_YET_VALID',
  /** A recipient's RSA key is shorter than 2048 bits, or its public exponent is even or below 65537. */
  'ERR_CERTIFICATE_WEAK',
  /** A recipient's key is not RSA, or is longer than 8192 bits. */
  'ERR_CERTIFICATE_NOT_RSA',
  /** The same recipient key is listed twice. */
  'ERR_CERTIFICATE_DUPLICATE',
  /** Fewer usable recipients remain than the policy demands. */
  'ERR_NO_RECIPIENTS',
  /** A private-key file holds no private key, or one of an unsupported form. */
  'ERR_KEY_UNREADABLE',
  /** None of the given private keys opens the file. */
  'ERR_NO_MATCHING_KEY',
  /** A key file is encrypted and no passphrase was given, nor could one be asked for. */
  'ERR_PASSPHRASE_REQUIRED',
  /** The passphrase does not open the key file. */
  'ERR_WRONG_PASSPHRASE',
  /** A key handle was used for something it was not made for, or after `destroy()`. */
  'ERR_KEY_USE',
  /** The input is not a Callseal file. */
  'ERR_NOT_CALLSEAL',
  /** The input already is a Callseal file. */
  'ERR_ALREADY_ENCRYPTED',
  /** The file's format version or suite is not known to this release. */
  'ERR_UNSUPPORTED_VERSION',
  /** The file was altered: it fails authentication or breaks the format's rules. */
  'ERR_TAMPERED',
  /** The file ends before its last segment: its writer died or it was cut. */
  'ERR_TRUNCATED',
  /** A writer's signature is required, and the file bears none. */
  'ERR_NOT_SIGNED',
  /** The file is signed, but not by a writer whose signature is required. */
  'ERR_WRONG_SIGNER',
  /** The input is not a CMS message of the kind that Callseal reads: AuthEnvelopedData with AES-256-GCM and RSA-OAEP. */
  'ERR_NOT_CMS',
  /** The input changed while it was read. */
  'ERR_INPUT_CHANGED',
  /** Another process has the input open for writing: it is not finished. */
  'ERR_INPUT_BUSY',
  /** The output exists already, or is something that may not be replaced. */
  'ERR_OUTPUT_EXISTS',
  /** The operating system refused: no space, no permission, no such file …; `errno` holds its name (`ENOSPC`). */
  'ERR_IO',
  /** The operation was cancelled by its `AbortSignal`. */
  'ERR_ABORTED',
  /** The master key was disabled by an administrator: nothing under it encrypts or decrypts until it is enabled. */
  'ERR_KEY_DISABLED',
  /** The store has no such key, or it was removed. */
  'ERR_KEY_UNKNOWN',
  /** The key cannot be removed: keys or records depend on it. */
  'ERR_KEY_IN_USE',
  /** A row of the key store was replaced, altered, deleted or put back to an earlier state; the message names it. */
  'ERR_KEY_SUBSTITUTED',
  /** The key may not leave the place where it is. */
  'ERR_NOT_EXPORTABLE',
  /** The protected record is whole, but belongs to another entity than the one given. */
  'ERR_ENTITY_MISMATCH',
  /** One operation would need more than a whole key's budget allows. */
  'ERR_USAGE_LIMIT',
  /** The key store cannot be reached. */
  'ERR_STORE_UNAVAILABLE',
  /** The key store belongs to another installation key. */
  'ERR_WRONG_INSTALLATION',
  /** The database of the job queue cannot be reached. */
  'ERR_QUEUE_UNAVAILABLE',
] as const;

/** A stable error code. */
export type ErrorCode = (typeof ERROR_CODES)[number];

/** What a {@link CallsealError} is made from beside its code and message. */
export interface ErrorDetails {
  /** What caused it: another error, or OpenSSL's error queue as text. */
  cause?: unknown;
  /** The name of the operating system's error, for `ERR_IO`: `ENOSPC`, `EACCES`, … */
  errno?: string;
  /** The file concerned. */
  path?: string;
  /** The line of {@link path} concerned, counted from 1. */
  line?: number;
}

/**
 * Every failure Callseal reports.
 *
 * @example
 * try {
 *   await decryptFile('call.callsre.sealed', 'call.callsre', { keys });
 * } catch (error) {
 *   if (error instanceof CallsealError && error.code === 'ERR_NO_MATCHING_KEY') askForAnotherKey();
 *   else throw error;
 * }
 */
export class CallsealError extends Error {
  override readonly name = 'CallsealError';
  /** Stable, one of {@link ERROR_CODES}. */
  readonly code: ErrorCode;
  declare readonly errno?: string;
  declare readonly path?: string;
  declare readonly line?: number;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    if (details.errno !== undefined) this.errno = details.errno;
    if (details.path !== undefined) this.path = details.path;
    if (details.line !== undefined) this.line = details.line;
  }
}

/** Whether an unknown thrown value is a {@link CallsealError} of that code. */
export function hasCode(error: unknown, code: ErrorCode): error is CallsealError {
  return error instanceof CallsealError && error.code === code;
}

/** The system's error name of an unknown thrown value, or undefined. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' && /^E[A-Z0-9]+$/.test(error.code) ? error.code : undefined;
}
