/** Changes who can open a file, without touching its body. */

import type { EnvelopeTemplateInit } from '../native/binding.ts';
import { native } from '../native/load.ts';
import type { KeyRing } from '../recipients/keyring.ts';
import { assertKeyRing, assertOptions, assertPath, assertSignal } from './arguments.ts';
import { judgeEnd, lastSegment } from './body-end.ts';
import { tampered, truncated } from './faults.ts';
import { BODY_LABEL, MAC_LABEL, MARK_BYTES } from './format.ts';
import { describeEntry, type RecipientEntryInfo } from './inspect.ts';
import { type JobOptions, runJob, throwIfAborted } from './job.ts';
import { envelopeOf, findKey } from './open.ts';
import { type OpenCallFile, withCallFile } from './open-file.ts';
import { encodeRecipients, type RecipientEntry } from './recipients-block.ts';
import { ChangePlanner, type PlannedEntry, type RecipientChange } from './recipients-change.ts';
import { unwrappedEntry } from './template.ts';

/** Options of {@link changeRecipients}. */
export interface ChangeRecipientsOptions extends RecipientChange, JobOptions {
  /** The private keys at hand; one that opens the file now is enough. */
  keys: KeyRing;
  /** Do everything but write. Default false. */
  dryRun?: boolean | undefined;
  /**
   * Open the header with a key also where nothing is to change. Default false: then a file that has what it shall have is
   * recognised by its header alone, which nobody has vouched for, and costs no RSA operation.
   */
  verify?: boolean | undefined;
}

/** What {@link changeRecipients} did, or would do. */
export interface ChangeRecipientsResult {
  /** Whether the file was written, or would be. */
  changed: boolean;
  before: RecipientEntryInfo[];
  after: RecipientEntryInfo[];
  /** Length of the file before. */
  inputBytes: number;
}

/**
 * Adds, removes or replaces recipients of a file, in place and in one rename: at every moment the file has the old
 * recipients or the new ones. Body, owner, mode and time of last change stay as they are. The header is authenticated
 * before it is changed; the body is not read as plaintext, nor proved (`verify` does that).
 *
 * Removing a recipient does not take back the content key, which they may have kept: see `rekeyFile`.
 *
 * @throws {CallsealError} `ERR_NO_RECIPIENTS` when nobody would be left; `ERR_NO_MATCHING_KEY`, `ERR_PASSPHRASE_REQUIRED`,
 *   `ERR_WRONG_PASSPHRASE`; `ERR_NOT_CALLSEAL`, `ERR_UNSUPPORTED_VERSION`, `ERR_TAMPERED`; `ERR_TRUNCATED` for a file
 *   that is not complete; `ERR_INPUT_CHANGED` when it was written to meanwhile; `ERR_IO`, `ERR_ABORTED`;
 *   `ERR_INVALID_ARGUMENT`, also for a file with several names.
 *
 * @example
 * const { changed } = await changeRecipients('call.callsre.sealed', {
 *   keys,
 *   replace: { old: [{ subject: 'CN=Fred' }], new: await Recipients.load(['mary.crt']) },
 * });
 */
export async function changeRecipients(
  path: string,
  options: ChangeRecipientsOptions,
): Promise<ChangeRecipientsResult> {
  assertPath(path, 'path');
  assertOptions(options);
  const { keys, signal } = options;
  assertKeyRing(keys);
  assertSignal(signal);
  const planner = new ChangePlanner(options);
  throwIfAborted(signal);
  return withCallFile(path, null, (open) => change(open, planner, options));
}

async function change(
  open: OpenCallFile,
  planner: ChangePlanner,
  options: ChangeRecipientsOptions,
): Promise<ChangeRecipientsResult> {
  const { path, file, size, header } = open;
  const before = header.recipients.map(describeEntry);
  const planned = planner.plan(header.recipients, path);
  if (planned === null) {
    if (options.verify) await proveHeader(open, options);
    return { changed: false, before, after: before, inputBytes: size };
  }
  await requireComplete(open);
  const { init, entries } = sectionOf(planned);
  const result = { changed: true, before, after: entries.map(describeEntry), inputBytes: size };
  if (options.dryRun) {
    await proveHeader(open, options);
    return result;
  }
  const { key, index } = await findKey(header, options.keys, path);
  await runJob(path, options, (control) =>
    native().changeRecipients(file, key, envelopeOf(header, index), init, header.restOffset, control),
  );
  return result;
}

/** Unwraps the content key and verifies the recipients MAC. */
async function proveHeader({ path, header }: OpenCallFile, options: ChangeRecipientsOptions): Promise<void> {
  const { key, index } = await findKey(header, options.keys, path);
  const opened = await runJob(path, { signal: options.signal }, () =>
    native().openEnvelope(key, envelopeOf(header, index)),
  );
  opened.destroy();
}

/** Its writer may still be at it, and would go on with a file that has no name any more. */
async function requireComplete({ path, file, size, header }: OpenCallFile): Promise<void> {
  const { offset, length } = lastSegment(header, size);
  const mark = await file.read(Math.min(offset, size), Math.min(MARK_BYTES, Math.max(length, 0)));
  const { state, problem } = judgeEnd(header.segmentLength, length, mark);
  if (state === 'damaged') throw tampered(path, problem as string);
  if (state === 'truncated')
    throw truncated(path, `${problem} (if it is still being written, try again when it is finished)`);
}

/** The new section, and its entries as they will be described. */
function sectionOf(planned: readonly PlannedEntry[]): { init: EnvelopeTemplateInit; entries: RecipientEntry[] } {
  const entries = planned.map((entry) => ('kept' in entry ? entry.kept : unwrappedEntry(entry.added)));
  const { bytes, wrapOffsets } = encodeRecipients(entries);
  const wraps = planned.flatMap((entry, index) =>
    'kept' in entry ? [] : [{ publicKey: entry.added.publicKey, offset: wrapOffsets[index] as number }],
  );
  return { init: { recipients: bytes, wraps, bodyLabel: BODY_LABEL, macLabel: MAC_LABEL }, entries };
}
