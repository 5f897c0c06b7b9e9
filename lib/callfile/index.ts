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
} from './decrypt.ts';
export { type DecryptBufferOptions, decrypt } from './decrypt-buffer.ts';
export { createDecryptStream } from './decrypt-stream.ts';
export {
  type EncryptFileOptions,
  type EncryptOptions,
  encryptFile,
  encryptInPlace,
  type FileResult,
} from './encrypt.ts';
export { type EncryptBufferOptions, encrypt, encryptedLength } from './encrypt-buffer.ts';
export { createEncryptStream } from './encrypt-stream.ts';
export { type Inspection, inspect, type RecipientEntryInfo } from './inspect.ts';
export type { ProgressListener } from './job.ts';
export { parseRecipientMatch, type RecipientMatch } from './recipient-match.ts';
export type { RecipientChange } from './recipients-change.ts';
export { type RekeyFileOptions, type RekeyFileResult, rekeyFile } from './rekey.ts';
export { type VerifyOptions, type VerifyResult, verify } from './verify.ts';
