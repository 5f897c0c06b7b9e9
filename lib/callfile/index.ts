/**
 * Call files: encrypt, decrypt, verify, inspect (`docs/format.md`).
 *
 * The layers, each of which knows only those before it: `format` and `faults`; `prelude`, `recipients-block` and `header`,
 * the codec, which is pure; `read-header`, `open` and `template`, where files and keys come in; the operations exported
 * here.
 */

export {
  type ChangeRecipientsOptions,
  type ChangeRecipientsResult,
  changeRecipients,
} from './change-recipients.ts';
export {
  type DecryptFileOptions,
  type DecryptFileResult,
  type DecryptOptions,
  decryptFile,
  type RecoveryOptions,
} from './decrypt.ts';
export { type DecryptBufferOptions, decrypt, type RecoveredBytes } from './decrypt-buffer.ts';
export { createDecryptStream, type DecryptStream } from './decrypt-stream.ts';
export {
  type EncryptFileOptions,
  type EncryptOptions,
  encryptFile,
  encryptInPlace,
  type FileResult,
} from './encrypt.ts';
export { type EncryptBufferOptions, encrypt, encryptedLength } from './encrypt-buffer.ts';
export { createEncryptStream } from './encrypt-stream.ts';
export { type FollowedCallFile, type FollowOptions, followCallFile } from './follow.ts';
export { type Inspection, inspect, type RecipientEntryInfo } from './inspect.ts';
export type { ProgressListener } from './job.ts';
export {
  openRandomAccess,
  type RandomAccessFile,
  type RandomAccessOptions,
  type RandomRangeOptions,
  type RandomReadOptions,
  type RandomStreamOptions,
} from './random-access.ts';
export { parseRecipientMatch, type RecipientMatch } from './recipient-match.ts';
export type { RecipientChange } from './recipients-change.ts';
export type { Extent, Loss } from './recovery.ts';
export { type RekeyFileOptions, type RekeyFileResult, rekeyFile } from './rekey.ts';
export { type VerifyOptions, type VerifyResult, verify } from './verify.ts';
export { type FittingKey, type WhichKeyOptions, type WhichKeyResult, whichKey } from './which-key.ts';
export { type CallFileWriter, type CallFileWriterOptions, createCallFileWriter } from './writer.ts';
