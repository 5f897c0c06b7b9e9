/** Keys in PKCS#11 tokens, by their URIs. */

import { CallsealError } from '../../errors.ts';
import { findExposure } from '../../fips/ownership.ts';
import type { NativePrivateKey } from '../../native/binding.ts';
import { native } from '../../native/load.ts';
import type { PassphraseSource } from '../../recipients/passphrases.ts';
import { formatPkcs11Uri, type Pkcs11Uri } from './pkcs11-uri.ts';
import { withPin } from './secrets.ts';

/**
 * Opens the key at an address. Errors are those of `NativeTokenClass.open`, `ERR_PASSPHRASE_REQUIRED` without a PIN, and
 * `ERR_NOT_APPROVED` for a module that others could exchange.
 */
export async function openTokenKey(uri: Pkcs11Uri, pin: PassphraseSource | undefined): Promise<NativePrivateKey> {
  requireTrustedModule(uri.address.modulePath);
  return withPin(formatPkcs11Uri(uri), uri.pinSource, pin, (given) => native().Token.open(uri.address, given));
}

/** Makes an RSA key in the token, under the label of the address. Errors as above, and those of `NativeTokenClass.generate`. */
export async function makeTokenKey(
  uri: Pkcs11Uri,
  bits: number,
  pin: PassphraseSource | undefined,
): Promise<NativePrivateKey> {
  requireTrustedModule(uri.address.modulePath);
  return withPin(formatPkcs11Uri(uri), uri.pinSource, pin, (given) =>
    native().Token.generate(uri.address, bits, given),
  );
}

/** Code of the module runs in this process: nobody but root and this user may be able to exchange it. */
function requireTrustedModule(path: string): void {
  const exposure = findExposure(path);
  if (exposure === null) return;
  const message = `the PKCS#11 module ${path} is not loaded: ${exposure.path}: ${exposure.fact}. Run: ${exposure.command}`;
  throw new CallsealError('ERR_NOT_APPROVED', message, { path });
}
