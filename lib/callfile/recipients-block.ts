/** The recipients section: who can open the file (`docs/format.md`, section 2). */

import { CallsealError } from '../errors.ts';
import {
  MAX_CERTIFICATE_TIME,
  MAX_NAME_BYTES,
  MAX_RECIPIENTS,
  MAX_SERIAL_BYTES,
  MIN_CERTIFICATE_TIME,
} from '../recipients/limits.ts';
import { ByteReader } from './byte-reader.ts';
import { unsupported } from './faults.ts';
import {
  KEY_ID_BYTES,
  KEY_WRAP_RSA_OAEP,
  KIND_CERTIFICATE,
  KIND_PUBLIC_KEY,
  MAX_RECIPIENTS_BYTES,
  MAX_WRAPPED_BYTES,
  MIN_ENTRY_BYTES,
  MIN_WRAPPED_BYTES,
  PRELUDE_BYTES,
  RECIPIENTS_HEAD_BYTES,
} from './format.ts';

const SHA256_BYTES = 32;

/** What an entry tells people about the certificate it was made for. */
export interface EntryCertificate {
  /** SHA-256 of the DER certificate, 32 bytes. */
  sha256: Uint8Array;
  /** Seconds since 1970-01-01T00:00:00Z, in the years 0000 to 9999. */
  notBefore: number;
  notAfter: number;
  /** Big-endian magnitude, 1 to 255 bytes, without leading zeros; one zero byte for the serial 0. */
  serial: Uint8Array;
  /** RFC 4514 text. */
  subject: string;
  issuer: string;
}

/** One recipient of a file. */
export interface RecipientEntry {
  /** SHA-256 of the DER SubjectPublicKeyInfo, 32 bytes. */
  keyId: Uint8Array;
  /** The content key under RSA-OAEP, as long as the modulus. */
  wrappedKey: Uint8Array;
  /** Null for a bare public key. */
  certificate: EntryCertificate | null;
}

/** An encoded section, and where in it each entry's wrapped key lies. */
export interface EncodedRecipients {
  bytes: Uint8Array;
  wrapOffsets: number[];
}

/**
 * Lays out the section, in the order of `entries`.
 *
 * @throws {CallsealError} `ERR_INVALID_ARGUMENT` when an entry or their number breaks a rule of the format.
 */
export function encodeRecipients(entries: readonly RecipientEntry[]): EncodedRecipients {
  if (entries.length < 1 || entries.length > MAX_RECIPIENTS) {
    throw refuse(`a file has 1 to ${MAX_RECIPIENTS} recipients, not ${entries.length}`);
  }
  const parts = entries.map(encodeEntry);
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  if (length > MAX_RECIPIENTS_BYTES) {
    throw refuse(`the recipients take ${length} bytes, more than the ${MAX_RECIPIENTS_BYTES} a file has room for`);
  }
  const bytes = new Uint8Array(RECIPIENTS_HEAD_BYTES + length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, length);
  view.setUint16(4, entries.length);
  const wrapOffsets: number[] = [];
  let offset = RECIPIENTS_HEAD_BYTES;
  for (const part of parts) {
    bytes.set(part, offset);
    wrapOffsets.push(offset + 2 + KEY_ID_BYTES + 2);
    offset += part.length;
  }
  return { bytes, wrapOffsets };
}

function encodeEntry(entry: RecipientEntry): Uint8Array {
  const { keyId, wrappedKey, certificate } = entry;
  if (keyId.length !== KEY_ID_BYTES) throw refuse(`a key id has ${KEY_ID_BYTES} bytes, not ${keyId.length}`);
  if (wrappedKey.length < MIN_WRAPPED_BYTES || wrappedKey.length > MAX_WRAPPED_BYTES) {
    throw refuse(`a wrapped key has ${MIN_WRAPPED_BYTES} to ${MAX_WRAPPED_BYTES} bytes, not ${wrappedKey.length}`);
  }
  const head = [u16(KEY_WRAP_RSA_OAEP), keyId, u16(wrappedKey.length), wrappedKey];
  if (certificate === null) return Buffer.concat([...head, Uint8Array.of(KIND_PUBLIC_KEY)]);
  return Buffer.concat([...head, Uint8Array.of(KIND_CERTIFICATE), ...encodeCertificate(certificate)]);
}

/** What describes a certificate, for entries of recipients and for the signer. */
export function encodeCertificate(certificate: EntryCertificate): Uint8Array[] {
  const { sha256, serial } = certificate;
  if (sha256.length !== SHA256_BYTES) throw refuse(`a certificate id has ${SHA256_BYTES} bytes, not ${sha256.length}`);
  if (!isCanonicalSerial(serial)) throw refuse('a serial number has 1 to 255 bytes without leading zeros');
  const subject = encodeText(certificate.subject, 'subject');
  const issuer = encodeText(certificate.issuer, 'issuer');
  return [
    sha256,
    encodeTime(certificate.notBefore),
    encodeTime(certificate.notAfter),
    Uint8Array.of(serial.length),
    serial,
    u16(subject.length),
    subject,
    u16(issuer.length),
    issuer,
  ];
}

function encodeTime(seconds: number): Uint8Array {
  if (!Number.isInteger(seconds) || !isCertificateTime(seconds)) {
    throw refuse(`certificate time ${seconds} is not in the years 0000 to 9999`);
  }
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigInt64(0, BigInt(seconds));
  return bytes;
}

function encodeText(text: string, what: string): Uint8Array {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length > MAX_NAME_BYTES) throw refuse(`the ${what} has ${bytes.length} bytes, more than ${MAX_NAME_BYTES}`);
  if (hasControlCharacter(text)) throw refuse(`the ${what} has a control character`);
  return bytes;
}

function u16(value: number): Uint8Array {
  return Uint8Array.of(value >> 8, value & 0xff);
}

function refuse(message: string): CallsealError {
  return new CallsealError('ERR_INVALID_ARGUMENT', message);
}

/** What the first 8 bytes of the section say. */
export interface RecipientsHead {
  /** Bytes of all entries together. */
  length: number;
  count: number;
}

/**
 * Reads the first 8 bytes of the section, so that a reader knows how many more it needs.
 *
 * @throws {CallsealError} `ERR_TAMPERED`.
 */
export function decodeRecipientsHead(bytes: Uint8Array, path?: string): RecipientsHead {
  const reader = new ByteReader(bytes.subarray(0, RECIPIENTS_HEAD_BYTES), PRELUDE_BYTES, path);
  const length = reader.u32('length of the recipients');
  if (length > MAX_RECIPIENTS_BYTES) {
    throw reader.fault(`the recipients claim ${length} bytes, more than ${MAX_RECIPIENTS_BYTES}`, PRELUDE_BYTES);
  }
  const count = reader.u16('number of recipients');
  if (count < 1 || count > MAX_RECIPIENTS) {
    throw reader.fault(`${count} recipients, outside 1 to ${MAX_RECIPIENTS}`, PRELUDE_BYTES + 4);
  }
  if (count * MIN_ENTRY_BYTES > length) {
    throw reader.fault(`${count} recipients do not fit in ${length} bytes`, PRELUDE_BYTES + 4);
  }
  if (reader.u16('reserved field') !== 0) throw reader.fault('the reserved bytes are not zero', PRELUDE_BYTES + 6);
  return { length, count };
}

/**
 * Reads a whole section, head included. The result holds views of `bytes`.
 *
 * @throws {CallsealError} `ERR_TAMPERED`, `ERR_UNSUPPORTED_VERSION`.
 */
export function decodeRecipients(bytes: Uint8Array, path?: string): RecipientEntry[] {
  const { length, count } = decodeRecipientsHead(bytes, path);
  const entries = bytes.subarray(RECIPIENTS_HEAD_BYTES, RECIPIENTS_HEAD_BYTES + length);
  const reader = new ByteReader(entries, PRELUDE_BYTES + RECIPIENTS_HEAD_BYTES, path);
  const seen = new Set<string>();
  const result: RecipientEntry[] = [];
  for (let index = 0; index < count; index++) {
    const start = reader.offset;
    const entry = decodeEntry(reader);
    const id = Buffer.from(entry.keyId).toString('latin1');
    if (seen.has(id)) throw reader.fault(`recipient ${index + 1} has the key id of an earlier one`, start);
    seen.add(id);
    result.push(entry);
  }
  if (reader.remaining > 0) throw reader.fault(`${reader.remaining} bytes follow the last recipient`);
  return result;
}

function decodeEntry(reader: ByteReader): RecipientEntry {
  const start = reader.offset;
  const keyWrap = reader.u16('key wrap');
  if (keyWrap !== KEY_WRAP_RSA_OAEP) throw unsupported(reader.path, start, `key wrap ${keyWrap} is not known`);
  const keyId = reader.take(KEY_ID_BYTES, 'key id');
  const lengthOffset = reader.offset;
  const length = reader.u16('length of the wrapped key');
  if (length < MIN_WRAPPED_BYTES || length > MAX_WRAPPED_BYTES) {
    const range = `${MIN_WRAPPED_BYTES} to ${MAX_WRAPPED_BYTES}`;
    throw reader.fault(`a wrapped key of ${length} bytes, outside ${range}`, lengthOffset);
  }
  const wrappedKey = reader.take(length, 'wrapped key');
  const kindOffset = reader.offset;
  const kind = reader.u8('kind of recipient');
  if (kind === KIND_PUBLIC_KEY) return { keyId, wrappedKey, certificate: null };
  if (kind === KIND_CERTIFICATE) return { keyId, wrappedKey, certificate: decodeCertificate(reader) };
  throw reader.fault(`kind of recipient ${kind} does not exist`, kindOffset);
}

export function decodeCertificate(reader: ByteReader): EntryCertificate {
  const sha256 = reader.take(SHA256_BYTES, 'certificate id');
  const notBefore = decodeTime(reader);
  const notAfter = decodeTime(reader);
  const serialOffset = reader.offset;
  const serial = reader.take(reader.u8('length of the serial number'), 'serial number');
  if (!isCanonicalSerial(serial)) throw reader.fault('a serial number is empty or has leading zeros', serialOffset);
  const subject = decodeText(reader, 'subject');
  const issuer = decodeText(reader, 'issuer');
  return { sha256, notBefore, notAfter, serial, subject, issuer };
}

function decodeTime(reader: ByteReader): number {
  const offset = reader.offset;
  const seconds = reader.i64('certificate time');
  if (!isCertificateTime(seconds)) throw reader.fault('a certificate time is not in the years 0000 to 9999', offset);
  return seconds;
}

// A byte order mark is content here: dropping it would give two encodings of one text.
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decodeText(reader: ByteReader, what: string): string {
  const offset = reader.offset;
  const length = reader.u16(`length of the ${what}`);
  if (length > MAX_NAME_BYTES) throw reader.fault(`a ${what} of ${length} bytes, more than ${MAX_NAME_BYTES}`, offset);
  const bytes = reader.take(length, what);
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    throw reader.fault(`the ${what} is not well-formed UTF-8`, offset);
  }
  if (hasControlCharacter(text)) throw reader.fault(`the ${what} has a control character`, offset);
  return text;
}

function isCertificateTime(seconds: number): boolean {
  return seconds >= MIN_CERTIFICATE_TIME && seconds <= MAX_CERTIFICATE_TIME;
}

function isCanonicalSerial(serial: Uint8Array): boolean {
  if (serial.length < 1 || serial.length > MAX_SERIAL_BYTES) return false;
  return serial[0] !== 0 || serial.length === 1;
}

/** The Unicode category Cc is exactly U+0000–U+001F and U+007F–U+009F. */
function hasControlCharacter(text: string): boolean {
  return /\p{Cc}/u.test(text);
}
