/** Source text without its comments, as the parser sees them: neither in strings nor in regular expressions. */

import { parseSync } from 'vite';

/**
 * @param {string} path whose ending says in which language
 * @param {string} text
 * @returns {string} as long as the text, with blanks in the place of comments
 */
export function withoutComments(path, text) {
  const { comments, errors } = parseSync(path, text);
  if (errors.length > 0) throw new Error(`${path} cannot be parsed: ${errors[0].message}`);
  let [bare, done] = ['', 0];
  for (const { start, end } of comments) {
    bare += text.slice(done, start) + text.slice(start, end).replaceAll(/[^\n]/g, ' ');
    done = end;
  }
  return bare + text.slice(done);
}
