/**
 * One AES-256-GCM ciphertext with one tag that is authentic under two keys ("invisible salamanders", Dodis, Grubbs, Ristenpart
 * and Woodage, Crypto 2018): GHASH is linear, so one block of the ciphertext can be solved for.
 */

import { createCipheriv } from 'node:crypto';

const POLYNOMIAL = 0xe1n << 120n;

/** In GF(2^128), bits in GCM's order. */
function multiply(x: bigint, y: bigint): bigint {
  let product = 0n;
  let shifted = y;
  for (let bit = 127n; bit >= 0n; bit--) {
    if ((x >> bit) & 1n) product ^= shifted;
    shifted = shifted & 1n ? (shifted >> 1n) ^ POLYNOMIAL : shifted >> 1n;
  }
  return product;
}

const ONE = 1n << 127n;

function power(base: bigint, exponent: bigint): bigint {
  let result = ONE;
  let square = base;
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = multiply(result, square);
    square = multiply(square, square);
  }
  return result;
}

const inverse = (x: bigint): bigint => power(x, (1n << 128n) - 2n);
const toNumber = (block: Buffer): bigint => BigInt(`0x${block.toString('hex')}`);
const toBlock = (value: bigint): Buffer => Buffer.from(value.toString(16).padStart(32, '0'), 'hex');

function encryptBlock(key: Buffer, block: Buffer): bigint {
  const cipher = createCipheriv('aes-256-ecb', key, null).setAutoPadding(false);
  return toNumber(cipher.update(block));
}

/** What a key makes of the blocks: the tag without the ciphertext block that is still free, and that block's factor. */
function tagParts(key: Buffer, iv: Buffer, blocks: readonly bigint[], free: number): { tag: bigint; factor: bigint } {
  const hashKey = encryptBlock(key, Buffer.alloc(16));
  let hash = 0n;
  for (const block of blocks) hash = multiply(hash ^ block, hashKey);
  const first = encryptBlock(key, Buffer.concat([iv, Buffer.of(0, 0, 0, 1)]));
  return { tag: hash ^ first, factor: power(hashKey, BigInt(blocks.length - free)) };
}

export interface Collision {
  ciphertext: Buffer;
  tag: Buffer;
}

/**
 * @param aad At most 16 bytes.
 * @param ciphertext Whole blocks; the last one is replaced.
 */
export function collide(keys: readonly [Buffer, Buffer], iv: Buffer, aad: Buffer, ciphertext: Buffer): Collision {
  const texts: bigint[] = [];
  for (let at = 0; at < ciphertext.length; at += 16) texts.push(toNumber(ciphertext.subarray(at, at + 16)));
  texts[texts.length - 1] = 0n;
  const lengths = (BigInt(aad.length * 8) << 64n) | BigInt(ciphertext.length * 8);
  const blocks = [toNumber(Buffer.concat([aad, Buffer.alloc(16 - aad.length)])), ...texts, lengths];
  const free = blocks.length - 2;
  const one = tagParts(keys[0], iv, blocks, free);
  const two = tagParts(keys[1], iv, blocks, free);
  const solved = multiply(one.tag ^ two.tag, inverse(one.factor ^ two.factor));
  return {
    ciphertext: Buffer.concat([ciphertext.subarray(0, -16), toBlock(solved)]),
    tag: toBlock(one.tag ^ multiply(solved, one.factor)),
  };
}
