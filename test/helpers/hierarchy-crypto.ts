/**
 * The key hierarchy's cryptography once more, by docs/keys.md alone and with Node's own OpenSSL: what the native module must
 * agree with. Keys are bytes here.
 */

import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';

import type { CipherKind, HashKind } from '../../lib/native/keys-binding.ts';

const KWP_IV = Buffer.from('A65959A6', 'hex');

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** SP 800-108 KBKDF in counter mode with HMAC-SHA-256. */
export function kbkdf(key: Uint8Array, label: string, context: Uint8Array, length: number): Buffer {
  const blocks = [];
  for (let i = 1; 32 * blocks.length < length; ++i) {
    const mac = createHmac('sha256', key).update(u32(i)).update(label).update(Buffer.of(0));
    blocks.push(
      mac
        .update(context)
        .update(u32(length * 8))
        .digest(),
    );
  }
  return Buffer.concat(blocks).subarray(0, length);
}

export function withOddParity(key: Uint8Array): Buffer {
  const adjusted = key.map((byte) => {
    const ones = (byte >> 1).toString(2).replaceAll('0', '').length;
    return (byte & 0xfe) | (ones % 2 === 0 ? 1 : 0);
  });
  return Buffer.from(adjusted);
}

/** The keys derived from a master key. */
export function derivedKeys(cipher: CipherKind, master: Uint8Array, context: Uint8Array) {
  const wrap = kbkdf(master, 'callseal wrap v1', context, cipher === 'aes' ? 32 : 24);
  return {
    wrap: cipher === 'aes' ? wrap : withOddParity(wrap),
    row: kbkdf(master, 'callseal row v1', context, 32),
    binding: kbkdf(master, 'callseal binding v1', context, 32),
  };
}

export function macOfRow(rowKey: Uint8Array, row: Uint8Array): Buffer {
  return createHmac('sha256', rowKey).update(row).digest();
}

export function wrapWorkingKey(cipher: CipherKind, wrapKey: Uint8Array, key: Uint8Array): Buffer {
  if (cipher === 'aes') {
    const kwp = createCipheriv('id-aes256-wrap-pad', wrapKey, KWP_IV);
    return Buffer.concat([kwp.update(key), kwp.final()]);
  }
  const iv = randomBytes(8);
  const cbc = createCipheriv('des-ede3-cbc', wrapKey, iv);
  return Buffer.concat([iv, cbc.update(key), cbc.final()]);
}

export function unwrapWorkingKey(cipher: CipherKind, wrapKey: Uint8Array, wrapped: Uint8Array): Buffer {
  const opening =
    cipher === 'aes'
      ? createDecipheriv('id-aes256-wrap-pad', wrapKey, KWP_IV)
      : createDecipheriv('des-ede3-cbc', wrapKey, wrapped.subarray(0, 8));
  return Buffer.concat([opening.update(cipher === 'aes' ? wrapped : wrapped.subarray(8)), opening.final()]);
}

/** A working key as bytes, and the binding key of its master key. */
export interface RawWorkingKey {
  cipher: CipherKind;
  hash: HashKind;
  key: Uint8Array;
  binding: Uint8Array;
}

export function encodeRecord(
  { cipher, hash, key, binding }: RawWorkingKey,
  header: Uint8Array,
  entity: Uint8Array,
  plaintext: Uint8Array,
  iv: Uint8Array = randomBytes(cipher === 'aes' ? 12 : 8),
): Buffer {
  let sealed: Buffer;
  if (cipher === 'aes') {
    const gcm = createCipheriv('aes-256-gcm', key, iv).setAAD(header);
    sealed = Buffer.concat([header, iv, gcm.update(plaintext), gcm.final(), gcm.getAuthTag()]);
  } else {
    const cbc = createCipheriv('des-ede3-cbc', key.subarray(0, 24), iv);
    const covered = Buffer.concat([header, iv, cbc.update(plaintext), cbc.final()]);
    const tag = createHmac(hash, key.subarray(24)).update(covered).digest();
    sealed = Buffer.concat([covered, tag.subarray(0, 16)]);
  }
  return Buffer.concat([sealed, createHmac(hash, binding).update(entity).update(sealed).digest()]);
}

/** The plaintext; throws when either tag is wrong. */
export function decodeRecord(
  { cipher, hash, key, binding }: RawWorkingKey,
  record: Uint8Array,
  headerLength: number,
  entity: Uint8Array,
): Buffer {
  const tagLength = hash === 'sha256' ? 32 : 20;
  const sealed = record.subarray(0, record.length - tagLength);
  const bindingTag = createHmac(hash, binding).update(entity).update(sealed).digest();
  if (!bindingTag.equals(record.subarray(sealed.length))) throw new Error('the binding tag is wrong');
  const covered = sealed.subarray(0, sealed.length - 16);
  const innerTag = sealed.subarray(covered.length);
  const ivEnd = headerLength + (cipher === 'aes' ? 12 : 8);
  const iv = covered.subarray(headerLength, ivEnd);
  if (cipher === 'aes') {
    const gcm = createDecipheriv('aes-256-gcm', key, iv).setAAD(covered.subarray(0, headerLength));
    gcm.setAuthTag(innerTag);
    return Buffer.concat([gcm.update(covered.subarray(ivEnd)), gcm.final()]);
  }
  const expected = createHmac(hash, key.subarray(24)).update(covered).digest().subarray(0, 16);
  if (!expected.equals(innerTag)) throw new Error('the inner tag is wrong');
  const cbc = createDecipheriv('des-ede3-cbc', key.subarray(0, 24), iv);
  return Buffer.concat([cbc.update(covered.subarray(ivEnd)), cbc.final()]);
}
