/** OpenSSL's names of hash functions, from those of Wycheproof, CAVP and RFCs. */

import { NotApplicable } from './verdict.mjs';

const SHA2 = /^SHA-?(224|256|384|512)(?:[/_](224|256))?$/;
const SHA3 = /^SHA-?3[-_](224|256|384|512)$/;

/**
 * @param name such as `SHA-256`, `SHA512/224`, `SHA3-384`
 * @throws NotApplicable for a hash outside SHA-1, SHA-2 and SHA-3
 */
export function digestName(name) {
  if (typeof name !== 'string') throw new Error('the vector names no hash function');
  const upper = name.toUpperCase();
  if (/^SHA-?1$/.test(upper)) return 'SHA1';
  const sha2 = SHA2.exec(upper);
  if (sha2 !== null) return sha2[2] === undefined ? `SHA2-${sha2[1]}` : `SHA2-${sha2[1]}/${sha2[2]}`;
  const sha3 = SHA3.exec(upper);
  if (sha3 !== null) return `SHA3-${sha3[1]}`;
  throw new NotApplicable(`${name} is none of the hash functions used (SHA-1, SHA-2 and SHA-3)`);
}

/** Bytes of a hash by OpenSSL's name. */
export function digestLength(name) {
  return name === 'SHA1' ? 20 : Number(/\d+$/.exec(name)[0]) / 8;
}
