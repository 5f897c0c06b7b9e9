/** The part of a header that all files for the same recipients share, built once for each set of recipients. */

import type { NativeEnvelopeTemplate } from '../native/binding.ts';
import { native } from '../native/load.ts';
import type { ExaminedRecipient } from '../recipients/examine.ts';
import type { Recipients } from '../recipients/recipients.ts';
import { BODY_LABEL, FILE_ID_BYTES, MAC_LABEL, MAX_CREATION_TIME } from './format.ts';
import { encodePrelude } from './prelude.ts';
import { encodeRecipients, type RecipientEntry } from './recipients-block.ts';

const templates = new WeakMap<Recipients, NativeEnvelopeTemplate>();

/** The native template that wraps fresh content keys for `recipients`. */
export function templateOf(recipients: Recipients): NativeEnvelopeTemplate {
  let template = templates.get(recipients);
  if (template === undefined) {
    template = buildTemplate(recipients.entries);
    templates.set(recipients, template);
  }
  return template;
}

function buildTemplate(recipients: readonly ExaminedRecipient[]): NativeEnvelopeTemplate {
  const { bytes, wrapOffsets } = encodeRecipients(recipients.map(unwrappedEntry));
  const wraps = recipients.map(({ publicKey }, index) => ({ publicKey, offset: wrapOffsets[index] as number }));
  return new (native().EnvelopeTemplate)({ recipients: bytes, wraps, bodyLabel: BODY_LABEL, macLabel: MAC_LABEL });
}

/** The entry with zero bytes where the wrapped key goes. */
function unwrappedEntry({ publicKey, certificate }: ExaminedRecipient): RecipientEntry {
  const wrappedKey = new Uint8Array(Math.ceil(publicKey.bits / 8));
  if (certificate === null) return { keyId: publicKey.spkiSha256, wrappedKey, certificate: null };
  const { sha256, notBefore, notAfter, subject, issuer } = certificate;
  // The format writes the serial 0 as one zero byte.
  const serial = certificate.serial.length === 0 ? Uint8Array.of(0) : certificate.serial;
  return {
    keyId: publicKey.spkiSha256,
    wrappedKey,
    certificate: { sha256, notBefore, notAfter, serial, subject, issuer },
  };
}

/** The prelude of a new file: random id, current time. */
export function newPrelude(): Uint8Array {
  const createdAt = Math.min(Math.max(Date.now(), 0), MAX_CREATION_TIME);
  return encodePrelude({ fileId: native().randomBytes(FILE_ID_BYTES), createdAt });
}
