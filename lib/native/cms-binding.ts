/** What the addon offers for CMS messages (RFC 5083); part of {@link NativeBinding}. */

import type {
  FileJobOutput,
  FileJobResult,
  NativeEnvelopeTemplate,
  NativeInputFile,
  NativeJobControl,
  NativePrivateKey,
  NativePublicKey,
  NativeSecretKey,
  SealedEnvelope,
} from './binding.ts';

/** Somebody a CMS message is for. */
export interface CmsRecipient {
  /** How the message names it: `serial 0a1b, issuer CN=…` or `key identifier 0a1b…`. Not authenticated. */
  name: string;
  /** Length of the wrapped key: that of the RSA modulus; 0 when it is no RSA recipient. */
  wrappedBytes: number;
  /** Why Callseal does not open it, and what to ask the sender for; null when it does. */
  problem: string | null;
}

/** A recipient that a certificate is. */
export interface CmsMatch {
  /** Index in {@link NativeCmsInput.recipients}. */
  recipient: number;
  /** SHA-256 of the certificate's DER SubjectPublicKeyInfo, 32 bytes. */
  keyId: Uint8Array;
}

/** An open file with a CMS message whose header has been read. */
export interface NativeCmsInput {
  readonly recipients: CmsRecipient[];
  /**
   * Which recipients the certificates in a file are. The file may hold private keys, too, which are passed over.
   * ERR_CERTIFICATE_UNREADABLE, ERR_IO.
   */
  match(certificates: string): Promise<CmsMatch[]>;
  /** The content-encryption key, a `cms` key. ERR_TAMPERED when it does not open with `key`; ERR_NOT_CMS. */
  unwrap(key: NativePrivateKey, recipient: number): Promise<NativeSecretKey>;
  /**
   * Message → call file, in one job on a pool thread. The prelude and `template` are as in
   * {@link NativeEnvelopeTemplate}. ERR_TAMPERED, ERR_TRUNCATED, ERR_NOT_CMS.
   */
  import(
    contentEncryptionKey: NativeSecretKey,
    template: NativeEnvelopeTemplate,
    prelude: Uint8Array,
    output: FileJobOutput,
    segmentLength: number,
    control: NativeJobControl | null,
  ): Promise<FileJobResult>;
  destroy(): void;
}

export interface NativeCmsInputClass {
  /** Opens a file, reads the message's header, checks that `output` may be written. ERR_NOT_CMS, ERR_TAMPERED, ERR_TRUNCATED, ERR_IO. */
  open(path: string, output: FileJobOutput | null): Promise<NativeCmsInput>;
}

/** Whom a message is written for. */
export interface CmsWrap {
  publicKey: NativePublicKey;
  /** DER IssuerAndSerialNumber of the certificate. */
  issuerAndSerial: Uint8Array;
}

/** Call file → message, in one job on a pool thread; the first four arguments are as in {@link NativeInputFile.decrypt}, and so is what a signature asks for. */
export type NativeExportCms = (
  file: NativeInputFile,
  key: NativePrivateKey,
  envelope: SealedEnvelope,
  bodyOffset: number,
  wraps: CmsWrap[],
  pem: boolean,
  output: FileJobOutput,
  control: NativeJobControl | null,
) => Promise<FileJobResult>;
