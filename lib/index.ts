/**
 * Callseal encrypts files for X.509 certificates; any one matching private key opens them. All cryptography runs in the
 * FIPS provider of the system's OpenSSL.
 *
 * - Encrypt: load {@link Recipients}, then {@link encryptFile}, {@link encryptInPlace}, {@link encrypt} for bytes, or
 *   {@link createEncryptStream}.
 * - Write live: {@link createCallFileWriter} encrypts while the call goes on; {@link followCallFile} reads along, and
 *   `recover` opens what there is of a file whose writer died.
 * - Decrypt: make a {@link KeyRing}, then {@link decryptFile}, {@link decrypt} or {@link createDecryptStream};
 *   {@link verify} proves a file without writing it; {@link openRandomAccess} reads parts of one.
 * - Change who can open a file: {@link changeRecipients} leaves the body as it is, {@link rekeyFile} encrypts it anew.
 * - Look: {@link inspect} shows for whom a file was encrypted, without a key; {@link whichKey} which of several opens it.
 * - Sign: with a {@link Signer}, files tell who wrote them; readers demand it with {@link loadSigners}.
 * - Partners with plain OpenSSL: {@link exportCms}, {@link importCms}.
 * - Keys: {@link generatePrivateKey}, {@link loadPrivateKey}, {@link createCertificate}, {@link Passphrase}.
 * - Evidence: {@link status} says which crypto module runs.
 *
 * Every failure is a {@link CallsealError} with a stable code. A file encrypted by any release opens in every later one;
 * `docs/format.md` describes it.
 *
 * @example
 * const recipients = await Recipients.fromConfig('/etc/lumenvox/client_property.conf');
 * await encryptFile('call.callsre', 'call.callsre.sealed', { recipients });
 *
 * const keys = new KeyRing(['my_private.key'], { passphrases: [Passphrase.fromEnvironment('KEY_PASSPHRASE')] });
 * await decryptFile('call.callsre.sealed', 'opened.callsre', { keys });
 * keys.destroy();
 *
 * @module
 */

export {
  type CallFileWriter,
  type CallFileWriterOptions,
  type ChangeRecipientsOptions,
  type ChangeRecipientsResult,
  changeRecipients,
  createCallFileWriter,
  createDecryptStream,
  createEncryptStream,
  type DecryptBufferOptions,
  type DecryptFileOptions,
  type DecryptFileResult,
  type DecryptOptions,
  type DecryptStream,
  decrypt,
  decryptFile,
  type EncryptBufferOptions,
  type EncryptFileOptions,
  type EncryptOptions,
  type Extent,
  encrypt,
  encryptedLength,
  encryptFile,
  encryptInPlace,
  type FileResult,
  type FittingKey,
  type FollowedCallFile,
  type FollowOptions,
  followCallFile,
  type Inspection,
  inspect,
  type Loss,
  openRandomAccess,
  type ProgressListener,
  parseRecipientMatch,
  type RandomAccessFile,
  type RandomAccessOptions,
  type RandomRangeOptions,
  type RandomReadOptions,
  type RandomStreamOptions,
  type RecipientChange,
  type RecipientEntryInfo,
  type RecipientMatch,
  type RecoveredBytes,
  type RecoveryOptions,
  type RekeyFileOptions,
  type RekeyFileResult,
  rekeyFile,
  type VerifyOptions,
  type VerifyResult,
  verify,
  type WhichKeyOptions,
  type WhichKeyResult,
  whichKey,
} from './callfile/index.ts';
export {
  type CmsResult,
  type ExportCmsOptions,
  type ExportCmsResult,
  exportCms,
  type ImportCmsOptions,
  importCms,
} from './cms/index.ts';
export type { ConfigProblem, ProblemRule, Severity } from './config/problems.ts';
export { CallsealError, ERROR_CODES, type ErrorCode, type ErrorDetails } from './errors.ts';
export type { Validation } from './fips/validation.ts';
export { Passphrase } from './native/passphrase.ts';
export type { CertificateInfo } from './recipients/certificate-info.ts';
export type { RecipientInfo, RecipientSource } from './recipients/examine.ts';
export { KeyRing, type KeyRingOptions, type KeySource, type RingMatch } from './recipients/keyring.ts';
export type { PassphraseSource } from './recipients/passphrases.ts';
export {
  FAIL_CLOSED,
  type PolicyAction,
  type RecipientPolicy,
  type RecipientProblemKind,
} from './recipients/policy.ts';
export {
  createCertificate,
  generatePrivateKey,
  generateSigningKey,
  loadPrivateKey,
  type PrivateKey,
  type SubjectAttributes,
} from './recipients/private-key.ts';
export { type RecipientProblem, Recipients } from './recipients/recipients.ts';
export {
  type FileSigner,
  loadSigners,
  Signer,
  SignerCertificates,
  type SignerInfo,
  type SignerOptions,
} from './signing/index.ts';
export { type AlgorithmReport, type Status, status } from './status.ts';
