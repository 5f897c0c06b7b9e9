/**
 * What each exit code of `callseal` means, and which error codes end in it. docs/cli.md and docs/errors.md quote this table; a
 * test compares them.
 *
 * Codes of their own are given to what a script must tell apart: the wrong key, the wrong passphrase, a damaged file.
 * 128 + n follows the shells: ended by signal n.
 */

import type { ErrorCode } from '../errors.ts';

/** One row of the table. */
export interface ExitCode {
  readonly code: number;
  readonly meaning: string;
  /** The {@link ErrorCode}s that end in it. */
  readonly errors: readonly ErrorCode[];
}

/** A batch in which at least one file or row failed; each failure is listed with its own reason. */
export const EXIT_SOME_FAILED = 20;
/** An incomplete file was recovered as far as it goes. */
export const EXIT_RECOVERED = 22;
/** `callseal doctor` found what should be mended. */
export const EXIT_DOCTOR_WARNINGS = 23;
/** `callseal doctor` found what does not work, or protects less than it seems to. */
export const EXIT_DOCTOR_ERRORS = 24;
/** Ended by SIGHUP. */
export const EXIT_HUNG_UP = 129;
/** Ended by SIGINT. */
export const EXIT_INTERRUPTED = 130;
/** Whoever read standard output went away. */
export const EXIT_PIPE_CLOSED = 141;
/** Ended by SIGTERM. */
export const EXIT_TERMINATED = 143;
/** Also for bugs: anything that is not a CallsealError. */
export const EXIT_UNEXPECTED = 1;
export const EXIT_USAGE = 2;
export const EXIT_CONFIG = 3;
export const EXIT_RECIPIENTS = 4;
const EXIT_TAMPERED = 7;
const EXIT_TRUNCATED = 8;

export const EXIT_CODES: readonly ExitCode[] = [
  { code: 0, meaning: 'success', errors: [] },
  { code: EXIT_UNEXPECTED, meaning: 'unexpected failure', errors: ['ERR_CRYPTO'] },
  { code: EXIT_USAGE, meaning: 'wrong usage', errors: ['ERR_INVALID_ARGUMENT'] },
  { code: EXIT_CONFIG, meaning: 'configuration file wrong', errors: ['ERR_CONFIG'] },
  {
    code: EXIT_RECIPIENTS,
    meaning: 'certificate refused, or too few recipients',
    errors: [
      'ERR_CERTIFICATE_UNREADABLE',
      'ERR_CERTIFICATE_EXPIRED',
      'ERR_CERTIFICATE_NOT_YET_VALID',
      'ERR_CERTIFICATE_WEAK',
      'ERR_CERTIFICATE_NOT_RSA',
      'ERR_CERTIFICATE_DUPLICATE',
      'ERR_NO_RECIPIENTS',
    ],
  },
  { code: 5, meaning: 'wrong key: none of the keys given opens the file', errors: ['ERR_NO_MATCHING_KEY'] },
  {
    code: 6,
    meaning: 'wrong passphrase, or none at hand',
    errors: ['ERR_WRONG_PASSPHRASE', 'ERR_PASSPHRASE_REQUIRED'],
  },
  { code: EXIT_TAMPERED, meaning: 'damaged or altered file', errors: ['ERR_TAMPERED'] },
  { code: EXIT_TRUNCATED, meaning: 'truncated file', errors: ['ERR_TRUNCATED'] },
  {
    code: 9,
    meaning: 'not a Callseal file, or one already where a plain file was expected',
    errors: ['ERR_NOT_CALLSEAL', 'ERR_ALREADY_ENCRYPTED', 'ERR_NOT_CMS'],
  },
  { code: 10, meaning: 'format version or suite unknown to this release', errors: ['ERR_UNSUPPORTED_VERSION'] },
  {
    code: 11,
    meaning: 'FIPS module unavailable, or operation not approved',
    errors: ['ERR_FIPS_UNAVAILABLE', 'ERR_NOT_APPROVED'],
  },
  {
    code: 12,
    meaning: 'native module missing, or not isolated from another OpenSSL',
    errors: ['ERR_CRYPTO_NOT_ISOLATED', 'ERR_NATIVE_UNAVAILABLE'],
  },
  {
    code: 13,
    meaning: 'input or output: not found, no permission, no space, exists already, still being written',
    errors: ['ERR_IO', 'ERR_OUTPUT_EXISTS', 'ERR_INPUT_CHANGED', 'ERR_INPUT_BUSY'],
  },
  {
    code: 14,
    meaning: 'private key unreadable, misused, or not exportable',
    errors: ['ERR_KEY_UNREADABLE', 'ERR_KEY_USE', 'ERR_NOT_EXPORTABLE'],
  },
  {
    code: 15,
    meaning: 'key of the hierarchy disabled, unknown, still needed, or used up',
    errors: ['ERR_KEY_DISABLED', 'ERR_KEY_UNKNOWN', 'ERR_KEY_IN_USE', 'ERR_USAGE_LIMIT'],
  },
  { code: 16, meaning: 'protected record belongs to another entity', errors: ['ERR_ENTITY_MISMATCH'] },
  { code: 17, meaning: 'key store altered behind our back', errors: ['ERR_KEY_SUBSTITUTED'] },
  {
    code: 18,
    meaning: 'key store or job queue not reachable',
    errors: ['ERR_STORE_UNAVAILABLE', 'ERR_QUEUE_UNAVAILABLE'],
  },
  { code: 19, meaning: 'key store belongs to another installation key', errors: ['ERR_WRONG_INSTALLATION'] },
  { code: EXIT_SOME_FAILED, meaning: 'several files or rows, some failed', errors: [] },
  { code: 21, meaning: 'not signed by a required writer', errors: ['ERR_NOT_SIGNED', 'ERR_WRONG_SIGNER'] },
  {
    code: EXIT_RECOVERED,
    meaning: 'recovered, incomplete: all that is authentic of a file whose end is missing',
    errors: [],
  },
  { code: EXIT_DOCTOR_WARNINGS, meaning: 'doctor: warnings, no errors', errors: [] },
  { code: EXIT_DOCTOR_ERRORS, meaning: 'doctor: errors', errors: [] },
  { code: EXIT_HUNG_UP, meaning: 'terminal or session closed (SIGHUP)', errors: [] },
  { code: EXIT_INTERRUPTED, meaning: 'interrupted (Ctrl-C)', errors: ['ERR_ABORTED'] },
  { code: EXIT_PIPE_CLOSED, meaning: 'the reader of standard output went away', errors: [] },
  { code: EXIT_TERMINATED, meaning: 'terminated (SIGTERM)', errors: [] },
];

const BY_ERROR = new Map(EXIT_CODES.flatMap((row) => row.errors.map((error) => [error, row.code] as const)));

/** The exit code of an error code; {@link EXIT_UNEXPECTED} for one that the table does not list. */
export function exitCodeOf(code: ErrorCode): number {
  return BY_ERROR.get(code) ?? EXIT_UNEXPECTED;
}

/** The table as Markdown, for docs/cli.md. */
export function exitCodesAsMarkdown(): string {
  const rows = EXIT_CODES.map(
    ({ code, meaning, errors }) => `| ${code} | ${meaning} | ${errors.map((error) => `\`${error}\``).join(', ')} |`,
  );
  return ['| exit code | meaning | error codes |', '|---|---|---|', ...rows].join('\n');
}
