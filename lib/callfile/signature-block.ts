/** The opening block: who signed the file (`docs/format.md`, section 9). */

import { CallsealError } from '../errors.ts';
import { native } from '../native/load.ts';
import type { WriterScheme } from '../native/signature-binding.ts';
import type { Signer } from '../signing/signer.ts';
import { ByteReader } from './byte-reader.ts';
import { unsupported } from './faults.ts';
import {
  CLOSING_MARK,
  KEY_ID_BYTES,
  KIND_CERTIFICATE,
  KIND_PUBLIC_KEY,
  MAX_OPENING_BYTES,
  MAX_SIGNER_KEY_BYTES,
  MAX_WRAPPED_BYTES,
  MIN_WRAPPED_BYTES,
  OPENING_HEAD_BYTES,
} from './format.ts';
import { decodeCertificate, type EntryCertificate, encodeCertificate } from './recipients-block.ts';

/** One row of the table of signature algorithms. */
interface Algorithm {
  id: number;
  scheme: WriterScheme;
  /** Shortest and longest signature in bytes. */
  lengths: readonly [number, number];
}

const ALGORITHMS: readonly Algorithm[] = [
  { id: 1, scheme: 'ecdsa-p256-sha256', lengths: [64, 64] },
  { id: 2, scheme: 'ecdsa-p384-sha384', lengths: [96, 96] },
  { id: 3, scheme: 'pss-sha256', lengths: [MIN_WRAPPED_BYTES, MAX_WRAPPED_BYTES] },
];

/** An opening block. Byte fields are views of the bytes that were parsed. */
export interface OpeningBlock {
  scheme: WriterScheme;
  /** SHA-256 of {@link publicKey}, as the file claims: 32 bytes. */
  keyId: Uint8Array;
  /** DER SubjectPublicKeyInfo. */
  publicKey: Uint8Array;
  /** Null for a bare public key. */
  certificate: EntryCertificate | null;
  /** The block up to its signature. */
  fields: Uint8Array;
  signature: Uint8Array;
  /** Bytes of the closing block, which ends the file. */
  closingBytes: number;
}

/**
 * What binds the key of a body to who signs it, so that nobody else can put a signature of theirs in its place without
 * the content key.
 *
 * @param fields The opening block up to its signature.
 */
export function bodyContextOf(fields: Uint8Array): Uint8Array {
  return native().sha256(fields);
}

/**
 * Lays out the block up to its signature.
 *
 * @throws {CallsealError} `ERR_INVALID_ARGUMENT` when the signer breaks a rule of the format.
 */
export function encodeOpeningFields(signer: Signer): Uint8Array {
  const algorithm = ALGORITHMS.find(({ scheme }) => scheme === signer.scheme);
  const { publicKeyDer, certificate } = signer;
  if (algorithm === undefined || publicKeyDer.length > MAX_SIGNER_KEY_BYTES) {
    throw new CallsealError('ERR_INVALID_ARGUMENT', 'the key of the signer does not fit in a call file');
  }
  const kind = Uint8Array.of(certificate === null ? KIND_PUBLIC_KEY : KIND_CERTIFICATE);
  const parts = [
    new Uint8Array(OPENING_HEAD_BYTES),
    signer.keyIdBytes,
    Uint8Array.of(publicKeyDer.length >> 8, publicKeyDer.length & 0xff),
    publicKeyDer,
    kind,
    ...(certificate === null ? [] : encodeCertificate(certificate)),
  ];
  const fields = Buffer.concat(parts);
  fields.writeUInt16BE(algorithm.id, 0);
  fields.writeUInt32BE(fields.length + signer.signatureBytes, 2);
  return fields;
}

/**
 * Reads how many bytes the block has from its first {@link OPENING_HEAD_BYTES}.
 *
 * @param offset Of the block in the file.
 * @throws {CallsealError} `ERR_TAMPERED`, `ERR_UNSUPPORTED_VERSION`.
 */
export function decodeOpeningLength(head: Uint8Array, offset: number, path?: string): number {
  return readHead(new ByteReader(head.subarray(0, OPENING_HEAD_BYTES), offset, path)).length;
}

function readHead(reader: ByteReader): { algorithm: Algorithm; length: number } {
  const start = reader.offset;
  const id = reader.u16('signature algorithm');
  const algorithm = ALGORITHMS.find((each) => each.id === id);
  if (algorithm === undefined) throw unsupported(reader.path, start, `signature algorithm ${id} is not known`);
  const length = reader.u32('length of the signature');
  if (length > MAX_OPENING_BYTES) {
    throw reader.fault(`a signature of ${length} bytes with its signer, more than ${MAX_OPENING_BYTES}`, start + 2);
  }
  if (length < OPENING_HEAD_BYTES) throw reader.fault(`a signature of ${length} bytes with its signer`, start + 2);
  return { algorithm, length };
}

/**
 * Reads a whole block.
 *
 * @param offset Of the block in the file.
 * @throws {CallsealError} `ERR_TAMPERED`, `ERR_UNSUPPORTED_VERSION`.
 */
export function decodeOpening(bytes: Uint8Array, offset: number, path?: string): OpeningBlock {
  const reader = new ByteReader(bytes, offset, path);
  const { algorithm } = readHead(reader);
  const keyId = reader.take(KEY_ID_BYTES, 'key id of the signer');
  const lengthOffset = reader.offset;
  const keyLength = reader.u16('length of the public key of the signer');
  if (keyLength < 1 || keyLength > MAX_SIGNER_KEY_BYTES) {
    throw reader.fault(`a public key of ${keyLength} bytes, outside 1 to ${MAX_SIGNER_KEY_BYTES}`, lengthOffset);
  }
  const publicKey = reader.take(keyLength, 'public key of the signer');
  const kindOffset = reader.offset;
  const kind = reader.u8('kind of signer');
  if (kind !== KIND_PUBLIC_KEY && kind !== KIND_CERTIFICATE) {
    throw reader.fault(`kind of signer ${kind} does not exist`, kindOffset);
  }
  const certificate = kind === KIND_CERTIFICATE ? decodeCertificate(reader) : null;
  const fields = bytes.subarray(0, bytes.length - reader.remaining);
  const [shortest, longest] = algorithm.lengths;
  if (reader.remaining < shortest || reader.remaining > longest) {
    throw reader.fault(`a signature of ${reader.remaining} bytes, which this algorithm does not make`);
  }
  const signature = reader.take(reader.remaining, 'signature');
  const closingBytes = CLOSING_MARK.length + signature.length;
  return { scheme: algorithm.scheme, keyId, publicKey, certificate, fields, signature, closingBytes };
}
