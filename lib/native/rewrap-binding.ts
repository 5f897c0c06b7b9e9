/** The addon's functions that give encrypted files to others than before (`native/addon/rewrap_functions.cc`). */

import type {
  EnvelopeTemplateInit,
  FileJobOutput,
  FileJobResult,
  NativeEnvelopeTemplate,
  NativeInputFile,
  NativeJobControl,
  NativePrivateKey,
  SealedEnvelope,
} from './binding.ts';

export interface NativeRewrapFunctions {
  /**
   * Opens the envelope, wraps the same content key for the keys in `init.wraps`, and replaces the file by `prelude ‖
   * init.recipients ‖ MAC` and all that it has from `restOffset` on. In place, synced; owner, mode and time of last
   * change stay.
   *
   * ERR_TAMPERED; ERR_INPUT_CHANGED when the file is written to or replaced meanwhile; ERR_INVALID_ARGUMENT for a file
   * with several names, and holes that do not fit; ERR_IO.
   *
   * @param init The new section: entries that stay with their wrapped keys, others with holes. There may be no hole.
   */
  changeRecipients(
    file: NativeInputFile,
    key: NativePrivateKey,
    envelope: SealedEnvelope,
    init: EnvelopeTemplateInit,
    restOffset: number,
    control: NativeJobControl | null,
  ): Promise<FileJobResult>;

  /**
   * Decrypts the body between `bodyOffset` and `bodyEnd` and encrypts it under a fresh content key, in one job; no
   * plaintext leaves memory. With a signature in the envelope, its closing block must follow the body and be right. An output that is the input itself is replaced in place, as above.
   * ERR_TAMPERED, ERR_TRUNCATED, ERR_OUTPUT_EXISTS, ERR_INPUT_CHANGED, ERR_IO.
   */
  rekeyFile(
    file: NativeInputFile,
    key: NativePrivateKey,
    envelope: SealedEnvelope,
    bodyOffset: number,
    bodyEnd: number,
    template: NativeEnvelopeTemplate,
    prelude: Uint8Array,
    segmentLength: number,
    output: FileJobOutput,
    control: NativeJobControl | null,
  ): Promise<FileJobResult>;
}
