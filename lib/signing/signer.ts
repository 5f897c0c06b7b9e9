/** Whoever signs the files it writes. */

import { CallsealError } from '../errors.ts';
import { hex } from '../hex.ts';
import type { NativePrivateKey, RecipientFileEntry } from '../native/binding.ts';
import type { WriterScheme } from '../native/signature-binding.ts';
import { KeyFile } from '../recipients/key-file.ts';
import type { PassphraseSource } from '../recipients/passphrases.ts';
import { assertSources } from '../recipients/sources.ts';
import { type SignerInfo, signerInfo } from './info.ts';
import { readSigners } from './read-signers.ts';

/** How {@link Signer.load} opens the key, and what it says about it. */
export interface SignerOptions {
  /** For an encrypted key file. */
  passphrases?: readonly PassphraseSource[] | undefined;
  /**
   * A file with the certificate of the key (PEM or DER; others in it are passed over): the files name it. Without one
   * they bear the bare public key.
   */
  certificate?: string | undefined;
}

/**
 * The private key that signs files as they are written, and the certificate that they then name. The key stays open, in
 * native memory only, until {@link Signer.destroy}.
 *
 * @example
 * const signer = await Signer.load('/etc/callseal/host.key', { certificate: '/etc/callseal/host.crt' });
 * await encryptFile('call.callsre', 'call.callsre.sealed', { recipients, signer });
 */
export class Signer {
  readonly info: SignerInfo;
  /** @internal */
  readonly scheme: WriterScheme;
  /** @internal */
  readonly keyIdBytes: Uint8Array;
  /** DER SubjectPublicKeyInfo. @internal */
  readonly publicKeyDer: Uint8Array;
  /** @internal */
  readonly certificate: RecipientFileEntry['certificate'];
  /** Bytes of every signature. @internal */
  readonly signatureBytes: number;
  /** @internal */
  readonly key: NativePrivateKey;

  private constructor(key: NativePrivateKey, scheme: WriterScheme, certificate: RecipientFileEntry['certificate']) {
    this.key = key;
    this.scheme = scheme;
    this.certificate = certificate;
    this.keyIdBytes = key.spkiSha256;
    this.publicKeyDer = derOf(key.publicKey.toPem());
    this.signatureBytes = SIGNATURE_BYTES[scheme] ?? Math.ceil(key.bits / 8);
    this.info = Object.freeze(signerInfo(hex(this.keyIdBytes), scheme, certificate));
  }

  /**
   * Loads a key: P-256, P-384, or RSA of 2048 to 8192 bits. It is for signing alone: a key that files are encrypted
   * for is refused when they are.
   *
   * @param keyPath PEM, DER or PKCS#12.
   * @throws {CallsealError} `ERR_PASSPHRASE_REQUIRED`, `ERR_WRONG_PASSPHRASE`, `ERR_KEY_UNREADABLE`, `ERR_IO`;
   *   `ERR_CERTIFICATE_UNREADABLE`; `ERR_NOT_APPROVED` for another kind of key; `ERR_INVALID_ARGUMENT` when the
   *   certificate is of another key.
   */
  static async load(keyPath: string, options: SignerOptions = {}): Promise<Signer> {
    const { passphrases = [], certificate } = options;
    assertSources(certificate === undefined ? [keyPath] : [keyPath, certificate]);
    const entries = certificate === undefined ? [] : await readSigners(certificate);
    const key = await new KeyFile(keyPath, passphrases).open(() => undefined);
    try {
      const scheme = key.publicKey.writerScheme;
      if (scheme === null) throw cannotSign(keyPath, key);
      if (certificate === undefined) return new Signer(key, scheme, null);
      const id = hex(key.spkiSha256);
      const entry = entries.find((each) => each.certificate !== null && hex(each.publicKey.spkiSha256) === id);
      if (entry === undefined) throw otherCertificate(certificate, keyPath, id);
      return new Signer(key, scheme, entry.certificate);
    } catch (error) {
      key.destroy();
      throw error;
    }
  }

  /** A signer with an open key, which belongs to it from now on, and no certificate. */
  static of(key: NativePrivateKey): Signer {
    const scheme = key.publicKey.writerScheme;
    if (scheme === null) throw cannotSign('the key', key);
    return new Signer(key, scheme, null);
  }

  /** What was done outside the FIPS module to open the key; null when nothing was. */
  get note(): string | null {
    return this.key.unwrappedOutside;
  }

  /** Cleanses the key. No file is begun with it any more; those that are can be finished. */
  destroy(): void {
    this.key.destroy();
  }

  /** For `using`. */
  [Symbol.dispose](): void {
    this.destroy();
  }
}

/** Of the schemes whose signatures do not depend on the key. */
const SIGNATURE_BYTES: Partial<Record<WriterScheme, number>> = { 'ecdsa-p256-sha256': 64, 'ecdsa-p384-sha384': 96 };

function derOf(pem: string): Uint8Array {
  return Buffer.from(pem.replace(/-----[^-]+-----/g, ''), 'base64');
}

function cannotSign(path: string, key: NativePrivateKey): CallsealError {
  const what = `${path} is a key of type ${key.algorithm} with ${key.bits} bits`;
  const message = `${what}; files are signed with P-256, P-384, or RSA of 2048 to 8192 bits`;
  return new CallsealError('ERR_NOT_APPROVED', message, { path });
}

function otherCertificate(certificate: string, keyPath: string, id: string): CallsealError {
  const message = `${certificate} holds no certificate of the key ${keyPath} (key id ${id}); give the one made for it`;
  return new CallsealError('ERR_INVALID_ARGUMENT', message, { path: certificate });
}
