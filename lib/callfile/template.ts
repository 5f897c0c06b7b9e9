/** The part of a header that all files of one signer for the same recipients share, built once for each pair. */

import { CallsealError } from '../errors.ts';
import type { NativeEnvelopeTemplate } from '../native/binding.ts';
import { native } from '../native/load.ts';
import type { NativeFileSigner } from '../native/signature-binding.ts';
import { describeRecipient, type ExaminedRecipient } from '../recipients/examine.ts';
import type { Recipients } from '../recipients/recipients.ts';
import type { Signer } from '../signing/signer.ts';
import {
  BODY_LABEL,
  CLOSING_MARK,
  FILE_ID_BYTES,
  MAC_BYTES,
  MAC_LABEL,
  MAX_CREATION_TIME,
  PRELUDE_BYTES,
} from './format.ts';
import { encodePrelude } from './prelude.ts';
import { encodeRecipients, type RecipientEntry } from './recipients-block.ts';
import { bodyContextOf, encodeOpeningFields } from './signature-block.ts';
import { SIGNATURE_TEXTS } from './signed-by.ts';

interface Template {
  native: NativeEnvelopeTemplate;
  headerBytes: number;
}

/** For files without a signature; those with one are found by their signer. */
const UNSIGNED = {};
const templates = new WeakMap<Recipients, WeakMap<object, Template>>();

/**
 * The native template that wraps fresh content keys for `recipients`, and has `signer` sign. Its preludes come from
 * {@link newPrelude} with the same signer.
 *
 * @throws {CallsealError} `ERR_INVALID_ARGUMENT` when a recipient has the signer's key; `ERR_KEY_USE` when the signer was
 *   destroyed.
 */
export function templateOf(recipients: Recipients, signer?: Signer): NativeEnvelopeTemplate {
  return builtFor(recipients, signer).native;
}

/** Bytes of the header before the FLOE header: prelude, recipients, MAC and opening block. */
export function headerBytesOf(recipients: Recipients, signer?: Signer): number {
  return builtFor(recipients, signer).headerBytes;
}

/** Bytes after the last segment. */
export function closingBytesOf(signer?: Signer): number {
  return signer === undefined ? 0 : CLOSING_MARK.length + signer.signatureBytes;
}

function builtFor(recipients: Recipients, signer: Signer | undefined): Template {
  let bySigner = templates.get(recipients);
  if (bySigner === undefined) {
    bySigner = new WeakMap();
    templates.set(recipients, bySigner);
  }
  let template = bySigner.get(signer ?? UNSIGNED);
  if (template === undefined) {
    template = buildTemplate(recipients.entries, signer);
    bySigner.set(signer ?? UNSIGNED, template);
  }
  return template;
}

function buildTemplate(recipients: readonly ExaminedRecipient[], signer: Signer | undefined): Template {
  if (signer !== undefined) refuseSharedKey(recipients, signer);
  const { bytes, wrapOffsets } = encodeRecipients(recipients.map(unwrappedEntry));
  const wraps = recipients.map(({ publicKey }, index) => ({ publicKey, offset: wrapOffsets[index] as number }));
  const nativeSigner = signer === undefined ? null : nativeSignerOf(signer);
  const init = {
    recipients: bytes,
    wraps,
    bodyLabel: BODY_LABEL,
    macLabel: MAC_LABEL,
    ...(nativeSigner === null ? {} : { bodyContext: bodyContextOf(nativeSigner.fields), signer: nativeSigner }),
  };
  const opening = nativeSigner === null ? 0 : nativeSigner.fields.length + (signer?.signatureBytes ?? 0);
  return {
    native: new (native().EnvelopeTemplate)(init),
    headerBytes: PRELUDE_BYTES + bytes.length + MAC_BYTES + opening,
  };
}

function nativeSignerOf(signer: Signer): NativeFileSigner {
  return { key: signer.key, scheme: signer.scheme, fields: encodeOpeningFields(signer), ...SIGNATURE_TEXTS };
}

/** Each key has one purpose: what opens files does not sign them. */
function refuseSharedKey(recipients: readonly ExaminedRecipient[], { info }: Signer): void {
  const shared = recipients.find((recipient) => recipient.info.keyId === info.keyId);
  if (shared === undefined) return;
  const message =
    `the key that signs is the key of a recipient, ${describeRecipient(shared.info)}; ` +
    'a key has one purpose, so make one for signing alone';
  throw new CallsealError('ERR_INVALID_ARGUMENT', message);
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

/** The prelude of a new file: random id, current time, and whether it is signed. */
export function newPrelude(signer?: Signer): Uint8Array {
  const createdAt = Math.min(Math.max(Date.now(), 0), MAX_CREATION_TIME);
  return encodePrelude({ fileId: native().randomBytes(FILE_ID_BYTES), createdAt, signed: signer !== undefined });
}
