/** What the hierarchy needs of an installation key. */

import type { NativePrivateKey } from '../native/binding.ts';

export interface InstallationKey {
  readonly key: NativePrivateKey;
  /** SHA-256 of the DER SubjectPublicKeyInfo, 32 bytes. */
  readonly id: Uint8Array;
  destroy(): void;
}
