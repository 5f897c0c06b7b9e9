/**
 * Reads the vendor's `client_property.conf`, and from it the certificates that call files are encrypted for.
 *
 * Most callers need {@link encryptionRecipients}: it returns the paths listed in LOGGING_ENCRYPTION_KEY with the line
 * and column of each, or throws an `ERR_CONFIG` that names file and line. A tool that checks a configuration passes
 * `onError: 'report'` and prints each problem with {@link formatProblem}.
 *
 * The rules, each enforced and tested:
 *
 * - The setting counts in any section and in none. Given twice, the last one wins, with a warning.
 * - Absent, empty or `default`, it names nobody, which is an error: nothing is ever encrypted for nobody.
 * - Items are separated by commas. The list may begin on the line below the setting and go on below a line that ends
 *   with a comma; a comment, blank line, section or setting ends it.
 * - Quotes around a whole item, single or double, make every character in it literal, commas included.
 * - Paths are absolute and taken literally. Relative paths, Windows paths, `~`, `$VAR`, `%VAR%` and patterns are errors
 *   that propose what to write; so are `;` between items and `# comment` behind them.
 * - Every path must be a regular file this user may read. Nothing is opened here: `lib/recipients` does that.
 * - Empty items and a path listed twice are warnings; the path is used once.
 *
 * The file holds a password. No message quotes anything but items of that list, and a {@link Setting} keeps its value
 * out of JSON and logs.
 */

export { encryptionRecipients, type RecipientPath } from './encryption-recipients.ts';
export type { ClientProperties } from './model.ts';
export { MAX_CONFIG_BYTES, parseClientProperties } from './parse.ts';
export { type ConfigProblem, formatProblem } from './problems.ts';
export { DEFAULT_CONFIG_PATH, readClientProperties } from './read.ts';
