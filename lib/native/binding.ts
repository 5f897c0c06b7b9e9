/**
 * The surface of the native module, as the addon (`native/addon`) provides it.
 *
 * Nothing in here is exported from the package: `lib/` builds the humane API on it. Every method may throw (or reject
 * with) a `CallsealError`, which the addon makes itself from the class handed to {@link NativeBinding.initialise}.
 * Handles are opaque: no method returns key bytes. A handle used after `destroy()` throws `ERR_KEY_USE`.
 */

import type { NativeCmsInputClass, NativeExportCms } from './cms-binding.ts';
import type {
  EnvelopeTemplateInit,
  NativeEnvelopeTemplate,
  NativeFloeDecryptor,
  NativeInputFileClass,
  NativeJobControl,
  SealedEnvelope,
} from './envelope-binding.ts';
import type { NativeKeyBytesFunctions } from './key-bytes-binding.ts';
import type {
  NativeInstallationOperations,
  NativeInstallationPublicOperations,
  NativeMasterKeyClass,
  NativeTokenClass,
} from './keys-binding.ts';
import type { NativeRewrapFunctions } from './rewrap-binding.ts';
import type { NativeSealFunctions } from './seal-binding.ts';
import type { NativeFileSignature, WriterScheme } from './signature-binding.ts';
import type { NativeTestHooks } from './test-hooks.ts';

export type * from './envelope-binding.ts';

/** What a secret key may be used for; each key has one purpose, fixed when it is made. */
export type KeyUse =
  /** A file's content key: derives `floe` and `mac` keys and is wrapped for recipients, nothing else. */
  | 'content'
  /** HMAC-SHA-256. */
  | 'mac'
  /** FLOE bodies. */
  | 'floe'
  /** AES-256-GCM messages with IVs made in the module. */
  | 'gcm'
  /** A key-encrypting key: AES-256-KWP (SP 800-38F). */
  | 'wrap'
  /** The content-encryption key of one CMS message; `generate` makes none. */
  | 'cms';

/**
 * Signature schemes. `pss` has a salt as long as the hash. Many modules verify `pkcs1-sha1`, but refuse to sign with it:
 * `ERR_NOT_APPROVED`. ECDSA signatures are r ‖ s, 64 or 96 bytes.
 */
export type SignatureScheme = WriterScheme | 'pkcs1-sha256' | 'pkcs1-sha1';

/** A passphrase whose bytes live in native memory, cleansed on `destroy()` or collection. */
export interface NativePassphrase {
  readonly length: number;
  destroy(): void;
  /** For `using`. */
  [Symbol.dispose](): void;
}

export interface NativePassphraseClass {
  /** Asks on the terminal with echo off (OpenSSL's UI). Blocks. `confirm` asks twice. Without a terminal: ERR_PASSPHRASE_REQUIRED. Ctrl-C: ERR_ABORTED. */
  prompt(text: string, confirm: boolean): NativePassphrase;
  /** First line of a file, without its line end. */
  fromFile(path: string): NativePassphrase;
  /** Value of an environment variable, read by native code. */
  fromEnvironment(name: string): NativePassphrase;
  /** First line read from an open descriptor. Blocks. */
  fromDescriptor(fd: number): NativePassphrase;
  /** A copy of the caller's bytes; clearing the original is the caller's. */
  fromBytes(bytes: Uint8Array): NativePassphrase;
}

/** A symmetric key of 32 bytes. */
export interface NativeSecretKey {
  readonly use: KeyUse;
  /** SP 800-108 KBKDF, counter mode, HMAC-SHA-256. For `content` keys only. */
  derive(use: 'floe' | 'mac', label: Uint8Array, context: Uint8Array): NativeSecretKey;
  /** HMAC-SHA-256, 32 bytes. For `mac` keys only. */
  mac(data: Uint8Array): Uint8Array;
  /** Constant-time check of an HMAC-SHA-256 tag of exactly 32 bytes. For `mac` keys only. */
  verifyMac(data: Uint8Array, tag: Uint8Array): boolean;
  /** AES-256-GCM; returns IV(12) ‖ ciphertext ‖ tag(16). For `gcm` keys only. */
  encryptGcm(plaintext: Uint8Array, aad: Uint8Array): Uint8Array;
  /** Inverse of encryptGcm; ERR_TAMPERED when the tag is wrong. */
  decryptGcm(sealed: Uint8Array, aad: Uint8Array): Uint8Array;
  /** AES-256-KWP of another secret key, 40 bytes. For `wrap` keys only. */
  wrapKey(key: NativeSecretKey): Uint8Array;
  /** Inverse of wrapKey; ERR_TAMPERED when the integrity check fails. */
  unwrapKey(wrapped: Uint8Array, use: KeyUse): NativeSecretKey;
  destroy(): void;
}

export interface NativeSecretKeyClass {
  /** A fresh key from the module's private DRBG. */
  generate(use: KeyUse): NativeSecretKey;
}

/** A public key. */
export interface NativePublicKey extends NativeInstallationPublicOperations {
  /** `RSA`, `RSA-PSS`, `EC`, `ED25519`, … */
  readonly algorithm: string;
  readonly bits: number;
  /** RSA with a public exponent that is odd and at least 65537 (SP 800-56B rev. 2 section 6.2). */
  readonly hasApprovedExponent: boolean;
  /** SHA-256 of the DER SubjectPublicKeyInfo, 32 bytes. */
  readonly spkiSha256: Uint8Array;
  /** PEM SubjectPublicKeyInfo. */
  toPem(): string;
  /** RSA-OAEP, SHA-256 for both hashes, empty label, of a `content` key. Result as long as the modulus. */
  wrap(key: NativeSecretKey): Promise<Uint8Array>;
  /** ERR_NOT_APPROVED for a key of another algorithm than the scheme's. */
  verify(scheme: SignatureScheme, data: Uint8Array, signature: Uint8Array): Promise<boolean>;
  /** The scheme in which a writer signs files with this key: null unless it is P-256, P-384, or RSA as `wrap` takes it. */
  readonly writerScheme: WriterScheme | null;
}

/** A private key. */
export interface NativePrivateKey extends NativeInstallationOperations {
  readonly algorithm: string;
  readonly bits: number;
  readonly spkiSha256: Uint8Array;
  readonly publicKey: NativePublicKey;
  /**
   * Null when the FIPS module itself decoded and decrypted the key file; otherwise a sentence that says what was
   * done outside the module (for example "PBES1 SHA1-3DES key file was decrypted by the default provider"). A key in a
   * token is always used outside it. `save` and `savePkcs12` of such a key are ERR_NOT_EXPORTABLE.
   */
  readonly unwrappedOutside: string | null;
  /** Opens a wrapped content key; ERR_TAMPERED when OAEP decoding fails. */
  unwrap(wrapped: Uint8Array): Promise<NativeSecretKey>;
  sign(scheme: SignatureScheme, data: Uint8Array): Promise<Uint8Array>;
  /** Writes PKCS#8 PEM, mode 0600, never over an existing file; with a passphrase: PBES2, PBKDF2-HMAC-SHA-256 (16-byte salt, 600,000 iterations), AES-256-CBC. */
  save(path: string, passphrase: NativePassphrase | null): Promise<void>;
  /**
   * Writes PKCS#12, mode 0600, never over an existing file: PBES2 as in `save`, and a MAC by HMAC-SHA-256 of as many rounds.
   * `certificate` is PEM that holds one of this key, or null. Resolves to a sentence that says what was done outside the
   * FIPS module (the MAC's key, by PKCS12KDF), or null.
   */
  savePkcs12(
    path: string,
    certificate: string | null,
    friendlyName: string,
    passphrase: NativePassphrase,
  ): Promise<string | null>;
  destroy(): void;
  /** For `using`. */
  [Symbol.dispose](): void;
}

/** What a file that may hold keys contains, found without a passphrase. */
export interface KeyFileContents {
  /** Private keys, in file order. `encrypted` ones need a passphrase. */
  privateKeys: { encrypted: boolean; form: string }[];
  /** SHA-256 of the SubjectPublicKeyInfo of each certificate and public key in the same file: a hint which key it holds. */
  publicKeyHints: Uint8Array[];
}

export interface NativePrivateKeyClass {
  /**
   * Reads a PEM, DER or PKCS#12 private key in native code.
   * ERR_PASSPHRASE_REQUIRED, ERR_WRONG_PASSPHRASE, ERR_KEY_UNREADABLE, ERR_IO.
   */
  load(path: string, passphrase: NativePassphrase | null): Promise<NativePrivateKey>;
  /** The first private key of a PKCS#12 file, and the certificate in it that is the key's, as PEM. Errors as above. */
  loadPkcs12(
    path: string,
    passphrase: NativePassphrase | null,
  ): Promise<{ key: NativePrivateKey; certificate: string | null }>;
  /** What is in the file, without opening an encrypted key. Also for certificate files. ERR_IO. */
  probe(path: string): KeyFileContents;
  /** A fresh RSA key of 2048, 3072 or 4096 bits, public exponent 65537. */
  generate(bits: number): Promise<NativePrivateKey>;
  /** A fresh key for signatures. */
  generateEc(curve: 'P-256' | 'P-384'): Promise<NativePrivateKey>;
}

/** One certificate or bare public key of a file. */
export interface RecipientFileEntry {
  kind: 'certificate' | 'public-key';
  publicKey: NativePublicKey;
  /** Null for a bare public key. */
  certificate: {
    /** RFC 4514 text, UTF-8; control characters escaped. */
    subject: string;
    issuer: string;
    /** Big-endian magnitude, no leading zero byte. */
    serial: Uint8Array;
    /** Seconds since 1970-01-01T00:00:00Z. */
    notBefore: number;
    notAfter: number;
    /** SHA-256 of the DER certificate, 32 bytes. */
    sha256: Uint8Array;
    /** Signature algorithm, such as `sha256WithRSAEncryption`. */
    signatureAlgorithm: string;
    /** DER IssuerAndSerialNumber (RFC 5652 section 10.2.4), as CMS messages name the certificate. */
    issuerAndSerial: Uint8Array;
  } | null;
}

/** How a library or provider proved itself; see `lib/status.ts` for the public form. */
export interface NativeStatus {
  mode: 'required' | 'off';
  isolation: { addonResolvesTo: string; libcryptoResolvesTo: string };
  libcrypto: { path: string; version: string };
  provider: {
    name: string;
    version: string;
    buildInfo: string;
    path: string;
    sha256: string;
    running: boolean;
    selfTest: boolean;
  };
  algorithms: {
    /** Such as `AES-256-GCM` or `DES-EDE3-CBC`. */
    name: string;
    /** What Callseal does with it. */
    operation: string;
    /** Provider it was fetched from, or null when none offers it. */
    provider: string | null;
    /** Value of the module's FIPS indicator for this operation, or null where the module has none. */
    indicator: 0 | 1 | null;
  }[];
}

export interface InitialiseOptions {
  mode: 'required' | 'off';
  /** Absolute path of the FIPS provider; null in mode `off`. */
  modulePath: string | null;
  /** Body of the provider's configuration section (`install-mac = …` and friends, from fipsmodule.cnf), or '' for a module that needs none. */
  moduleConfig: string;
  /** `CallsealError`, so that native code throws it directly: new (code, message, {cause, errno, path}). */
  errorClass: abstract new (
    ...args: never[]
  ) => Error;
}

export interface NativeBinding extends NativeRewrapFunctions, NativeSealFunctions, NativeKeyBytesFunctions {
  /**
   * Runs the isolation checks, then creates the provider context. Once a process; a second call with the same mode and
   * module (another thread) reuses the context, one with another is ERR_INVALID_ARGUMENT.
   */
  initialise(options: InitialiseOptions): void;
  /** The same on a pool thread, as far as it goes: nothing is thrown, as {@link initialise} is called in any case. */
  initialiseAhead(options: InitialiseOptions): Promise<void>;
  status(): NativeStatus;
  /** From the module's public DRBG. */
  randomBytes(length: number): Uint8Array;
  /** No core dump of this process, nor of those that it starts. Throws `ERR_IO`. */
  refuseCoreDumps(): void;
  /** Asks the system for huge pages where an array is large and has not been written to yet. */
  preferHugePages(bytes: Uint8Array): void;
  /** From now on, malloc keeps up to 48 MiB of freed memory for what is allocated next. Once a process. */
  keepFreedMemory(): void;
  /**
   * Cancels all jobs of this thread, or of all threads, that have a control or could have one, and every later one. For the
   * end of the worker or the process.
   */
  cancelJobs(ofProcess: boolean): void;
  /** 32 bytes. */
  sha256(bytes: Uint8Array): Uint8Array;
  /** Every certificate and bare public key in the bytes (PEM, PEM bundle or DER). ERR_CERTIFICATE_UNREADABLE. */
  readRecipients(bytes: Uint8Array): RecipientFileEntry[];
  /** Self-signed X.509 v3 certificate (SHA-256, random 159-bit serial), PEM. Subject as type/value pairs in order. */
  createCertificate(key: NativePrivateKey, subject: [type: string, value: string][], days: number): Promise<string>;
  /** ERR_INVALID_ARGUMENT for a subject that `createCertificate` and `createRequest` would refuse. */
  checkSubject(subject: [type: string, value: string][]): void;
  /** PKCS#10 request, RSASSA-PKCS1-v1_5 with SHA-256, PEM. Subject as in `createCertificate`. */
  createRequest(key: NativePrivateKey, subject: [type: string, value: string][]): Promise<string>;
  /** The key of a body: unwraps the content key, verifies the MAC, derives. ERR_TAMPERED. */
  openEnvelope(key: NativePrivateKey, envelope: SealedEnvelope): Promise<NativeSecretKey>;
  /** Whether the opening block of a signature is right. ERR_TAMPERED. */
  verifyOpening(signature: NativeFileSignature): Promise<void>;
  InputFile: NativeInputFileClass;
  CmsInput: NativeCmsInputClass;
  exportCms: NativeExportCms;
  JobControl: new () => NativeJobControl;
  EnvelopeTemplate: new (init: EnvelopeTemplateInit) => NativeEnvelopeTemplate;
  /** `header` is the 74-byte FLOE header; its tag is verified. ERR_TAMPERED. `signature` as in {@link SealedEnvelope}. */
  FloeDecryptor: new (
    key: NativeSecretKey,
    aad: Uint8Array,
    header: Uint8Array,
    signature?: NativeFileSignature | null,
  ) => NativeFloeDecryptor;
  Passphrase: NativePassphraseClass;
  SecretKey: NativeSecretKeyClass;
  PrivateKey: NativePrivateKeyClass;
  MasterKey: NativeMasterKeyClass;
  Token: NativeTokenClass;
  /** Present only in the build made for tests (`CALLSEAL_TEST_HOOKS`), which is never packaged. */
  testing?: NativeTestHooks;
}
