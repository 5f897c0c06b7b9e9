/** What the addon built for tests offers beyond `binding.ts`: raw keys. */

import type { KeyUse, NativePrivateKey, NativeSecretKey } from './binding.ts';
import type { CipherKind, HashKind, NativeMasterKey, NativeWorkingKey } from './keys-binding.ts';

/**
 * The module's primitives with every parameter open, and keys as bytes: for outside test vectors.
 *
 * Every failure throws: `ERR_NOT_APPROVED` when the parameters are refused (by the module, or because a length is
 * impossible for the algorithm), `ERR_TAMPERED` when the data is rejected; `ERR_INVALID_ARGUMENT` is the caller's mistake.
 * Digests and ciphers go by OpenSSL's names (`SHA2-256`, `AES-128-CBC`). `spki` is a DER SubjectPublicKeyInfo, `pkcs8` an
 * unencrypted DER PKCS#8 key.
 */
export interface NativeTestHooks {
  importKey(use: KeyUse, bytes: Uint8Array): NativeSecretKey;
  exportKey(key: NativeSecretKey): Uint8Array;
  importPrivateKey(pkcs8: Uint8Array): NativePrivateKey;
  /** `ERR_INVALID_ARGUMENT` for degenerate 3DES keys. `context` as in `MasterKey.generate`. */
  importMasterKey(cipher: CipherKind, bytes: Uint8Array, context: Uint8Array): NativeMasterKey;
  /** `bytes` is the working key as it is wrapped. `ERR_INVALID_ARGUMENT` for degenerate 3DES keys. */
  importWorkingKey(cipher: CipherKind, hash: HashKind, bytes: Uint8Array, bindingKey: Uint8Array): NativeWorkingKey;
  /** AES-GCM, 128, 192 or 256 by the key's length. Returns ciphertext ‖ tag. */
  gcmEncrypt(key: Uint8Array, iv: Uint8Array, aad: Uint8Array, plaintext: Uint8Array, tagLength: number): Uint8Array;
  gcmDecrypt(key: Uint8Array, iv: Uint8Array, aad: Uint8Array, ciphertext: Uint8Array, tag: Uint8Array): Uint8Array;
  /** `AES-128-CBC` … `AES-256-CBC`, `DES-EDE3-CBC`; `padding` is PKCS#7. */
  cbcEncrypt(cipher: string, key: Uint8Array, iv: Uint8Array, data: Uint8Array, padding: boolean): Uint8Array;
  cbcDecrypt(cipher: string, key: Uint8Array, iv: Uint8Array, data: Uint8Array, padding: boolean): Uint8Array;
  /** `AES-128-WRAP` … `AES-256-WRAP-PAD`, and with the inverse cipher `AES-128-WRAP-INV` … */
  keyWrap(cipher: string, key: Uint8Array, data: Uint8Array): Uint8Array;
  keyUnwrap(cipher: string, key: Uint8Array, data: Uint8Array): Uint8Array;
  /** The whole tag. */
  hmac(digest: string, key: Uint8Array, data: Uint8Array): Uint8Array;
  /** Extract and expand. */
  hkdf(digest: string, key: Uint8Array, salt: Uint8Array, info: Uint8Array, length: number): Uint8Array;
  /** Counter mode, K(i) = PRF(key, [i] ‖ fixedInput), the counter 8, 16, 24 or 32 bits wide. */
  kbkdf(
    mac: 'HMAC' | 'CMAC',
    digestOrCipher: string,
    key: Uint8Array,
    fixedInput: Uint8Array,
    counterBits: number,
    length: number,
  ): Uint8Array;
  oaepEncrypt(
    spki: Uint8Array,
    digest: string,
    mgf1Digest: string,
    label: Uint8Array,
    plaintext: Uint8Array,
  ): Uint8Array;
  oaepDecrypt(
    pkcs8: Uint8Array,
    digest: string,
    mgf1Digest: string,
    label: Uint8Array,
    ciphertext: Uint8Array,
  ): Uint8Array;
  pssVerify(
    spki: Uint8Array,
    digest: string,
    mgf1Digest: string,
    saltLength: number,
    data: Uint8Array,
    signature: Uint8Array,
  ): boolean;
  pkcs1Verify(spki: Uint8Array, digest: string, data: Uint8Array, signature: Uint8Array): boolean;
  pkcs1Sign(pkcs8: Uint8Array, digest: string, data: Uint8Array): Uint8Array;
  /** Whole FLOE message with its header; any segment length above 32; a data key serves 2^rotationBits segments. */
  floeEncrypt(
    key: Uint8Array,
    aad: Uint8Array,
    plaintext: Uint8Array,
    segmentLength: number,
    rotationBits: number,
  ): Uint8Array;
  floeDecrypt(key: Uint8Array, aad: Uint8Array, message: Uint8Array, rotationBits: number): Uint8Array;
}
