/** What callers see of an installation key. */

import type { NativePrivateKey } from '../../native/binding.ts';
import type { CertificateInfo } from '../../recipients/certificate-info.ts';
import type { PassphraseSource } from '../../recipients/passphrases.ts';

/** Where the private key is. */
export type InstallationPlace =
  /** An encrypted PKCS#8 (or other) private-key file. */
  | { readonly kind: 'file'; readonly path: string }
  /** A PKCS#11 token, by its RFC 7512 URI: the key never leaves it. */
  | { readonly kind: 'token'; readonly uri: string };

/** What is known of an installation key without opening it. */
export interface InstallationFacts {
  /** SHA-256 of the DER SubjectPublicKeyInfo in lower-case hexadecimal: what stores call the installation id. */
  readonly keyId: string;
  readonly place: InstallationPlace;
  /** Whether `exportInstallation` gives the key out; null for a key outside of an installation folder. */
  readonly exportable: boolean | null;
  /** When the key was made or imported; null for a key outside of an installation folder. */
  readonly created: Date | null;
  /** Null until one is installed. That it expires does not stop the key from opening what is protected by it. */
  readonly certificate: CertificateInfo | null;
}

/** An open installation key. */
export interface Installation {
  readonly key: NativePrivateKey;
  /** SHA-256 of the DER SubjectPublicKeyInfo, 32 bytes: the installation id of `docs/keys.md`. */
  readonly id: Uint8Array;
  readonly facts: InstallationFacts;
  /** Cleanses the key, or ends the session with the token. */
  destroy(): void;
  /** For `using`. */
  [Symbol.dispose](): void;
}

/**
 * Which installation key to open, and with what.
 *
 * Without `passphrase` or `pin`, the systemd credential `callseal-installation` is used where there is one; for a token,
 * the `pin-source` of its URI comes before it.
 */
export type InstallationSource =
  /** The key of an installation folder, wherever that says it is. */
  | { readonly folder: string; readonly passphrase?: PassphraseSource | undefined }
  /** A private-key file: PEM, DER or PKCS#12. */
  | { readonly key: string; readonly passphrase?: PassphraseSource | undefined }
  /** A key in a token, by its RFC 7512 URI. */
  | { readonly pkcs11: string; readonly pin?: PassphraseSource | undefined };
