/** What both directions tell. */

import type { FileResult } from '../callfile/encrypt.ts';

/** What {@link exportCms} and {@link importCms} did. Bytes are whole-file lengths. */
export interface CmsResult extends FileResult {
  /** The id of the private key that opened the input: SHA-256 of its DER SubjectPublicKeyInfo, lower-case hexadecimal. */
  keyId: string;
}
