/** Names of tables and columns, and lists of them, as the command line gives them. */

import { CallsealError } from '../../errors.ts';

/** Bare, or in double quotes as in SQL, `""` for a quote inside. Names are taken as they are: no folding of case. */
const NAME = /^(?:([\p{L}_][\p{L}\p{N}_$]*)|"((?:[^"]|"")+)")/u;

/** Longer ones exist in neither database. */
const MAX_NAME = 256;

/**
 * Reads the name that a text begins with.
 *
 * @returns the name, and what follows it; null when there is none
 */
export function takeName(text: string): { name: string; rest: string } | null {
  const found = NAME.exec(text);
  if (found === null || found[0].length > MAX_NAME || found[0].includes('\0')) return null;
  return { name: found[1] ?? found[2]!.replaceAll('""', '"'), rest: text.slice(found[0].length) };
}

/**
 * Reads names with a separator between them: `schema.table`, `tenant_id,id`.
 *
 * @param option what the text was given for, for the message
 * @throws {CallsealError} `ERR_INVALID_ARGUMENT`
 */
export function parseNames(text: string, separator: '.' | ',', option: string): string[] {
  const names: string[] = [];
  for (let rest = text; ; ) {
    const taken = takeName(rest);
    if (taken === null) throw wrongName(option, text);
    names.push(taken.name);
    if (taken.rest === '') break;
    if (!taken.rest.startsWith(separator)) throw wrongName(option, text);
    rest = taken.rest.slice(1);
  }
  const twice = names.find((name, index) => separator === ',' && names.indexOf(name) !== index);
  if (twice !== undefined) throw new CallsealError('ERR_INVALID_ARGUMENT', `${option}: ${twice} is named twice`);
  return names;
}

/** A name as both databases want it in a statement. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function wrongName(option: string, text: string): CallsealError {
  return new CallsealError(
    'ERR_INVALID_ARGUMENT',
    `${option}: "${text}" is not understood; names are letters, digits, _ and $, or anything in double quotes`,
  );
}
