/** Who signed a file, as the page is told. */

import { safe } from '../safe-text.ts';
import type { FileSigner } from '../signing/info.ts';
import type { SignerView } from './protocol.ts';

export function signerView({ certificate, keyId, content }: FileSigner): SignerView {
  return { subject: certificate && safe(certificate.subject), keyId, content };
}
