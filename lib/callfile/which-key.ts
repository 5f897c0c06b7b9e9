/** Which of several keys open a file, without decrypting its body. */

import { CallsealError, type ErrorCode } from '../errors.ts';
import { native } from '../native/load.ts';
import type { KeyRing } from '../recipients/keyring.ts';
import { closeRead, openRegularFile } from '../recipients/regular-file.ts';
import { assertKeyRing, assertOptions, assertPath, assertSignal } from './arguments.ts';
import type { CallFileHeader } from './header.ts';
import { describeEntry, type RecipientEntryInfo } from './inspect.ts';
import { runJob, throwIfAborted } from './job.ts';
import { envelopeOf } from './open.ts';
import { partReader, readHeaderOf } from './read-header.ts';

/** Options of {@link whichKey}. */
export interface WhichKeyOptions {
  /** Each key in a ring of its own; of a ring with several, the first that fits counts. */
  keys: readonly KeyRing[];
  /** Only compares ids, which an altered file may bear wrongly; asks for no passphrase where a certificate tells. Default false. */
  quick?: boolean | undefined;
  /** Cancels the operation (`ERR_ABORTED`). */
  signal?: AbortSignal | undefined;
}

/** A key that opens a file. */
export interface FittingKey {
  /** Its place in `keys`. */
  ring: number;
  /** SHA-256 of its DER SubjectPublicKeyInfo, lower-case hexadecimal. */
  keyId: string;
}

/** What {@link whichKey} found. */
export interface WhichKeyResult {
  /** Length of the file. */
  fileBytes: number;
  /** Whether the content key was unwrapped and the recipients authenticated with every one of {@link opens}. */
  proved: boolean;
  /** In the order of `keys`; empty when none of them opens the file. */
  opens: FittingKey[];
  /** Keys that could not be opened and may fit, with the reason. */
  closed: { ring: number; error: CallsealError }[];
  /** For whom the file was encrypted; authenticated when {@link opens} is not empty and {@link proved}. */
  recipients: RecipientEntryInfo[];
}

/** Problems of the caller, not of one key. */
const FATAL: ReadonlySet<ErrorCode> = new Set(['ERR_ABORTED', 'ERR_KEY_USE']);

/**
 * Finds out which keys open a file, at the price of one private RSA operation for each that does. The body is not read,
 * so that nothing is said of whether it is whole: that takes {@link verify}.
 *
 * @throws {CallsealError} `ERR_TAMPERED` when a key's entry does not open or the recipients are not authentic;
 *   `ERR_NOT_CALLSEAL`, `ERR_UNSUPPORTED_VERSION`, `ERR_TRUNCATED` (in the header), `ERR_IO`, `ERR_ABORTED`,
 *   `ERR_INVALID_ARGUMENT`.
 *
 * @example
 * const keys = [new KeyRing(['mary.key']), new KeyRing(['fred.key'])];
 * const { opens } = await whichKey('call.callsre.sealed', { keys });
 * console.log(opens.map(({ ring }) => ['Mary', 'Fred'][ring]));
 */
export async function whichKey(path: string, options: WhichKeyOptions): Promise<WhichKeyResult> {
  assertPath(path, 'path');
  assertOptions(options);
  const { keys, quick = false, signal } = options;
  if (!Array.isArray(keys)) throw new CallsealError('ERR_INVALID_ARGUMENT', 'keys must be an array of KeyRings');
  for (const ring of keys) assertKeyRing(ring);
  assertSignal(signal);
  throwIfAborted(signal);
  const { header, fileBytes } = await headerOf(path);
  const result: WhichKeyResult = {
    fileBytes,
    proved: !quick,
    opens: [],
    closed: [],
    recipients: header.recipients.map(describeEntry),
  };
  for (const [index, ring] of keys.entries()) {
    throwIfAborted(signal);
    const found = await judge(header, ring, quick, path);
    if (found instanceof CallsealError) result.closed.push({ ring: index, error: found });
    else if (found !== null) result.opens.push({ ring: index, keyId: found });
  }
  return result;
}

async function headerOf(path: string): Promise<{ header: CallFileHeader; fileBytes: number }> {
  const { handle, stats } = await openRegularFile(path);
  try {
    const fileBytes = Number(stats.size);
    return { header: await readHeaderOf(partReader(handle, path), fileBytes, path), fileBytes };
  } finally {
    await closeRead(handle);
  }
}

/** The id of the key that opens it, null when it is none of the ring, or why that cannot be told. */
async function judge(
  header: CallFileHeader,
  ring: KeyRing,
  quick: boolean,
  path: string,
): Promise<string | CallsealError | null> {
  const keyIds = header.recipients.map(({ keyId }) => keyId);
  try {
    if (quick) return (await ring.recognise(keyIds))?.keyId ?? null;
    const match = await ring.open(keyIds);
    if (match === null) return null;
    const bodyKey = await runJob(path, {}, () => native().openEnvelope(match.key, envelopeOf(header, match.index)));
    bodyKey.destroy();
    return match.keyId;
  } catch (error) {
    if (!(error instanceof CallsealError) || FATAL.has(error.code) || error.code === 'ERR_TAMPERED') throw error;
    return error;
  }
}
