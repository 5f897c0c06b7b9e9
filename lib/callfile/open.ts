/** From a header and a key ring to the key of the body (`docs/format.md`, section 4). */

import { CallsealError } from '../errors.ts';
import type { NativePrivateKey, NativeSecretKey } from '../native/binding.ts';
import type { KeyRing } from '../recipients/keyring.ts';
import { nameOf, tampered } from './faults.ts';
import { BODY_LABEL, MAC_LABEL } from './format.ts';
import type { CallFileHeader } from './header.ts';
import type { RecipientEntry } from './recipients-block.ts';

/** An opened file: the key of its body, and the id of the private key that opened it. */
export interface OpenedHeader {
  /** The caller destroys it. */
  bodyKey: NativeSecretKey;
  /** Lower-case hexadecimal. */
  keyId: string;
}

/** RSA operations that one file may cost when its key ids fit no key: more would let a file waste a host's time. */
const MAX_ALTERED_ID_TRIES = 8;

/**
 * Finds the private key, unwraps the content key, verifies the recipients MAC and derives the body's key. Every key
 * in between is destroyed.
 *
 * @throws {CallsealError} `ERR_NO_MATCHING_KEY`, `ERR_TAMPERED`, and what {@link KeyRing.open} throws.
 */
export async function openHeader(header: CallFileHeader, keys: KeyRing, path?: string): Promise<OpenedHeader> {
  const match = await keys.open(header.recipients.map((entry) => entry.keyId));
  if (match === null) {
    await refuseAlteredKeyId(header, keys, path);
    throw noMatchingKey(header, keys, path);
  }
  const entry = header.recipients[match.index] as RecipientEntry;
  const content = await unwrap(match.key, entry, match.index, path);
  try {
    verifyRecipients(content, header, path);
    const bodyKey = content.derive('floe', BODY_LABEL, header.preludeBytes);
    return { bodyKey, keyId: Buffer.from(entry.keyId).toString('hex') };
  } finally {
    content.destroy();
  }
}

async function unwrap(
  key: NativePrivateKey,
  entry: RecipientEntry,
  index: number,
  path: string | undefined,
): Promise<NativeSecretKey> {
  try {
    return await key.unwrap(entry.wrappedKey);
  } catch (error) {
    if (!(error instanceof CallsealError) || error.code !== 'ERR_TAMPERED') throw error;
    throw tampered(path, `the wrapped key of recipient ${index + 1} does not decrypt with its private key`, error);
  }
}

function verifyRecipients(content: NativeSecretKey, header: CallFileHeader, path: string | undefined): void {
  const macKey = content.derive('mac', MAC_LABEL, header.preludeBytes);
  try {
    if (macKey.verifyMac(header.authenticatedBytes, header.mac)) return;
    throw tampered(path, 'the header fails authentication');
  } finally {
    macKey.destroy();
  }
}

/**
 * No entry bears a held key's id: if one opens with a held key all the same, its id was altered (section 6).
 *
 * @throws {CallsealError} `ERR_TAMPERED`.
 */
async function refuseAlteredKeyId(header: CallFileHeader, keys: KeyRing, path: string | undefined): Promise<void> {
  let tries = 0;
  for (const key of keys.opened()) {
    for (const [index, entry] of header.recipients.entries()) {
      if (key.algorithm !== 'RSA' || entry.wrappedKey.length !== Math.ceil(key.bits / 8)) continue;
      if (++tries > MAX_ALTERED_ID_TRIES) return;
      if (await opens(key, entry)) throw tampered(path, `the key id of recipient ${index + 1} is not that of its key`);
    }
  }
}

async function opens(key: NativePrivateKey, entry: RecipientEntry): Promise<boolean> {
  try {
    (await key.unwrap(entry.wrappedKey)).destroy();
    return true;
  } catch (error) {
    if (error instanceof CallsealError && error.code === 'ERR_TAMPERED') return false;
    throw error;
  }
}

const NAMED_RECIPIENTS = 8;

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
  return `certificate ${entry.certificate.subject}`;
}
