/** The suite's core part: what has to be the same everywhere, without databases, tokens and minutes. */

const filesOf = (...names) => names.map((name) => `test/${name}.test.ts`);

/** Formats, vectors, encryption and decryption in every way, recipients, the key hierarchy on SQLite, the command line. */
export const CORE = filesOf(
  'isolation',
  'fips-load',
  'status',
  'vectors',
  'golden',
  'header-codec',
  'callfile-sizes',
  'callfile-files',
  'callfile-streams',
  'callfile-ranges',
  'callfile-inspect',
  'keyring',
  'recipients',
  'config-parse',
  'config-files',
  'config-recipients',
  'signature-vectors',
  'signatures',
  'cms-interchange',
  'seal',
  'keys-vectors',
  'keys-records',
  'keys-suites',
  'keys-encodings',
  'stores-sqlite-files',
  'cli-encrypt',
  'cli-decrypt',
  'cli-inspect',
  'cli-keygen',
  'cli-protect',
  'cli-text',
);

/** Of these, what a few seconds allow. */
export const SHORT = filesOf('header-codec', 'callfile-inspect', 'config-parse', 'keys-vectors', 'signature-vectors');
