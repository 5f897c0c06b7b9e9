/** Subjects as `openssl req -subj` takes them. */

import { CallsealError } from '../errors.ts';

/**
 * Parses `/type=value/type=value…`: a backslash takes the next character as it is. Multi-valued names (`+`) are
 * refused rather than misread: write `\+` for a plus sign.
 *
 * @returns type and value in the order given
 * @throws CallsealError ERR_INVALID_ARGUMENT, saying what to write
 */
export function parseSubject(text: string): [type: string, value: string][] {
  if (!text.startsWith('/')) throw wrong(`it must begin with a slash, as in "/C=US/O=MyCompany/CN=recordings"`);
  const parts = splitUnescaped(text.slice(1));
  return parts.map((part) => {
    const type = /^\s*([A-Za-z0-9.-]+)=/.exec(part.raw);
    if (type === null) throw wrong(`"${part.raw}" is not TYPE=VALUE; write \\/ for a slash inside a value`);
    const value = part.text.slice(type[0].length);
    if (value === '') throw wrong(`${type[1]} has no value; leave it out instead`);
    return [type[1]!, value];
  });
}

/** Splits at slashes; `raw` keeps the backslashes. Both are the same up to the `=`, as no type has a backslash. */
function splitUnescaped(text: string): { raw: string; text: string }[] {
  const parts = [{ raw: '', text: '' }];
  for (let i = 0; i < text.length; i += 1) {
    const part = parts.at(-1)!;
    const c = text[i]!;
    if (c === '/') {
      parts.push({ raw: '', text: '' });
    } else if (c === '+') {
      throw wrong('a name with several values (+) is not supported; write \\+ for a plus sign');
    } else if (c === '\\') {
      i += 1;
      if (i === text.length) throw wrong('it ends in a backslash');
      part.raw += `\\${text[i]}`;
      part.text += text[i];
    } else {
      part.raw += c;
      part.text += c;
    }
  }
  return parts;
}

function wrong(why: string): CallsealError {
  return new CallsealError('ERR_INVALID_ARGUMENT', `--subject: ${why}`);
}
