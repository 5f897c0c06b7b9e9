/** The prelude: the 48 bytes that identify a file and never change (`docs/format.md`, section 1). */

import { CallsealError } from '../errors.ts';
import { ByteReader } from './byte-reader.ts';
import { notCallseal, unsupported } from './faults.ts';
import {
  FILE_ID_BYTES,
  FLAG_SIGNED,
  MAGIC,
  MAX_CREATION_TIME,
  PRELUDE_BYTES,
  PRELUDE_START_BYTES,
  SUITE,
  VERSION,
} from './format.ts';

/** What a prelude says beside version and suite, of which there is one each. */
export interface Prelude {
  /** 16 random bytes. */
  fileId: Uint8Array;
  /** Milliseconds since 1970-01-01T00:00:00Z, 0 to the end of the year 9999. */
  createdAt: number;
  /** Signed by its writer: the signature's blocks stand before and after the body. */
  signed: boolean;
}

/** Whether the bytes begin with the magic. Needs eight of them. */
export function hasMagic(bytes: Uint8Array): boolean {
  return bytes.length >= MAGIC.length && MAGIC.every((byte, index) => bytes[index] === byte);
}

/**
 * Lays out a prelude.
 *
 * @throws {CallsealError} `ERR_INVALID_ARGUMENT` for a file id of another length or a time out of range.
 */
export function encodePrelude(prelude: Omit<Prelude, 'signed'> & { signed?: boolean }): Uint8Array {
  const { fileId, createdAt, signed = false } = prelude;
  if (fileId.length !== FILE_ID_BYTES) {
    throw new CallsealError('ERR_INVALID_ARGUMENT', `a file id has ${FILE_ID_BYTES} bytes, not ${fileId.length}`);
  }
  if (!Number.isInteger(createdAt) || createdAt < 0 || createdAt > MAX_CREATION_TIME) {
    throw new CallsealError('ERR_INVALID_ARGUMENT', `creation time ${createdAt} is not in the years 1970 to 9999`);
  }
  const bytes = new Uint8Array(PRELUDE_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC, 0);
  view.setUint16(8, VERSION);
  view.setUint16(10, SUITE);
  view.setUint32(12, signed ? FLAG_SIGNED : 0);
  bytes.set(fileId, PRELUDE_START_BYTES);
  view.setBigUint64(32, BigInt(createdAt));
  return bytes;
}

/**
 * Checks the first 16 bytes: that this is a call file, and one that this release reads.
 *
 * @throws {CallsealError} `ERR_NOT_CALLSEAL`, `ERR_UNSUPPORTED_VERSION`.
 */
export function checkPreludeStart(bytes: Uint8Array, path?: string): void {
  if (!hasMagic(bytes)) throw notCallseal(path, bytes.length === 0);
  const reader = new ByteReader(bytes.subarray(MAGIC.length, PRELUDE_START_BYTES), MAGIC.length, path);
  const version = reader.u16('version');
  if (version !== VERSION) throw unsupported(path, 8, `format version ${version} is not known, only ${VERSION} is`);
  const suite = reader.u16('suite');
  if (suite !== SUITE) throw unsupported(path, 10, `suite ${suite} is not known, only ${SUITE} is`);
  const flags = reader.u32('flags');
  if ((flags & ~FLAG_SIGNED) !== 0) throw unsupported(path, 12, `flags 0x${flags.toString(16)} are not known`);
}

/**
 * Reads a prelude of 48 bytes. The result holds views of `bytes`.
 *
 * @throws {CallsealError} `ERR_NOT_CALLSEAL`, `ERR_UNSUPPORTED_VERSION`, `ERR_TAMPERED`.
 */
export function decodePrelude(bytes: Uint8Array, path?: string): Prelude {
  checkPreludeStart(bytes, path);
  const signed = ((bytes[PRELUDE_START_BYTES - 1] as number) & FLAG_SIGNED) !== 0;
  const reader = new ByteReader(bytes.subarray(PRELUDE_START_BYTES, PRELUDE_BYTES), PRELUDE_START_BYTES, path);
  const fileId = reader.take(FILE_ID_BYTES, 'file id');
  const createdAt = reader.u64('creation time');
  if (createdAt > MAX_CREATION_TIME) throw reader.fault('the creation time is after the year 9999', 32);
  if (reader.u64('reserved field') !== 0) throw reader.fault('the reserved bytes are not zero', 40);
  return { fileId, createdAt, signed };
}
