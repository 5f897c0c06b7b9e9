/**
 * FLOE known-answer files: hexadecimal text, the message in `NAME_ct.txt` and its plaintext in `NAME_pt.txt`. Key and
 * associated data are the specification's; files with "rotation" in their name change the data key every 4 segments.
 */

import { existsSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { hex, utf8 } from '../bytes.mjs';
import { floeChecks } from '../checks/floe.mjs';

const KEY = new Uint8Array(32);
const AAD = utf8('This is AAD');
const ROTATION_BITS = 20;
const SHORT_ROTATION_BITS = 2;

/** Either file stands for the pair: the name of the message file, or null when the name is none of a pair. */
export function floeMessagePath(path) {
  return /_[cp]t\.txt$/.test(path) ? path.replace(/_pt\.txt$/, '_ct.txt') : null;
}

/** The suite of a pair, or null when there is none. */
export function readFloePair({ path }) {
  const messagePath = floeMessagePath(path);
  const plaintextPath = messagePath?.replace(/_ct\.txt$/, '_pt.txt');
  if (messagePath === null || !existsSync(messagePath) || !existsSync(plaintextPath)) return null;
  const [message, plaintext] = [messagePath, plaintextPath].map((file) => readFileSync(file, 'utf8').trim());
  if (![message, plaintext].every((text) => /^[0-9a-f]*$/i.test(text))) return null;
  const rotationBits = /rotation/i.test(basename(path)) ? SHORT_ROTATION_BITS : ROTATION_BITS;
  const vector = { key: KEY, aad: AAD, message: hex(message), plaintext: hex(plaintext), rotationBits };
  const cases = floeChecks(vector).map(([name, run]) => ({ name, run }));
  return { format: 'FLOE', algorithm: 'known answer', cases };
}
