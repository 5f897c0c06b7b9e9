/** Secrets as JavaScript could hold them: the strings of a V8 heap snapshot, and the bytes of array buffers. */

import { readFileSync } from 'node:fs';
import { ByteSearch, type Needle } from './byte-search.ts';
import type { Secret } from './known-secrets.ts';

/** V8's flag for snapshots with whole strings: by default they are cut after 1024 characters. To be set from within. */
export const WHOLE_STRINGS = '--heap-snapshot-string-limit=1000000000';

/** Which of the secrets are in the strings of a snapshot, in any of the ways to write bytes. */
export function secretsInSnapshot(path: string, secrets: readonly Secret[]): string[] {
  const { strings } = JSON.parse(readFileSync(path, 'utf8')) as { strings: string[] };
  const search = new ByteSearch(secrets.flatMap(textNeedles));
  const text = Buffer.from(strings.join('\n'), 'utf16le');
  return [...new Set(search.in(text).map(({ name }) => name))];
}

/** Characters of a piece: more than there are by chance. */
const PIECE = 12;

function textNeedles({ name, bytes, isNumber }: Secret): Needle[] {
  const orders = isNumber ? [bytes, Buffer.from(bytes).reverse()] : [bytes];
  return orders.flatMap((order) =>
    Object.entries(textsOf(order)).map(([form, text]) => {
      const whole = text.length < PIECE ? text : text.slice(0, Math.max(PIECE, 16));
      return { name: `${name}, as ${form}`, bytes: Buffer.from(whole, 'utf16le') };
    }),
  );
}

function textsOf(bytes: Buffer): Record<string, string> {
  const texts: Record<string, string> = {
    'UTF-8': bytes.toString('utf8'),
    'Latin-1': bytes.toString('latin1'),
    'two-byte characters': bytes.subarray(0, bytes.length & ~1).toString('utf16le'),
    hexadecimal: bytes.toString('hex'),
    'upper-case hexadecimal': bytes.toString('hex').toUpperCase(),
    'decimal numbers': bytes.subarray(0, 8).join(','),
  };
  // Within other bytes it may begin at any of three places of a group; its own first group is then another.
  for (const before of [0, 1, 2]) {
    const shifted = Buffer.concat([Buffer.alloc(before), bytes.subarray(0, 30)]);
    texts[`base64 from ${before}`] = shifted.toString('base64').slice(4, 24);
    texts[`base64url from ${before}`] = shifted.toString('base64url').slice(4, 24);
  }
  return texts;
}
