/** Just enough DER (X.690) to make RSA keys of the numbers in vector files. */

import { concat, hex } from './bytes.mjs';

const RSA_ENCRYPTION = hex('300d06092a864886f70d0101010500'); // AlgorithmIdentifier of RFC 8017 appendix C

/** SubjectPublicKeyInfo of big-endian numbers. */
export const spkiOfNumbers = (modulus, exponent) => spkiOfPkcs1(sequence(integer(modulus), integer(exponent)));

/** SubjectPublicKeyInfo around a PKCS#1 RSAPublicKey. */
export const spkiOfPkcs1 = (publicKey) => sequence(RSA_ENCRYPTION, element(0x03, concat(Uint8Array.of(0), publicKey)));

/** PKCS#8 of the eight numbers of an RSAPrivateKey, in its order: n, e, d, p, q, d mod p−1, d mod q−1, q⁻¹ mod p. */
export function pkcs8OfNumbers(numbers) {
  const zero = Uint8Array.of(0);
  const privateKey = sequence(integer(zero), ...numbers.map(integer));
  return sequence(integer(zero), RSA_ENCRYPTION, element(0x04, privateKey));
}

/** Bits of a big-endian number. */
export function bitLength(number) {
  const first = number.findIndex((byte) => byte !== 0);
  return first < 0 ? 0 : (number.length - first) * 8 - Math.clz32(number[first]) + 24;
}

function sequence(...parts) {
  return element(0x30, concat(...parts));
}

function integer(number) {
  const first = number.findIndex((byte) => byte !== 0);
  const magnitude = first < 0 ? Uint8Array.of(0) : number.subarray(first);
  return element(0x02, magnitude[0] >= 0x80 ? concat(Uint8Array.of(0), magnitude) : magnitude);
}

function element(tag, content) {
  const length = content.length;
  if (length < 0x80) return concat(Uint8Array.of(tag, length), content);
  const bytes = hex(length.toString(16).padStart(length > 0xffff ? 6 : length > 0xff ? 4 : 2, '0'));
  return concat(Uint8Array.of(tag, 0x80 | bytes.length), bytes, content);
}
