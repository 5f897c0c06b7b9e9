/** What the hierarchy needs of an installation key. */

import type { NativePrivateKey } from '../native/binding.ts';
import type { InstallationFacts } from './installation/types.ts';

/** An open installation key, such as `openInstallation` gives. */
export interface InstallationKey {
  readonly key: NativePrivateKey;
  /** SHA-256 of the DER SubjectPublicKeyInfo, 32 bytes. */
  readonly id: Uint8Array;
  /** Known of keys that `openInstallation` opened. */
  readonly facts?: InstallationFacts;
  /** Cleanses the key, or ends the session with the token. */
  destroy(): void;
}
