/** The part of a header that all files for the same recipients share, built once for each set of recipients. */

import type { NativeEnvelopeTemplate } from '../native/binding.ts';
import { native } from '../native/load.ts';
import type { ExaminedRecipient } from '../recipients/examine.ts';
import type { Recipients } from '../recipients/recipients.ts';
import { BODY_LABEL, FILE_ID_BYTES, MAC_BYTES, MAC_LABEL, MAX_CREATION_TIME, PRELUDE_BYTES } from './format.ts';
import { encodePrelude } from './prelude.ts';
import { encodeRecipients, type RecipientEntry } from './recipients-block.ts';

interface Template {
  native: NativeEnvelopeTemplate;
  headerBytes: number;
}

const templates = new WeakMap<Recipients, Template>();

/** The native template that wraps fresh content keys for `recipients`. */
export function templateOf(recipients: Recipients): NativeEnvelopeTemplate {
  return builtFor(recipients).native;
}

/** Bytes of the header before the FLOE header: prelude, recipients and MAC. */
export function headerBytesOf(recipients: Recipients): number {
  return builtFor(recipients).headerBytes;
}

function builtFor(recipients: Recipients): Template {
  let template = templates.get(recipients);
  if (template === undefined) {
    template = buildTemplate(recipients.entries);
    templates.set(recipients, template);
  }
  return template;
}

function buildTemplate(recipients: readonly ExaminedRecipient[]): Template {
  const { bytes, wrapOffsets } = encodeRecipients(recipients.map(unwrappedEntry));
  const wraps = recipients.map(({ publicKey }, index) => ({ publicKey, offset: wrapOffsets[index] as number }));
  const init = { recipients: bytes, wraps, bodyLabel: BODY_LABEL, macLabel: MAC_LABEL };
  return {
    native: new (native().EnvelopeTemplate)(init),
    headerBytes: PRELUDE_BYTES + bytes.length + MAC_BYTES,
  };
}

/** The entry with zero bytes where the wrapped key goes. */
export function unwrappedEntry({ publicKey, certificate }: ExaminedRecipient): RecipientEntry {
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
