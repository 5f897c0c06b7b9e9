/** Private keys by themselves: made, loaded, certified. */

import { CallsealError } from '../errors.ts';
import type { NativePrivateKey } from '../native/binding.ts';
import { native } from '../native/load.ts';
import type { Passphrase } from '../native/passphrase.ts';

/**
 * An open private key: an opaque handle whose key bytes never enter JavaScript. `save(path, passphrase)` writes an
 * encrypted PKCS#8 file, `destroy()` cleanses the key.
 */
export type PrivateKey = NativePrivateKey;

/** Attribute types and values in order, such as `[['CN', 'MyCompany'], ['C', 'US']]`. */
export type SubjectAttributes = readonly (readonly [type: string, value: string])[];

const KEY_BITS: readonly number[] = [2048, 3072, 4096];

/**
 * Makes an RSA key in the FIPS module, public exponent 65537.
 *
 * @param bits 2048, 3072 or 4096.
 * @throws {CallsealError} `ERR_INVALID_ARGUMENT`, `ERR_CRYPTO`.
 *
 * @example
 * const key = await generatePrivateKey(3072);
 * await key.save('my_private.key', Passphrase.fromFile('/run/secrets/passphrase'));
 * await writeFile('my_cert.crt', await createCertificate(key, [['CN', 'MyCompany']], 365));
 * key.destroy();
 */
export async function generatePrivateKey(bits: number): Promise<PrivateKey> {
  if (!KEY_BITS.includes(bits)) {
    throw new CallsealError('ERR_INVALID_ARGUMENT', `an RSA key has ${KEY_BITS.join(', ')} bits, not ${bits}`);
  }
  return native().PrivateKey.generate(bits);
}

/**
 * Makes an elliptic-curve key in the FIPS module, to sign files with: files cannot be encrypted for it.
 *
 * @throws {CallsealError} `ERR_INVALID_ARGUMENT`, `ERR_CRYPTO`.
 *
 * @example
 * const key = await generateSigningKey('P-256');
 * await key.save('host.key', Passphrase.fromFile('/run/secrets/passphrase'));
 * await writeFile('host.crt', await createCertificate(key, [['CN', 'ivr-host-7']], 365));
 */
export async function generateSigningKey(curve: 'P-256' | 'P-384'): Promise<PrivateKey> {
  if (curve !== 'P-256' && curve !== 'P-384') {
    throw new CallsealError('ERR_INVALID_ARGUMENT', `a signing key is on the curve P-256 or P-384, not ${curve}`);
  }
  return native().PrivateKey.generateEc(curve);
}

/**
 * Loads the first private key of a PEM, DER or PKCS#12 file.
 *
 * @throws {CallsealError} `ERR_PASSPHRASE_REQUIRED`, `ERR_WRONG_PASSPHRASE`, `ERR_KEY_UNREADABLE`, `ERR_IO`.
 *
 * @example
 * const keys = KeyRing.of(await loadPrivateKey('my_private.key', Passphrase.fromEnvironment('KEY_PASSPHRASE')));
 */
export async function loadPrivateKey(path: string, passphrase?: Passphrase): Promise<PrivateKey> {
  return native().PrivateKey.load(path, passphrase ?? null);
}

/**
 * The first private key in the bytes of a PEM, DER or PKCS#12 file that somebody has handed over. They are copied into
 * native memory at once; overwriting the original is the caller's. @internal
 *
 * @param name What messages call the file.
 * @throws {CallsealError} As {@link loadPrivateKey}, but for `ERR_IO`.
 */
export async function decodePrivateKey(bytes: Uint8Array, name: string, passphrase?: Passphrase): Promise<PrivateKey> {
  return native().decodePrivateKey(bytes, passphrase ?? null, name);
}

/**
 * A self-signed X.509 certificate of the key as PEM text, to be listed in client_property.conf: SHA-256, version 3,
 * random serial number.
 *
 * @param subject At least one attribute.
 * @param days From now, 1 to 36500.
 * @throws {CallsealError} `ERR_INVALID_ARGUMENT`, `ERR_KEY_USE`, `ERR_CRYPTO`.
 *
 * @example
 * const pem = await createCertificate(key, [['C', 'US'], ['O', 'MyCompany'], ['CN', 'MyCompany']], 365);
 */
export async function createCertificate(key: PrivateKey, subject: SubjectAttributes, days: number): Promise<string> {
  if (!Array.isArray(subject) || subject.length === 0 || !subject.every(Array.isArray)) {
    throw new CallsealError('ERR_INVALID_ARGUMENT', 'a certificate needs a subject, such as CN=MyCompany');
  }
  if (!Number.isInteger(days) || days < 1 || days > 36_500) {
    throw new CallsealError('ERR_INVALID_ARGUMENT', `a certificate is valid for 1 to 36500 days, not ${days}`);
  }
  const pairs = subject.map(([type, value]): [string, string] => [type, value]);
  return native().createCertificate(key, pairs, days);
}
