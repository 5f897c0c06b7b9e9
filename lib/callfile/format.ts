/**
 * The numbers of the call-file format, version 1. `docs/format.md` is the authority; this file only names them.
 */

import { MAX_RSA_BITS, MIN_RSA_BITS } from '../recipients/limits.ts';

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);

/** The first eight bytes of every call file. */
export const MAGIC = ascii('CALLSEAL');
export const VERSION = 1;

/** Suite 1 (section 7), the only one so far. */
export const SUITE = 1;
export const SUITE_NAME = 'RSA-OAEP-SHA256, KBKDF-HMAC-SHA256, FLOE-AES-256-GCM';

/** Length of the prelude in bytes (section 1). */
export const PRELUDE_BYTES = 48;
/** Flags of the prelude: bit 0, the file is signed by its writer (section 9). */
export const FLAG_SIGNED = 1;
/** Bytes of the prelude that say whether this release can read the file: magic, version, suite, flags. */
export const PRELUDE_START_BYTES = 16;
export const FILE_ID_BYTES = 16;
/** Latest creation time in milliseconds since 1970: the end of the year 9999. */
export const MAX_CREATION_TIME = 253_402_300_799_999;

/** Bytes before the first recipient entry: length, count, reserved (section 2). */
export const RECIPIENTS_HEAD_BYTES = 8;
/** Most bytes of all entries together. */
export const MAX_RECIPIENTS_BYTES = 4_194_304;
/** Key wrap 1: RSA-OAEP with SHA-256. */
export const KEY_WRAP_RSA_OAEP = 1;
export const KEY_WRAP_NAME = 'RSA-OAEP-SHA256';
export const KEY_ID_BYTES = 32;
/** Shortest and longest wrapped key: the bytes of the RSA modulus. */
export const MIN_WRAPPED_BYTES = MIN_RSA_BITS / 8;
export const MAX_WRAPPED_BYTES = MAX_RSA_BITS / 8;
export const KIND_PUBLIC_KEY = 0;
export const KIND_CERTIFICATE = 1;
/** The shortest entry: a bare public key of 2048 bits. */
export const MIN_ENTRY_BYTES = 2 + KEY_ID_BYTES + 2 + MIN_WRAPPED_BYTES + 1;

/** Length of the recipients MAC in bytes (section 3). */
export const MAC_BYTES = 32;

/** KBKDF labels of the two keys derived from the content key (section 4). */
export const BODY_LABEL = ascii('callseal v1 body');
export const MAC_LABEL = ascii('callseal v1 recipients');

/** Length of the FLOE header in bytes (section 5). */
export const FLOE_HEADER_BYTES = 74;
export const FLOE_IV_BYTES = 32;
/** Shortest and longest full encrypted segment in bytes. */
export const MIN_SEGMENT_LENGTH = 1024;
export const MAX_SEGMENT_LENGTH = 16_777_216;
/** Bytes of a segment that are not ciphertext: mark, IV, tag. Also the shortest segment there is. */
export const SEGMENT_OVERHEAD = 32;
/** Length of the mark at the beginning of every segment. */
export const MARK_BYTES = 4;
/** Mark of every segment but the last. */
export const CONTINUED_MARK = 0xffff_ffff;

/** Bytes of an opening block that say how long it is: algorithm and length (section 9). */
export const OPENING_HEAD_BYTES = 6;
/** Most bytes of an opening block. */
export const MAX_OPENING_BYTES = 20_480;
/** Most bytes of the signer's DER SubjectPublicKeyInfo. */
export const MAX_SIGNER_KEY_BYTES = 2048;
/** What is signed begins with these labels and a zero byte. */
export const OPENING_LABEL = ascii('callseal v1 opening');
export const CLOSING_LABEL = ascii('callseal v1 closing');
/** What a closing block begins with: no mark of a segment. */
export const CLOSING_MARK = ascii('SIGN');

/** Segment length of whole files and buffers, where nothing else is asked for. */
export const DEFAULT_SEGMENT_LENGTH = 262_144;
/** Segment length of streams: what a dying host loses at most. */
export const DEFAULT_STREAM_SEGMENT_LENGTH = 65_536;
/** Segment length of live writing, half a second of a call. */
export const DEFAULT_LIVE_SEGMENT_LENGTH = 4096;
