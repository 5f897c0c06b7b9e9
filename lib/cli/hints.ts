/** What to type next: hints that only the command line can give, because they name its options. */

import { CallsealError, type ErrorCode } from '../errors.ts';

const HAS_FORCE = [
  'encrypt',
  'decrypt',
  'rekey',
  'export-cms',
  'import-cms',
  'bench',
  'report',
  'protect',
  'unprotect',
];
const HAS_OUTPUT = ['encrypt', 'decrypt', 'export-cms', 'import-cms'];
const CHANGES_RECIPIENTS = ['recipients add', 'recipients replace', 'rekey'];
const TAKES_CERTIFICATES = ['encrypt', 'agent', 'export-cms', 'import-cms', ...CHANGES_RECIPIENTS];
const OPENS_FILES = ['decrypt', 'verify', 'tail', 'export-cms', 'recipients remove', ...CHANGES_RECIPIENTS];

const WHO_SIGNED = 'callseal inspect FILE shows who claims to have signed it';
const WHAT_IS_WRONG = 'callseal doctor shows what is wrong on this host, and what to do';

const HINTS: Partial<Record<ErrorCode, string | ((command: string) => string | undefined)>> = {
  ERR_OUTPUT_EXISTS: (command) => {
    if (!HAS_FORCE.includes(command)) return undefined;
    const elsewhere = HAS_OUTPUT.includes(command) ? '; -o FILE or --output-dir DIR writes elsewhere' : '';
    return `--force replaces what exists${elsewhere}`;
  },
  ERR_PASSPHRASE_REQUIRED: (command) =>
    command === 'keygen' ? '--no-passphrase leaves the key unencrypted' : undefined,
  ERR_NO_MATCHING_KEY: (command) =>
    OPENS_FILES.includes(command) ? 'callseal inspect FILE shows whose keys open it' : undefined,
  ERR_TRUNCATED: (command) => (command === 'decrypt' ? '--recover takes all that is authentic of it' : undefined),
  ERR_TAMPERED: (command) =>
    command === 'decrypt'
      ? 'fetch it again from its source; --recover takes what is authentic before the damage'
      : undefined,
  ERR_NOT_SIGNED: WHO_SIGNED,
  ERR_WRONG_SIGNER: WHO_SIGNED,
  ERR_NATIVE_UNAVAILABLE: WHAT_IS_WRONG,
  ERR_CRYPTO_NOT_ISOLATED: WHAT_IS_WRONG,
  ERR_STORE_UNAVAILABLE: WHAT_IS_WRONG,
  ERR_ALREADY_ENCRYPTED: 'callseal inspect FILE shows for whom it is encrypted',
  ERR_CERTIFICATE_EXPIRED: '--expired warn uses it all the same, --expired skip leaves it out',
  ERR_CERTIFICATE_NOT_YET_VALID: '--not-yet-valid warn uses it all the same, --not-yet-valid skip leaves it out',
  ERR_CERTIFICATE_WEAK: '--weak skip leaves it out; a key of 2048 bits or more is needed',
  ERR_CERTIFICATE_NOT_RSA: '--non-rsa skip leaves it out',
  ERR_CERTIFICATE_UNREADABLE: '--unreadable skip encrypts for the others alone',
  ERR_CERTIFICATE_DUPLICATE: '--duplicate skip uses it once',
  ERR_CONFIG: (command) =>
    command === 'config check' ? undefined : 'callseal config check FILE shows everything that is wrong with it',
};

/** A hint for an error of a command, if there is one. */
export function hintFor(error: unknown, command: string): string | undefined {
  if (!(error instanceof CallsealError)) return undefined;
  if (error.code.startsWith('ERR_CERTIFICATE_') && !TAKES_CERTIFICATES.includes(command)) return undefined;
  const hint = HINTS[error.code];
  return typeof hint === 'function' ? hint(command) : hint;
}
