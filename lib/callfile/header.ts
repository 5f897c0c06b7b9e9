/**
 * The whole header of a call file: prelude, recipients, recipients MAC, the opening block of a signed file, and the FLOE
 * header that begins the body.
 *
 * {@link parseHeader} works on as many bytes as there are and says how many it needs, so files and streams read no
 * more than they must, and no length is believed before it has been checked.
 */

import type { CallsealError } from '../errors.ts';
import { ByteReader } from './byte-reader.ts';
import { notCallseal, truncated } from './faults.ts';
import {
  FLOE_HEADER_BYTES,
  FLOE_IV_BYTES,
  MAC_BYTES,
  MAGIC,
  MAX_SEGMENT_LENGTH,
  MIN_SEGMENT_LENGTH,
  OPENING_HEAD_BYTES,
  PRELUDE_BYTES,
  PRELUDE_START_BYTES,
  RECIPIENTS_HEAD_BYTES,
} from './format.ts';
import { checkPreludeStart, decodePrelude, hasMagic, type Prelude } from './prelude.ts';
import { decodeRecipients, decodeRecipientsHead, type RecipientEntry } from './recipients-block.ts';
import { decodeOpening, decodeOpeningLength, type OpeningBlock } from './signature-block.ts';

/** A parsed header. Byte fields are views of the bytes that were parsed. Nothing in it is authenticated yet. */
export interface CallFileHeader {
  prelude: Prelude;
  recipients: RecipientEntry[];
  /** The sections as they stand in the file, for MAC and key derivation. */
  preludeBytes: Uint8Array;
  recipientsBytes: Uint8Array;
  /** Prelude and recipients together: what the MAC covers. */
  authenticatedBytes: Uint8Array;
  mac: Uint8Array;
  /** Null unless the file is signed. */
  signature: OpeningBlock | null;
  /** 74 bytes. */
  floeHeader: Uint8Array;
  /** Bytes of a full encrypted segment. */
  segmentLength: number;
  /** Where that begins which a change of recipients leaves as it is: all that follows the recipients MAC. */
  restOffset: number;
  /** Where the body, which begins with the FLOE header, begins. */
  bodyOffset: number;
}

/** A header, or how many bytes from the beginning of the file the next step needs. */
export type HeaderStep = { header: CallFileHeader; need: 0 } | { header: null; need: number };

/**
 * Parses the header at the beginning of `bytes`.
 *
 * Each section is judged as soon as it is there in full, in the order of the file: what is found does not depend on
 * how the bytes arrive. `need` grows at most six times, to no more than 4 MiB and 21 KiB.
 *
 * @param bytes The file from its first byte, as much of it as there is. Bytes after the header are ignored.
 * @param path For messages.
 * @throws {CallsealError} `ERR_NOT_CALLSEAL`, `ERR_UNSUPPORTED_VERSION`, `ERR_TAMPERED`.
 */
export function parseHeader(bytes: Uint8Array, path?: string): HeaderStep {
  const have = bytes.length;
  if (have >= MAGIC.length && !hasMagic(bytes)) throw notCallseal(path, false);
  if (have < PRELUDE_START_BYTES) return { header: null, need: PRELUDE_START_BYTES };
  checkPreludeStart(bytes, path);

  const headEnd = PRELUDE_BYTES + RECIPIENTS_HEAD_BYTES;
  if (have < headEnd) return { header: null, need: headEnd };
  const prelude = decodePrelude(bytes, path);
  const { length } = decodeRecipientsHead(bytes.subarray(PRELUDE_BYTES, headEnd), path);

  const recipientsEnd = headEnd + length;
  const restOffset = recipientsEnd + MAC_BYTES;
  if (have < restOffset) return { header: null, need: restOffset };
  const recipientsBytes = bytes.subarray(PRELUDE_BYTES, recipientsEnd);
  const recipients = decodeRecipients(recipientsBytes, path);

  const bodyOffset = prelude.signed ? openingEnd(bytes, restOffset, path) : restOffset;
  if (have < bodyOffset) return { header: null, need: bodyOffset };
  const signature = prelude.signed ? decodeOpening(bytes.subarray(restOffset, bodyOffset), restOffset, path) : null;

  const end = bodyOffset + FLOE_HEADER_BYTES;
  if (have < end) return { header: null, need: end };
  const floeHeader = bytes.subarray(bodyOffset, end);
  const header: CallFileHeader = {
    prelude,
    recipients,
    preludeBytes: bytes.subarray(0, PRELUDE_BYTES),
    recipientsBytes,
    authenticatedBytes: bytes.subarray(0, recipientsEnd),
    mac: bytes.subarray(recipientsEnd, restOffset),
    signature,
    floeHeader,
    segmentLength: decodeSegmentLength(floeHeader, bodyOffset, path),
    restOffset,
    bodyOffset,
  };
  return { header, need: 0 };
}

/** Where the opening block at `offset` ends, as far as can be seen. */
function openingEnd(bytes: Uint8Array, offset: number, path?: string): number {
  const headEnd = offset + OPENING_HEAD_BYTES;
  return bytes.length < headEnd ? headEnd : offset + decodeOpeningLength(bytes.subarray(offset), offset, path);
}

/** Checks the parameters of a FLOE header (section 5); its tag needs the key. */
function decodeSegmentLength(floeHeader: Uint8Array, offset: number, path?: string): number {
  const reader = new ByteReader(floeHeader, offset, path);
  const aead = reader.u8('AEAD');
  if (aead !== 0) throw reader.fault(`AEAD ${aead} does not belong to the suite`, offset);
  const kdf = reader.u8('KDF');
  if (kdf !== 0) throw reader.fault(`KDF ${kdf} does not belong to the suite`, offset + 1);
  const segmentLength = reader.u32('segment length');
  if (segmentLength < MIN_SEGMENT_LENGTH || segmentLength > MAX_SEGMENT_LENGTH) {
    const range = `${MIN_SEGMENT_LENGTH} to ${MAX_SEGMENT_LENGTH}`;
    throw reader.fault(`a segment length of ${segmentLength} bytes, outside ${range}`, offset + 2);
  }
  const ivLength = reader.u32('IV length');
  if (ivLength !== FLOE_IV_BYTES) throw reader.fault(`an IV length of ${ivLength}, not ${FLOE_IV_BYTES}`, offset + 6);
  return segmentLength;
}

/**
 * The error for an input that ends while {@link parseHeader} still asks for `need` bytes.
 *
 * @param have The length of the input.
 */
export function headerEndsEarly(have: number, need: number, path?: string): CallsealError {
  if (have < MAGIC.length) return notCallseal(path, have === 0);
  return truncated(path, `it ends after ${have} bytes, inside its header, which has at least ${need}`);
}
