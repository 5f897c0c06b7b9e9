/**
 * An attacker's own tools: call files written from docs/format.md with node:crypto, with nothing of lib/, so that any part
 * can be made wrong while everything around it, MACs and tags included, is made right.
 */

import {
  constants,
  createCipheriv,
  createHash,
  createHmac,
  type KeyObject,
  publicEncrypt,
  randomBytes,
} from 'node:crypto';

import { derive, hkdfExpand, u64 } from '../independent-decoder.ts';

const CONTENT_KEY_BYTES = 32;

export function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** Section 1. */
export interface PreludeFields {
  version?: number;
  suite?: number;
  flags?: number;
  fileId?: Buffer;
  createdAt?: bigint;
  reserved?: bigint;
}

export function forgePrelude(fields: PreludeFields = {}): Buffer {
  const { version = 1, suite = 1, flags = 0, fileId = randomBytes(16), createdAt = 1_750_000_000_000n } = fields;
  const head = [Buffer.from('CALLSEAL'), u16(version), u16(suite), u32(flags), fileId];
  return Buffer.concat([...head, u64(createdAt), u64(fields.reserved ?? 0n)]);
}

/** SHA-256 of the DER SubjectPublicKeyInfo. */
export function keyIdOf(publicKey: KeyObject): Buffer {
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest();
}

/** RSA-OAEP; SHA-256 and no label unless told otherwise. */
export function wrapKey(publicKey: KeyObject, secret: Buffer, oaep: { hash?: string; label?: Buffer } = {}): Buffer {
  const { hash = 'sha256', label } = oaep;
  const options = { key: publicKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: hash };
  return publicEncrypt({ ...options, ...(label !== undefined && { oaepLabel: label }) }, secret);
}

/** Plain RSA of a number of the attacker's choice, as long as the modulus. */
export function plainRsa(publicKey: KeyObject, encoded: Buffer): Buffer {
  return publicEncrypt({ key: publicKey, padding: constants.RSA_NO_PADDING }, encoded);
}

/** Section 2, one entry of a bare public key, or of a certificate when `certificate` has what follows the kind. */
export interface EntryFields {
  keyWrap?: number;
  keyId: Buffer;
  wrappedLength?: number;
  wrapped: Buffer;
  kind?: number;
  certificate?: Buffer;
}

export function forgeEntry(fields: EntryFields): Buffer {
  const { keyId, wrapped, certificate, keyWrap = 1, wrappedLength = wrapped.length } = fields;
  const kind = fields.kind ?? (certificate === undefined ? 0 : 1);
  const head = [u16(keyWrap), keyId, u16(wrappedLength), wrapped, Buffer.of(kind)];
  return Buffer.concat([...head, certificate ?? Buffer.alloc(0)]);
}

/** The content key for the holder of a key. */
export function entryFor(publicKey: KeyObject, contentKey: Buffer): Buffer {
  return forgeEntry({ keyId: keyIdOf(publicKey), wrapped: wrapKey(publicKey, contentKey) });
}

/** What an entry says of a certificate. */
export interface CertificateFields {
  notBefore?: bigint;
  notAfter?: bigint;
  serial?: Buffer;
  serialLength?: number;
  subject?: Buffer;
  subjectLength?: number;
  issuer?: Buffer;
  issuerLength?: number;
}

export function forgeCertificate(fields: CertificateFields = {}): Buffer {
  const { notBefore = 1_700_000_000n, notAfter = 1_900_000_000n, serial = Buffer.of(7) } = fields;
  const { subject = Buffer.from('CN=Mary'), issuer = Buffer.from('CN=Mary') } = fields;
  return Buffer.concat([
    Buffer.alloc(32, 3),
    u64(BigInt.asUintN(64, notBefore)),
    u64(BigInt.asUintN(64, notAfter)),
    Buffer.of(fields.serialLength ?? serial.length),
    serial,
    u16(fields.subjectLength ?? subject.length),
    subject,
    u16(fields.issuerLength ?? issuer.length),
    issuer,
  ]);
}

export interface SectionFields {
  length?: number;
  count?: number;
  reserved?: number;
}

export function forgeRecipients(entries: readonly Buffer[], fields: SectionFields = {}): Buffer {
  const all = Buffer.concat(entries);
  const { length = all.length, count = entries.length, reserved = 0 } = fields;
  return Buffer.concat([u32(length), u16(count), u16(reserved), all]);
}

/** Section 3. */
export function forgeMac(contentKey: Buffer, prelude: Buffer, recipients: Buffer): Buffer {
  const key = derive(contentKey, 'callseal v1 recipients', prelude);
  return createHmac('sha256', key).update(prelude).update(recipients).digest();
}

/** Section 4. */
export function bodyKeyOf(contentKey: Buffer, prelude: Buffer): Buffer {
  return derive(contentKey, 'callseal v1 body', prelude);
}

/** Section 5: the header of a body, and the keys that follow from it. */
export interface Floe {
  header: Buffer;
  segmentLength: number;
  dataKey(index: bigint): Buffer;
}

export interface FloeFields {
  segmentLength?: number;
  ivLength?: number;
  aead?: number;
  kdf?: number;
  iv?: Buffer;
}

export function forgeFloe(bodyKey: Buffer, aad: Buffer, fields: FloeFields = {}): Floe {
  const { segmentLength = 1024, ivLength = 32, aead = 0, kdf = 0, iv = randomBytes(32) } = fields;
  const context = Buffer.concat([Buffer.of(aead, kdf), u32(segmentLength), u32(ivLength), iv]);
  const expand = (key: Buffer, purpose: Buffer, length: number): Buffer =>
    hkdfExpand(key, Buffer.concat([context, purpose, aad]), length);
  const messageKey = expand(bodyKey, Buffer.from('MESSAGE_KEY:'), 48);
  return {
    header: Buffer.concat([context, expand(bodyKey, Buffer.from('HEADER_TAG:'), 32)]),
    segmentLength,
    dataKey: (index) => expand(messageKey, Buffer.concat([Buffer.from('DEK:'), u64(index - (index % 1048576n))]), 32),
  };
}

export function segmentAad(index: bigint, last: boolean): Buffer {
  return Buffer.concat([u64(index), Buffer.of(last ? 1 : 0)]);
}

/** One segment; `mark` is what the format says unless told otherwise. */
export function forgeSegment(floe: Floe, index: bigint, last: boolean, plaintext: Buffer, mark?: number): Buffer {
  const iv = randomBytes(12);
  const gcm = createCipheriv('aes-256-gcm', floe.dataKey(index), iv, { authTagLength: 16 });
  gcm.setAAD(segmentAad(index, last));
  const text = Buffer.concat([gcm.update(plaintext), gcm.final()]);
  return Buffer.concat([u32(mark ?? (last ? text.length + 32 : 0xffff_ffff)), iv, text, gcm.getAuthTag()]);
}

/** A whole body. */
export function forgeBody(floe: Floe, plaintext: Buffer): Buffer {
  const full = floe.segmentLength - 32;
  const parts = [floe.header];
  for (let at = 0, index = 0n; ; at += full, index++) {
    const last = at + full >= plaintext.length;
    parts.push(forgeSegment(floe, index, last, plaintext.subarray(at, at + full)));
    if (last) return Buffer.concat(parts);
  }
}

/** What a forged file is made of; whatever is not given is made as it should be. */
export interface Forgery {
  contentKey?: Buffer;
  prelude?: Buffer;
  entries?: readonly Buffer[];
  /** The section, instead of one made of `entries`. */
  recipients?: Buffer;
  mac?: Buffer;
  floe?: FloeFields;
  plaintext?: Buffer;
  /** With its header, instead of one made of `plaintext`. */
  body?: Buffer;
}

export function forgeFile(forgery: Forgery): Buffer {
  const {
    contentKey = randomBytes(CONTENT_KEY_BYTES),
    prelude = forgePrelude(),
    plaintext = Buffer.alloc(0),
  } = forgery;
  const recipients = forgery.recipients ?? forgeRecipients(forgery.entries ?? []);
  const mac = forgery.mac ?? forgeMac(contentKey, prelude, recipients);
  const body = forgery.body ?? forgeBody(forgeFloe(bodyKeyOf(contentKey, prelude), prelude, forgery.floe), plaintext);
  return Buffer.concat([prelude, recipients, mac, body]);
}
