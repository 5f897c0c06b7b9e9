/** From a header and a key ring to the key of the body (`docs/format.md`, section 4). */

import { CallsealError } from '../errors.ts';
import type { NativeFloeDecryptor, NativePrivateKey, SealedEnvelope } from '../native/binding.ts';
import { native } from '../native/load.ts';
import type { KeyRing, RingMatch } from '../recipients/keyring.ts';
import type { SignerCertificates } from '../signing/signer-certificates.ts';
import { isTampered, nameOf, tampered, tamperedAt } from './faults.ts';
import { BODY_LABEL, MAC_LABEL } from './format.ts';
import type { CallFileHeader } from './header.ts';
import type { RecipientEntry } from './recipients-block.ts';
import { bodyContextOf } from './signature-block.ts';
import { type CheckedSignature, checkSignature } from './signed-by.ts';

/** RSA operations that one file may cost when its key ids fit no key: more would let a file waste a host's time. */
const MAX_ALTERED_ID_TRIES = 8;

/**
 * Finds the private key for a file.
 *
 * @throws {CallsealError} `ERR_NO_MATCHING_KEY`, `ERR_TAMPERED`, and what {@link KeyRing.open} throws.
 */
export async function findKey(header: CallFileHeader, keys: KeyRing, path?: string): Promise<RingMatch> {
  const match = await keys.open(header.recipients.map((entry) => entry.keyId));
  if (match === null) {
    await refuseAlteredKeyId(header, keys, path);
    throw noMatchingKey(header, keys, path);
  }
  return match;
}

/** What native code needs to open the envelope for one recipient. */
export function envelopeOf(header: CallFileHeader, index: number): SealedEnvelope {
  return {
    wrappedKey: (header.recipients[index] as RecipientEntry).wrappedKey,
    prelude: header.preludeBytes,
    authenticated: header.authenticatedBytes,
    mac: header.mac,
    bodyLabel: BODY_LABEL,
    macLabel: MAC_LABEL,
    ...(header.signature === null ? {} : { bodyContext: bodyContextOf(header.signature.fields) }),
  };
}

/** What a native job needs to read the body of a file. */
export interface BodyAccess {
  key: NativePrivateKey;
  /** The id of the private key, lower-case hexadecimal. */
  keyId: string;
  /** With the signature, whose end the job verifies. */
  envelope: SealedEnvelope;
}

/**
 * Finds the private key for a job that reads the whole body.
 *
 * @param signature What {@link checkSignature} found. Not optional, so that no job forgets it.
 * @throws {CallsealError} What {@link findKey} throws.
 */
export async function bodyAccess(
  header: CallFileHeader,
  keys: KeyRing,
  signature: CheckedSignature | null,
  path: string,
): Promise<BodyAccess> {
  const { key, index, keyId } = await findKey(header, keys, path);
  return { key, keyId, envelope: { ...envelopeOf(header, index), signature: signature?.native ?? null } };
}

/** What reads the body of a file. */
export interface OpenedBody {
  decryptor: NativeFloeDecryptor;
  /** Null for a file without a signature. */
  signature: CheckedSignature | null;
  /** The id of the private key, lower-case hexadecimal. */
  keyId: string;
}

/**
 * Checks who signed the file, finds the private key, unwraps the content key, verifies the recipients MAC, and makes a
 * decryptor of the body.
 *
 * @param requireSigner Not optional, so that no reader forgets it.
 * @throws {CallsealError} What {@link checkSignature} and {@link findKey} throw; `ERR_TAMPERED`.
 */
export async function openBody(
  header: CallFileHeader,
  keys: KeyRing,
  requireSigner: SignerCertificates | undefined,
  path?: string,
): Promise<OpenedBody> {
  const signature = await checkSignature(header, requireSigner, path);
  const { key, index, keyId } = await findKey(header, keys, path);
  try {
    const bodyKey = await native().openEnvelope(key, envelopeOf(header, index));
    try {
      const { preludeBytes, floeHeader } = header;
      const decryptor = new (native().FloeDecryptor)(bodyKey, preludeBytes, floeHeader, signature?.native ?? null);
      return { decryptor, signature, keyId };
    } finally {
      bodyKey.destroy();
    }
  } catch (error) {
    throw path === undefined ? error : tamperedAt(path, error);
  }
}

/**
 * No entry bears a held key's id: if the header is authentic with that id in one of them, the id was altered (section 6).
 * That an entry can be unwrapped is not enough: whether a padding is right is nobody's business who lacks the content key.
 *
 * @throws {CallsealError} `ERR_TAMPERED`.
 */
async function refuseAlteredKeyId(header: CallFileHeader, keys: KeyRing, path: string | undefined): Promise<void> {
  let tries = 0;
  for (const key of keys.opened()) {
    for (const [index, entry] of header.recipients.entries()) {
      if (key.algorithm !== 'RSA' || entry.wrappedKey.length !== Math.ceil(key.bits / 8)) continue;
      if (++tries > MAX_ALTERED_ID_TRIES) return;
      if (await opensWithOwnId(key, header, index)) {
        throw tampered(path, `the key id of recipient ${index + 1} is not that of its key`);
      }
    }
  }
}

async function opensWithOwnId(key: NativePrivateKey, header: CallFileHeader, index: number): Promise<boolean> {
  const { keyId } = header.recipients[index] as RecipientEntry;
  const authenticated = Uint8Array.from(header.authenticatedBytes);
  authenticated.set(key.spkiSha256, keyId.byteOffset - header.authenticatedBytes.byteOffset);
  try {
    (await native().openEnvelope(key, { ...envelopeOf(header, index), authenticated })).destroy();
    return true;
  } catch (error) {
    if (isTampered(error)) return false;
    throw error;
  }
}

/** Names in a message are not authenticated, and may have 8192 bytes each: a file must not fill a host's log. */
const NAMED_RECIPIENTS = 8;
const MAX_NAME_LENGTH = 200;

function noMatchingKey(header: CallFileHeader, keys: KeyRing, path: string | undefined): CallsealError {
  const names = header.recipients.slice(0, NAMED_RECIPIENTS).map(describeEntry);
  const more = header.recipients.length - names.length;
  if (more > 0) names.push(`and ${more} more`);
  const untried = keys.untried;
  const note = untried.length === 0 ? '' : ` (${untried.join('; ')})`;
  const message =
    `none of the keys at hand opens ${nameOf(path)}, which was encrypted for ${names.join('; ')}; ` +
    `give the private key of one of them${note}`;
  return new CallsealError('ERR_NO_MATCHING_KEY', message, path === undefined ? {} : { path });
}

function describeEntry(entry: RecipientEntry): string {
  if (entry.certificate === null) return `public key ${Buffer.from(entry.keyId).toString('hex').slice(0, 16)}…`;
  const name = Array.from(entry.certificate.subject);
  return `certificate ${name.slice(0, MAX_NAME_LENGTH).join('')}${name.length > MAX_NAME_LENGTH ? '…' : ''}`;
}
