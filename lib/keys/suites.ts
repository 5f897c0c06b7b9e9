/** Suites: which algorithms a master key and everything under it use, as one byte and as text. */

import { CallsealError } from '../errors.ts';
import type { CipherKind, HashKind } from '../native/keys-binding.ts';

/** The algorithms of a master key and of everything under it (`docs/keys.md`, "Suites"). */
export interface Suite {
  /** As docs/keys.md lays it out, 0 to 7. */
  readonly byte: number;
  /** Such as `aes/aes/sha256`. */
  readonly text: string;
  /** Of the master key, which wraps working keys. */
  readonly master: CipherKind;
  /** Of the working keys, which encrypt records. */
  readonly working: CipherKind;
  /** Of the master record's signature and of the records' HMACs. */
  readonly hash: HashKind;
}

const MASTER_3DES = 1;
const WORKING_3DES = 2;
const SHA1 = 4;

/** All eight, by their byte. */
export const SUITES: readonly Suite[] = Array.from({ length: 8 }, (_, byte) => {
  const master: CipherKind = byte & MASTER_3DES ? '3des' : 'aes';
  const working: CipherKind = byte & WORKING_3DES ? '3des' : 'aes';
  const hash: HashKind = byte & SHA1 ? 'sha1' : 'sha256';
  return { byte, text: `${master}/${working}/${hash}`, master, working, hash };
});

/** Names of suites beside their texts: the documented default of the product that Callseal's hierarchy follows. */
export const SUITE_ALIASES: Readonly<Record<string, string>> = { lumenvox: 'aes/3des/sha1' };

/** AES-256, AES-256, SHA-256. Every step of it is approved. */
export const DEFAULT_SUITE: Suite = SUITES[0]!;

export function isSuiteByte(byte: number): boolean {
  return byte < SUITES.length;
}

/** Of a byte that {@link isSuiteByte}. */
export function suiteOfByte(byte: number): Suite {
  return SUITES[byte]!;
}

/**
 * Reads `master/working/hash`, such as `aes/3des/sha256`, or an alias.
 *
 * @throws {CallsealError} `ERR_INVALID_ARGUMENT`
 */
export function parseSuite(text: string): Suite {
  const wanted = SUITE_ALIASES[text] ?? text;
  const suite = SUITES.find((candidate) => candidate.text === wanted);
  if (suite !== undefined) return suite;
  throw new CallsealError(
    'ERR_INVALID_ARGUMENT',
    `"${text}" is no suite; a suite is master/working/hash with aes or 3des, aes or 3des, sha256 or sha1, ` +
      `such as ${DEFAULT_SUITE.text}, or one of the names ${Object.keys(SUITE_ALIASES).join(', ')}`,
  );
}
