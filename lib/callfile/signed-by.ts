/** Who signed a file, and whether that is who had to (`docs/format.md`, section 9). */

import { CallsealError, hasCode } from '../errors.ts';
import { hex } from '../hex.ts';
import type { NativePublicKey, RecipientFileEntry } from '../native/binding.ts';
import { native } from '../native/load.ts';
import type { NativeFileSignature } from '../native/signature-binding.ts';
import { type FileSigner, type SignerInfo, signerInfo } from '../signing/info.ts';
import type { SignerCertificates } from '../signing/signer-certificates.ts';
import { nameOf, tampered, tamperedAt } from './faults.ts';
import { CLOSING_LABEL, CLOSING_MARK, OPENING_LABEL } from './format.ts';
import type { CallFileHeader } from './header.ts';
import type { Loss } from './recovery.ts';
import type { OpeningBlock } from './signature-block.ts';

/** A signature whose opening block is right. */
export interface CheckedSignature {
  /** As of now: nothing of the content is verified. */
  signer: FileSigner;
  /** For the check of the closing block. */
  native: NativeFileSignature;
}

/** The native module's words of the format. */
export const SIGNATURE_TEXTS = {
  openingLabel: OPENING_LABEL,
  closingLabel: CLOSING_LABEL,
  closingMark: CLOSING_MARK,
} as const;

/**
 * Checks the signature before the body: to be done before a key is looked for, let alone a passphrase asked for.
 *
 * @returns Null for a file without a signature.
 * @throws {CallsealError} `ERR_NOT_SIGNED` and `ERR_WRONG_SIGNER` where a signer is required; `ERR_TAMPERED`.
 */
export async function checkSignature(
  header: CallFileHeader,
  requireSigner: SignerCertificates | undefined,
  path?: string,
): Promise<CheckedSignature | null> {
  const { signature } = header;
  if (signature === null) {
    if (requireSigner !== undefined) throw notSigned(path);
    return null;
  }
  const info = signerInfo(hex(signature.keyId), signature.scheme, signature.certificate);
  const required = requireSigner?.keyOf(info.keyId);
  if (requireSigner !== undefined && required === undefined) throw wrongSigner(info, path);
  const forNative: NativeFileSignature = {
    publicKey: publicKeyOf(signature, required, path),
    scheme: signature.scheme,
    fields: signature.fields,
    signature: signature.signature,
    prelude: header.preludeBytes,
    floeHeader: header.floeHeader,
    ...SIGNATURE_TEXTS,
  };
  await verifyOpening(forNative, path);
  return { signer: { ...info, trusted: required !== undefined, content: 'opening-only' }, native: forNative };
}

/**
 * The signer of a file that was read to its end, and the closing block verified where it was there.
 *
 * @param signature Null for a file without one.
 */
export function signerAfter(signature: CheckedSignature | null, loss: Loss | null): FileSigner | null {
  if (signature === null) return null;
  const isWhole = loss === null || loss.reason === 'trailing';
  return { ...signature.signer, content: isWhole ? 'verified' : 'opening-only' };
}

/**
 * The key in the block, which must be of the id that is claimed, in its one encoding, and fit the algorithm.
 *
 * @param required The key of that id, where it is known: then nothing of the file is decoded.
 */
function publicKeyOf(
  { publicKey, keyId, scheme }: OpeningBlock,
  required: NativePublicKey | undefined,
  path: string | undefined,
): NativePublicKey {
  const id = hex(keyId);
  if (hex(native().sha256(publicKey)) !== id) throw otherKey(path);
  const found = required ?? decodedKey(id, publicKey, path);
  if (found.writerScheme !== scheme) throw tampered(path, "the signer's public key is not one for its algorithm");
  return found;
}

/** Keys of the signers met last, by their id: a host signs all its files with one, and decoding it takes longer than the rest. */
const decodedKeys = new Map<string, NativePublicKey>();
const MAX_DECODED_KEYS = 32;

/** @param id That of `publicKey`. */
function decodedKey(id: string, publicKey: Uint8Array, path: string | undefined): NativePublicKey {
  const known = decodedKeys.get(id);
  if (known !== undefined) return known;
  const found = decodeKey(publicKey, path);
  if (hex(found.spkiSha256) !== id) throw otherKey(path);
  const [oldest] = decodedKeys.keys();
  if (oldest !== undefined && decodedKeys.size >= MAX_DECODED_KEYS) decodedKeys.delete(oldest);
  decodedKeys.set(id, found);
  return found;
}

function decodeKey(publicKey: Uint8Array, path: string | undefined): NativePublicKey {
  try {
    return (native().readRecipients(publicKey)[0] as RecipientFileEntry).publicKey;
  } catch (error) {
    if (!hasCode(error, 'ERR_CERTIFICATE_UNREADABLE')) throw error;
    throw tampered(path, "the signer's public key is damaged", error);
  }
}

function otherKey(path: string | undefined): CallsealError {
  return tampered(path, "the key id of the signer is not that of the signer's public key");
}

async function verifyOpening(signature: NativeFileSignature, path: string | undefined): Promise<void> {
  try {
    await native().verifyOpening(signature);
  } catch (error) {
    throw path === undefined ? error : tamperedAt(path, error);
  }
}

function notSigned(path: string | undefined): CallsealError {
  const message =
    `${nameOf(path)} bears no signature, and one is required; ` +
    'have it signed where it is written, or take it for what it is: made by anybody who has the certificates';
  return new CallsealError('ERR_NOT_SIGNED', message, path === undefined ? {} : { path });
}

function wrongSigner({ keyId, certificate }: SignerInfo, path?: string): CallsealError {
  const name = certificate === null ? 'a bare public key' : `what calls itself ${certificate.subject}`;
  const message =
    `${nameOf(path)} was signed by ${name} (key id ${keyId}), which is none of the signers required; ` +
    'if that is the writer, get its certificate from its host and require that one';
  return new CallsealError('ERR_WRONG_SIGNER', message, path === undefined ? {} : { path });
}
