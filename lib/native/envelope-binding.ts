/**
 * The part of the native module's surface that encrypts and decrypts call files: envelopes, FLOE bodies, and jobs on whole
 * files. The rules of `binding.ts` hold here, too.
 */

import type { NativePrivateKey, NativePublicKey } from './binding.ts';
import type { NativeFileSignature, NativeFileSigner } from './signature-binding.ts';

/** Cancels a running job and tells how far it is. One object a job; jobs that nobody watches or stops take null. */
export interface NativeJobControl {
  /** Bytes of input processed so far. */
  readonly progress: number;
  /** Bytes of input in all; 0 until the job has opened it. */
  readonly total: number;
  cancel(): void;
}

/** What one file job did. Bytes are whole-file lengths. */
export interface FileJobResult {
  inputBytes: number;
  outputBytes: number;
}

/** What a decryption job did. */
export interface DecryptJobResult extends FileJobResult {
  /** What a recovering job could not use: see `lib/callfile/recovery.ts`. Null when the file is whole. */
  loss: {
    reason: 'truncated' | 'damaged' | 'trailing';
    segment: number;
    offset: number;
    bytes: number;
    signatureOnly?: true;
  } | null;
}

/** Where a file job writes. `null` as output means: authenticate only, write nothing. */
export interface FileJobOutput {
  /** Final name. Written under a temporary name in the same directory, synced, renamed. Mode 0600. */
  path: string;
  /** Replace an existing regular file; otherwise ERR_OUTPUT_EXISTS. */
  replace: boolean;
  /** fsync the file and its directory before the promise resolves. */
  sync: boolean;
}

/**
 * Everything of an encrypted file's header that stays the same for one set of recipients.
 * TypeScript owns the layout; native code fills the holes it is told of.
 */
export interface EnvelopeTemplateInit {
  /** Recipients section as the format lays it out, with zero bytes where a wrapped key goes. */
  recipients: Uint8Array;
  /** Where each wrapped key goes in `recipients`; the hole is as long as the key's modulus. */
  wraps: { publicKey: NativePublicKey; offset: number }[];
  /** KBKDF labels of the two derived keys. */
  bodyLabel: Uint8Array;
  macLabel: Uint8Array;
  /** Follows the prelude in the context of the body's key. Default: nothing. */
  bodyContext?: Uint8Array;
  /** Absent or null for files without a signature. ERR_INVALID_ARGUMENT when its scheme is not its key's. */
  signer?: NativeFileSigner | null;
}

/**
 * Makes a fresh content key a file, wraps it for every recipient, derives body and MAC keys (context = prelude, and
 * what follows it for the body) and
 * assembles `prelude ‖ recipients ‖ HMAC(prelude ‖ recipients)`, followed by the FLOE body with AAD = prelude. With a
 * signer, the header ends with the opening block of its signature, and the closing block follows the body.
 */
export interface NativeEnvelopeTemplate {
  /**
   * Whole file → whole file in one job on a pool thread. An input that begins with `refusedPrefix` (when that is not
   * empty) is ERR_ALREADY_ENCRYPTED. An output that is the input itself is replaced in place, unless it has another name.
   */
  encryptFile(
    prelude: Uint8Array,
    input: string,
    output: FileJobOutput,
    segmentLength: number,
    refusedPrefix: Uint8Array,
    control: NativeJobControl | null,
  ): Promise<FileJobResult>;
  /** Starts a body in memory or a stream: the header (all before the FLOE header, which the encryptor holds), and its encryptor. */
  start(prelude: Uint8Array, segmentLength: number): Promise<{ header: Uint8Array; encryptor: NativeFloeEncryptor }>;
  /**
   * The same, without waiting for the header: keys are made at once, some ten microseconds of this thread, and wrapped on
   * a pool thread while the encryptor works.
   */
  startAhead(
    prelude: Uint8Array,
    segmentLength: number,
  ): { header: Promise<Uint8Array>; encryptor: NativeFloeEncryptor };
}

/**
 * FLOE encryption of one message, in order. Synchronous, and straight from the caller's bytes into the caller's output,
 * which must not overlap: no script of this thread can touch them meanwhile.
 */
export interface NativeFloeEncryptor {
  /** FLOE header, 74 bytes: parameters, IV, header tag. */
  readonly header: Uint8Array;
  /** Plaintext bytes in a full segment: segmentLength − 32. */
  readonly plaintextLength: number;
  /**
   * Encrypts `held` and `input`, which is what follows it, into `output`, which holds all they could become. When
   * `last`, they are all that is left of the message; otherwise their length is a multiple of plaintextLength.
   * ERR_KEY_USE after the last segment.
   *
   * @param threads At most so many work on it, 1 to 64.
   * @param microseconds After so long no segment is begun, 0 to 1000000; the first is.
   * @returns Bytes written: 32 more a segment than were read. To go on, call with what was not read.
   */
  encrypt(
    held: Uint8Array,
    input: Uint8Array,
    last: boolean,
    output: Uint8Array,
    threads: number,
    microseconds: number,
  ): number;
  /**
   * After the last segment, and when the header is there: the closing block of the signature, which follows it; no
   * bytes for a file without one. ERR_KEY_USE before.
   */
  closing(): Promise<Uint8Array>;
}

/** FLOE decryption of one message, in order or at random. Synchronous, as encryption is. */
export interface NativeFloeDecryptor {
  readonly segmentLength: number;
  /** The last segment has been read. */
  readonly finished: boolean;
  /**
   * Decrypts the segments that are there in full in `held` and `input`, which is what follows it; the rest is ignored.
   * Stops before a segment that is not authentic, and when that is the first throws ERR_TAMPERED, with nothing of it in
   * `output`. ERR_KEY_USE after the last segment.
   *
   * @param output Has room for the next segment; as many as fit are read.
   * @returns Bytes read: 32 more a segment than were written. 0 when the next segment is not there in full.
   */
  decrypt(held: Uint8Array, input: Uint8Array, output: Uint8Array, threads: number, microseconds: number): number;
  /** Segment number `index` (from 0). ERR_TAMPERED. */
  decryptSegmentAt(index: number, segment: Uint8Array, final: boolean): Uint8Array;
  /**
   * After the last segment of a message read in order: whether the closing block is right. ERR_TAMPERED; ERR_KEY_USE
   * before, and for a file without a signature.
   */
  verifyClosing(block: Uint8Array): Promise<void>;
}

/** What a reader has found in a header for one private key. */
export interface SealedEnvelope {
  wrappedKey: Uint8Array;
  prelude: Uint8Array;
  /** Prelude and recipients: what the MAC covers. */
  authenticated: Uint8Array;
  mac: Uint8Array;
  /** KBKDF labels, as in {@link EnvelopeTemplateInit}. */
  bodyLabel: Uint8Array;
  macLabel: Uint8Array;
  /** As in {@link EnvelopeTemplateInit}. */
  bodyContext?: Uint8Array;
  /** Absent or null for a file without a signature. Its opening is verified already. */
  signature?: NativeFileSignature | null;
}

/** An open file: header and body are read from one descriptor, whatever happens to the name. Jobs on it must not overlap. */
export interface NativeInputFile {
  /** Up to `length` bytes at `offset`, fewer at the end. */
  read(offset: number, length: number): Promise<Uint8Array>;
  /**
   * Opens the envelope and decrypts the FLOE body at `bodyOffset`, all in one job. Output null: authenticate only. With a
   * signature, the closing block must follow the body and be right.
   * ERR_TAMPERED, ERR_TRUNCATED.
   *
   * @param recover A body that is cut or damaged gives what is authentic before that, and a loss. A closing block that is
   *   there and wrong is ERR_TAMPERED all the same.
   */
  decrypt(
    key: NativePrivateKey,
    envelope: SealedEnvelope,
    bodyOffset: number,
    output: FileJobOutput | null,
    control: NativeJobControl | null,
    recover: boolean,
  ): Promise<DecryptJobResult>;
  /** Closes the file when no job uses it any more. */
  destroy(): void;
}

export interface NativeInputFileClass {
  /**
   * Opens a regular file, reads its first `length` bytes, and checks that `output` (when not null) may be written.
   * ERR_IO, ERR_INVALID_ARGUMENT, ERR_OUTPUT_EXISTS.
   */
  open(
    path: string,
    output: FileJobOutput | null,
    length: number,
  ): Promise<{ file: NativeInputFile; size: number; head: Uint8Array }>;
}
