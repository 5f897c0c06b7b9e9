/**
 * The part of the native module's surface that serves the key hierarchy. `docs/keys.md` describes the bytes; the rules of
 * `binding.ts` hold here, too: no key bytes, `ERR_KEY_USE` after `destroy()`.
 */

import type { NativePassphrase, NativePrivateKey } from './binding.ts';

/** AES-256, or 3DES with three distinct keys. */
export type CipherKind = 'aes' | '3des';
/** Of a suite's signatures and MACs. */
export type HashKind = 'sha256' | 'sha1';

/** A master key and the three keys derived from it. */
export interface NativeMasterKey {
  readonly cipher: CipherKind;
  /** HMAC-SHA-256 of a working key's row, 32 bytes. */
  macRow(row: Uint8Array): Uint8Array;
  /** A fresh working key, and itself wrapped under this master key. `ERR_NOT_APPROVED` where the module has no 3DES encryption. */
  createWorkingKey(cipher: CipherKind, hash: HashKind): { key: NativeWorkingKey; wrapped: Uint8Array };
  /** Verifies the row's MAC, then unwraps. `ERR_KEY_SUBSTITUTED` when either fails. */
  openWorkingKey(
    cipher: CipherKind,
    hash: HashKind,
    row: Uint8Array,
    mac: Uint8Array,
    wrapped: Uint8Array,
  ): NativeWorkingKey;
  /** Constant-time check of a row's MAC. */
  verifyRow(row: Uint8Array, mac: Uint8Array): boolean;
  destroy(): void;
}

export interface NativeMasterKeyClass {
  /** A fresh master key. `context` (store id ‖ master key id, 32 bytes) goes into its derivations. */
  generate(cipher: CipherKind, context: Uint8Array): NativeMasterKey;
}

/** Many records in one call: plaintexts or records and encoded entities, one after the other. */
export interface RecordBatch {
  /** The items' bytes, concatenated. */
  data: Uint8Array;
  /** Where each item ends in `data`. */
  dataEnds: Uint32Array;
  /** The items' encoded entities, concatenated. */
  entities: Uint8Array;
  entityEnds: Uint32Array;
}

/**
 * A working key, with its share of its master key's binding key. All synchronous: microseconds a record.
 *
 * `header` is everything of a protected record before the IV; `entity` is the encoded entity.
 */
export interface NativeWorkingKey {
  readonly cipher: CipherKind;
  readonly hash: HashKind;
  /** Bytes of a record beyond header and plaintext; for 3DES the most, as padding varies. */
  readonly overhead: number;
  /** A whole protected record. */
  protect(header: Uint8Array, entity: Uint8Array, plaintext: Uint8Array): Uint8Array;
  /** The plaintext. `ERR_ENTITY_MISMATCH`, `ERR_TAMPERED`. */
  unprotect(record: Uint8Array, headerLength: number, entity: Uint8Array): Uint8Array;
  /** All records under one header, concatenated, and where each ends. */
  protectMany(header: Uint8Array, batch: RecordBatch): { data: Uint8Array; ends: Uint32Array };
  /** All plaintexts of records that begin with `header`, or an error that names the first bad item by its index. */
  unprotectMany(header: Uint8Array, batch: RecordBatch): { data: Uint8Array; ends: Uint32Array };
  /** The record bound to another entity: verified for `from`, then a new binding tag. */
  rebind(record: Uint8Array, headerLength: number, from: Uint8Array, to: Uint8Array): Uint8Array;
  /** Decrypts here, encrypts under `to` with its `header`; the plaintext stays in native memory. */
  reencrypt(
    record: Uint8Array,
    headerLength: number,
    entity: Uint8Array,
    to: NativeWorkingKey,
    header: Uint8Array,
  ): Uint8Array;
  destroy(): void;
}

/** What {@link NativePrivateKey} does as an installation key. */
export interface NativeInstallationOperations {
  /** Opens a wrapped master key. `ERR_TAMPERED`. `context` as in {@link NativeMasterKeyClass.generate}. */
  unwrapMaster(wrapped: Uint8Array, cipher: CipherKind, context: Uint8Array): Promise<NativeMasterKey>;
}

/** What a public key does as an installation key's. */
export interface NativeInstallationPublicOperations {
  /** RSA-OAEP, SHA-256 for both hashes, empty label. */
  wrapMaster(key: NativeMasterKey): Promise<Uint8Array>;
}

/** A key in a PKCS#11 token: the attributes of an RFC 7512 URI, none of them secret. */
export interface TokenAddress {
  /** Path of the PKCS#11 module. */
  modulePath: string;
  /** Null: any; more than one match is an error. */
  tokenLabel: string | null;
  serial: string | null;
  /** CKA_LABEL of the key. */
  objectLabel: string | null;
  /** CKA_ID of the key; null: any. */
  objectId: Uint8Array | null;
}

export interface NativeTokenClass {
  /** Makes an RSA key of `bits` in the token: sensitive, non-extractable, for signing and decryption. `ERR_OUTPUT_EXISTS` when the address is taken. */
  generate(address: TokenAddress, bits: number, pin: NativePassphrase): Promise<NativePrivateKey>;
  /** `ERR_NO_MATCHING_KEY`, `ERR_WRONG_PASSPHRASE` (PIN), `ERR_KEY_UNREADABLE` (token locked, absent, or key of another kind). */
  open(address: TokenAddress, pin: NativePassphrase): Promise<NativePrivateKey>;
}
