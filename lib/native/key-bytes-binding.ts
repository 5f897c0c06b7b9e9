/** The addon's function for private keys that come as bytes, not as files (`native/addon/key_bytes_function.cc`). */

import type { NativePassphrase, NativePrivateKey } from './binding.ts';

export interface NativeKeyBytesFunctions {
  /**
   * The first private key in the bytes of a PEM, DER or PKCS#12 file. They are copied before this returns; clearing the
   * original is the caller's.
   * ERR_PASSPHRASE_REQUIRED, ERR_WRONG_PASSPHRASE, ERR_KEY_UNREADABLE.
   *
   * @param name What messages call the file.
   */
  decodePrivateKey(bytes: Uint8Array, passphrase: NativePassphrase | null, name: string): Promise<NativePrivateKey>;
}
