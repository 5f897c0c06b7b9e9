/** The signers whose files a reader accepts. */

import { CallsealError } from '../errors.ts';
import { hex } from '../hex.ts';
import type { NativePublicKey } from '../native/binding.ts';
import { assertSources } from '../recipients/sources.ts';
import { type SignerInfo, signerInfo } from './info.ts';
import { readSigners } from './read-signers.ts';

/**
 * Certificates and public keys of signers, any one of which is accepted. It is the public key that counts: a renewed
 * certificate with the same key is the same signer, whoever issued it and whether or not it has expired. Certificates
 * are not checked against an authority: who lists one trusts that one key.
 */
export class SignerCertificates {
  readonly list: readonly SignerInfo[];
  readonly #keys: ReadonlyMap<string, NativePublicKey>;

  private constructor(list: readonly SignerInfo[], keys: ReadonlyMap<string, NativePublicKey>) {
    this.list = Object.freeze([...list]);
    this.#keys = keys;
  }

  /** What {@link loadSigners} does. */
  static async load(paths: readonly string[]): Promise<SignerCertificates> {
    assertSources(paths);
    if (paths.length === 0)
      throw new CallsealError('ERR_INVALID_ARGUMENT', 'name at least one certificate of a signer');
    const list: SignerInfo[] = [];
    const keys = new Map<string, NativePublicKey>();
    for (const path of paths) {
      for (const { publicKey, certificate } of await readSigners(path)) {
        if (publicKey.writerScheme === null) throw noSigner(path, publicKey.algorithm, publicKey.bits);
        const info = signerInfo(hex(publicKey.spkiSha256), publicKey.writerScheme, certificate);
        list.push(Object.freeze(info));
        keys.set(info.keyId, publicKey);
      }
    }
    return new SignerCertificates(list, keys);
  }

  /** The key of that id, in lower-case hexadecimal, if it is one of them. @internal */
  keyOf(keyId: string): NativePublicKey | undefined {
    return this.#keys.get(keyId);
  }
}

/**
 * Loads certificates and bare public keys (PEM, PEM bundle, DER). Every one in a file is accepted, so a file with a
 * certificate chain makes its authorities signers, too: name files that hold only the certificates meant.
 *
 * @throws {CallsealError} `ERR_CERTIFICATE_UNREADABLE`; `ERR_NOT_APPROVED` for a key that files are not signed with;
 *   `ERR_INVALID_ARGUMENT`.
 *
 * @example
 * const requireSigner = await loadSigners(['/etc/callseal/ivr-host.crt']);
 * await decryptFile('call.callsre.sealed', 'call.callsre', { keys, requireSigner });
 */
export function loadSigners(paths: readonly string[]): Promise<SignerCertificates> {
  return SignerCertificates.load(paths);
}

function noSigner(path: string, algorithm: string, bits: number): CallsealError {
  const message =
    `${path} has a key of type ${algorithm} with ${bits} bits; ` +
    'files are signed with P-256, P-384, or RSA of 2048 to 8192 bits';
  return new CallsealError('ERR_NOT_APPROVED', message, { path });
}
