/** From a CMS message and a key ring to the content-encryption key. */

import { CallsealError, hasCode } from '../errors.ts';
import { hex } from '../hex.ts';
import type { NativePrivateKey, NativeSecretKey } from '../native/binding.ts';
import type { CmsMatch, CmsRecipient, NativeCmsInput } from '../native/cms-binding.ts';
import type { KeyRing } from '../recipients/keyring.ts';

/** RSA operations that one message may cost when nothing says which recipient is whose. */
const MAX_TRIES = 256;

/** What opened the message. */
export interface OpenedMessage {
  contentEncryptionKey: NativeSecretKey;
  /** The id of the private key. */
  keyId: string;
}

/**
 * Opens the message for one of its recipients: the one that a given certificate is, and no other; without certificates,
 * the one that a certificate inside or beside a key file is, or else whichever a key opens.
 *
 * @throws {CallsealError} `ERR_NO_MATCHING_KEY`; `ERR_TAMPERED` when the key of a recipient's certificate does not open
 *   it; `ERR_NOT_CMS` when it is wrapped in another way; what {@link KeyRing.open} throws.
 */
export async function openMessage(
  message: NativeCmsInput,
  keys: KeyRing,
  certificates: readonly string[],
  path: string,
): Promise<OpenedMessage> {
  if (certificates.length > 0) {
    const matches = await matchesOf(message, certificates);
    if (matches.length === 0) throw noMatchingKey(message, path, 'none of the certificates given is one of these');
    const opened = await openMatched(message, keys, matches);
    if (opened === null) throw noMatchingKey(message, path, 'none of the keys given is that of its certificate');
    return opened;
  }
  const beside = await matchesOf(message, await keys.certificateFiles(), true);
  const opened = beside.length === 0 ? null : await openMatched(message, keys, beside);
  return opened ?? openByTrying(message, keys, path);
}

/** @param lenient pass over files that hold no certificate or cannot be read */
async function matchesOf(message: NativeCmsInput, files: readonly string[], lenient = false): Promise<CmsMatch[]> {
  const matches: CmsMatch[] = [];
  for (const file of files) {
    try {
      matches.push(...(await message.match(file)));
    } catch (error) {
      if (!(error instanceof CallsealError)) throw error;
      if (lenient && (error.code === 'ERR_CERTIFICATE_UNREADABLE' || error.code === 'ERR_IO')) continue;
      const text = `cannot read a certificate from ${file}: ${error.message}`;
      throw new CallsealError('ERR_CERTIFICATE_UNREADABLE', text, { path: file, cause: error });
    }
  }
  return matches;
}

async function openMatched(
  message: NativeCmsInput,
  keys: KeyRing,
  matches: readonly CmsMatch[],
): Promise<OpenedMessage | null> {
  const found = await keys.open(matches.map(({ keyId }) => keyId));
  if (found === null) return null;
  const { recipient } = matches[found.index] as CmsMatch;
  return { contentEncryptionKey: await message.unwrap(found.key, recipient), keyId: found.keyId };
}

async function openByTrying(message: NativeCmsInput, keys: KeyRing, path: string): Promise<OpenedMessage> {
  const { keys: opened, problem } = await keys.openAll();
  let tries = 0;
  for (const key of opened) {
    for (const [index, recipient] of message.recipients.entries()) {
      if (!mayOpen(key, recipient)) continue;
      if (++tries > MAX_TRIES) {
        throw noMatchingKey(message, path, `${MAX_TRIES} were tried; give the certificate that is yours: --cert CERT`);
      }
      const contentEncryptionKey = await tryToOpen(message, key, index);
      if (contentEncryptionKey !== null) return { contentEncryptionKey, keyId: hex(key.spkiSha256) };
    }
  }
  throw problem ?? noMatchingKey(message, path, 'none of the keys at hand opens it');
}

function mayOpen(key: NativePrivateKey, recipient: CmsRecipient): boolean {
  return recipient.problem === null && key.algorithm === 'RSA' && recipient.wrappedBytes === Math.ceil(key.bits / 8);
}

async function tryToOpen(message: NativeCmsInput, key: NativePrivateKey, index: number) {
  try {
    return await message.unwrap(key, index);
  } catch (error) {
    if (hasCode(error, 'ERR_TAMPERED')) return null;
    throw error;
  }
}

const NAMED_RECIPIENTS = 8;

function noMatchingKey(message: NativeCmsInput, path: string, why: string): CallsealError {
  const all = message.recipients;
  const names = all.slice(0, NAMED_RECIPIENTS).map(({ name }) => name);
  if (all.length > names.length) names.push(`and ${all.length - names.length} more`);
  const text = `${path} was encrypted for ${names.join('; ')}: ${why}`;
  return new CallsealError('ERR_NO_MATCHING_KEY', text, { path });
}
