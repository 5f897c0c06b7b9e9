/** What both directions tell. */

import type { FileResult } from '../callfile/encrypt.ts';
import type { FileSigner } from '../signing/info.ts';

/** What {@link exportCms} and {@link importCms} did. Bytes are whole-file lengths. */
export interface CmsResult extends FileResult {
  /** The id of the private key that opened the input: SHA-256 of its DER SubjectPublicKeyInfo, lower-case hexadecimal. */
  keyId: string;
}

/** What {@link exportCms} did. */
export interface ExportCmsResult extends CmsResult {
  /** Who signed the call file; null when nobody did. */
  signer: FileSigner | null;
}
