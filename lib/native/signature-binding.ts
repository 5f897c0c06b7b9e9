/** Writers' signatures, as the addon takes them (`docs/format.md`, section 9). TypeScript owns the layout. */

import type { NativePrivateKey, NativePublicKey } from './binding.ts';

/** The schemes in which writers sign files: what `PublicKey.writerScheme` can be. */
export type WriterScheme = 'ecdsa-p256-sha256' | 'ecdsa-p384-sha384' | 'pss-sha256';

/** The format's words around a signature. */
export interface SignatureTexts {
  openingLabel: Uint8Array;
  closingLabel: Uint8Array;
  /** What a closing block begins with. */
  closingMark: Uint8Array;
}

/** What one writer signs all its files with. */
export interface NativeFileSigner extends SignatureTexts {
  key: NativePrivateKey;
  scheme: WriterScheme;
  /** The opening block up to its signature, which is as long as every one in this scheme by this key. */
  fields: Uint8Array;
}

/** What a reader has found in a file. */
export interface NativeFileSignature extends SignatureTexts {
  publicKey: NativePublicKey;
  scheme: WriterScheme;
  fields: Uint8Array;
  signature: Uint8Array;
  prelude: Uint8Array;
  /** 74 bytes. */
  floeHeader: Uint8Array;
}
