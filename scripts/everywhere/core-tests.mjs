/** The suite's core part: what has to be the same everywhere, without databases, tokens and minutes. */

const filesOf = (...names) => names.map((name) => `test/${name}.test.ts`);

/** Formats, vectors, encryption and decryption in every way, recipients, the key hierarchy on SQLite, the command line. */
export const CORE = filesOf(
  'status',
  'vectors',
  'golden',
  'callfile-sizes',
  'callfile-streams',
  'callfile-ranges',
  'callfile-inspect',
  'config-parse',
  'signature-vectors',
  'keys-vectors',
  'keys-records',
  'keys-suites',
  'keys-encodings',
  'stores-sqlite-files',
  'cli-decrypt',
  'cli-protect',
);

/** Of these, what a few seconds allow. */
export const SHORT = filesOf('callfile-inspect', 'config-parse', 'keys-vectors', 'signature-vectors');
