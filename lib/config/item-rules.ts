/**
 * Decides from an item's text alone whether it is a path to take literally.
 *
 * A path must be absolute. The vendor does not say which folder a relative one starts from, and another folder is
 * another certificate: guessing could encrypt for a stranger. Nothing is expanded; quotes make all literal.
 */

import { dirname, resolve } from 'node:path/posix';
import { INLINE_COMMENT, type Item } from './items.ts';
import type { ProblemRule } from './problems.ts';
import { shownItem } from './problems.ts';

/** Why an item is not taken. */
export interface Objection {
  readonly rule: ProblemRule;
  readonly message: string;
}

/** The longest path Linux opens, in bytes (PATH_MAX, without the NUL that ends it). */
const MAX_PATH_BYTES = 4095;

/**
 * What is wrong with an item, or undefined.
 *
 * @param configPath the configuration file, from whose folder an absolute path is proposed for a relative one.
 */
export function objectionTo(item: Item, configPath: string): Objection | undefined {
  const { text, inQuotes } = item;
  if (text.length > MAX_PATH_BYTES || Buffer.byteLength(text) > MAX_PATH_BYTES) return TOO_LONG;
  return (
    (inQuotes ? undefined : objectionToUnshownItem(text)) ??
    objectionToCharacters(item) ??
    (text.startsWith('/') ? undefined : objectionToRelative(text, configPath)) ??
    (inQuotes ? undefined : objectionToExpansion(text))
  );
}

const TOO_LONG: Objection = {
  rule: 'path-too-long',
  message: `a path is longer than ${MAX_PATH_BYTES} bytes, which Linux cannot open; check for a missing comma`,
};

function objectionToUnshownItem(text: string): Objection | undefined {
  if (/(?:^|[ \t])[A-Za-z0-9_-]{2,}[ \t]*=/.test(text)) {
    const message =
      'another setting stands in this list; ' +
      'write it on a line of its own, or put the path in quotes if "=" is part of it';
    return { rule: 'setting-in-list', message };
  }
  return /(?:^|[ \t])#/.test(text) ? { rule: 'inline-comment', message: INLINE_COMMENT } : undefined;
}

/** Control characters and U+FFFD, which stands for bytes that were not UTF-8; without quotes, whatever is not seen. */
function objectionToCharacters({ text, inQuotes }: Item): Objection | undefined {
  const refused = inQuotes ? /[\p{Cc}\ufffd]/u : /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\ufffd]|(?! )\p{Zs}/u;
  const found = refused.exec(text);
  if (found === null) return undefined;
  const code = found[0].codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0');
  const remedy = inQuotes
    ? 'type the path anew'
    : 'type the path anew, or put it in quotes if the character is part of it';
  return { rule: 'invisible-character', message: `${shownItem(text)} holds the character U+${code}; ${remedy}` };
}

function objectionToRelative(text: string, configPath: string): Objection {
  if (/^[A-Za-z]:|^\\/.test(text) || text.includes('\\')) return windowsPath(text);
  if (text.startsWith('~')) {
    const message = `${shownItem(text)} is not expanded: "~" means nothing here; write the home directory in full`;
    return { rule: 'not-expanded', message };
  }
  if (VARIABLE.test(text)) return notExpanded(text);
  if (/^[“”„‟‘’‚«»]/.test(text)) {
    return { rule: 'quote', message: `${shownItem(text)} stands in typographic quotes; write straight ones, or none` };
  }
  if (text === 'default') {
    const message = '"default" stands for no encryption and cannot be part of a list; remove it, or give it alone';
    return { rule: 'default-in-list', message };
  }
  const item = shownItem(text);
  const absolute = shownItem(resolve(dirname(resolve(configPath)), text));
  const remedy = item.startsWith('"') ? `write ${absolute} if that is the file meant` : 'write the path in full';
  const message = `${item} is not an absolute path, and no folder is assumed; ${remedy}`;
  return { rule: 'relative-path', message };
}

const VENDOR_DIRECTORY = '/etc/lumenvox/www/certs';

/** The vendor's certificate has a documented place on either system; for any other, only the file's name is known. */
function windowsPath(text: string): Objection {
  const name = text.split(/[\\/]/).at(-1) || 'NAME.crt';
  const remedy = /^lumenvox\.crt$/i.test(name)
    ? `write ${VENDOR_DIRECTORY}/lumenvox.crt, where the vendor installs it on Linux`
    : `copy the certificate to this system and write its path, such as ${shownItem(`${VENDOR_DIRECTORY}/${name}`)}`;
  return { rule: 'windows-path', message: `${shownItem(text)} is a Windows path, and this system is Linux; ${remedy}` };
}

const VARIABLE = /\$[A-Za-z_{(]|%[A-Za-z_][A-Za-z0-9_()]*%/;

function notExpanded(text: string): Objection {
  const message = `${shownItem(text)} is not expanded: variables mean nothing here; write the path in full`;
  return { rule: 'not-expanded', message };
}

function objectionToExpansion(text: string): Objection | undefined {
  if (VARIABLE.test(text)) return notExpanded(text);
  if (!/[*?]|\[[^\]]*\]/.test(text)) return undefined;
  const message =
    `${shownItem(text)} is a pattern, and patterns are not expanded; ` +
    'name each certificate, or put the path in quotes if it is literal';
  return { rule: 'glob', message };
}
