/** Encrypts files anew, under a fresh content key: what those who knew the old one cannot open. */

import { CallsealError } from '../errors.ts';
import { native } from '../native/load.ts';
import type { Signer } from '../signing/signer.ts';
import {
  assertBoolean,
  assertKeyRing,
  assertOptions,
  assertPath,
  assertRecipients,
  assertRequiredSigner,
  assertSegmentLength,
  assertSignal,
  assertSigner,
} from './arguments.ts';
import { bodyEnd } from './body-end.ts';
import type { DecryptOptions } from './decrypt.ts';
import type { EncryptOptions, FileResult } from './encrypt.ts';
import { type JobOptions, runJob, throwIfAborted } from './job.ts';
import { bodyAccess } from './open.ts';
import { withCallFile } from './open-file.ts';
import { type OutputOptions, outputOf } from './output.ts';
import { checkSignature } from './signed-by.ts';
import { newPrelude, templateOf } from './template.ts';

/** Options of {@link rekeyFile}. */
export interface RekeyFileOptions extends EncryptOptions, DecryptOptions, OutputOptions, JobOptions {
  /**
   * Who signs the new file: what a file's signature says of its body does not hold for another body. Whoever signs anew
   * vouches for what the file holds, so say whose files those may be with `requireSigner`. Default: nobody, and a file
   * that is signed is refused.
   */
  signer?: Signer | undefined;
  /** Let a signed file become one without a signature. Default false. */
  dropSignature?: boolean | undefined;
  /** Bytes of an encrypted segment, 1024 to 16777216. Default: those of the file as it is. */
  segmentLength?: number | undefined;
  /** Leave a file alone that was encrypted at this time or later, as its header says: a run that is repeated goes on where it was ended. */
  before?: Date | undefined;
}

/** What {@link rekeyFile} did. */
export interface RekeyFileResult extends FileResult {
  /** False when the file was left alone for `before`; then `outputBytes` is 0. */
  changed: boolean;
}

/**
 * Decrypts a file and encrypts it again with a new content key, file id and creation time, segment by segment in
 * memory: no plaintext is written anywhere. The result appears complete, after all of the input has proved authentic.
 *
 * Needed when the content keys of files may be known to somebody who shall not open them: a private key was lost or
 * stolen, or somebody was removed who may have kept what they could read. Otherwise `changeRecipients` is enough.
 *
 * @param input An encrypted file.
 * @param output Null to replace the input, which keeps owner, mode and time of last change.
 * @param options `recipients` are required: a file holds no certificates, only what describes them.
 * @throws {CallsealError} What `decryptFile` and `encryptFile` throw; `ERR_INVALID_ARGUMENT` for a signed file without
 *   `signer` or `dropSignature`.
 *
 * @example
 * await rekeyFile('call.callsre.sealed', null, { keys, recipients: await Recipients.fromConfig() });
 */
export async function rekeyFile(
  input: string,
  output: string | null,
  options: RekeyFileOptions,
): Promise<RekeyFileResult> {
  assertPath(input, 'input');
  if (output !== null) assertPath(output, 'output');
  assertOptions(options);
  const { keys, requireSigner, recipients, signer, dropSignature = false, segmentLength, signal, before } = options;
  assertKeyRing(keys);
  assertRequiredSigner(requireSigner);
  assertRecipients(recipients);
  assertSigner(signer);
  assertBoolean(dropSignature, 'dropSignature');
  if (segmentLength !== undefined) assertSegmentLength(segmentLength);
  assertSignal(signal);
  assertBefore(before);
  throwIfAborted(signal);
  const target = outputOf(output ?? input, output === null ? { overwrite: true } : options);
  return withCallFile(input, target, async ({ file, size, header }) => {
    if (before !== undefined && isBetween(header.prelude.createdAt, before)) {
      return { changed: false, inputBytes: size, outputBytes: 0 };
    }
    const signature = await checkSignature(header, requireSigner, input);
    if (signature !== null && signer === undefined && !dropSignature) throw signatureWouldGo(input);
    const { key, envelope } = await bodyAccess(header, keys, signature, input);
    const result = await runJob(input, options, (control) =>
      native().rekeyFile(
        file,
        key,
        envelope,
        header.bodyOffset,
        bodyEnd(header, size),
        templateOf(recipients, signer),
        newPrelude(signer),
        segmentLength ?? header.segmentLength,
        target,
        control,
      ),
    );
    return { changed: true, ...result };
  });
}

function signatureWouldGo(path: string): CallsealError {
  const message =
    `${path} is signed by its writer, whose signature is not one of the new file; ` +
    'sign that anew (--sign-key), or give the signature up (--drop-signature)';
  return new CallsealError('ERR_INVALID_ARGUMENT', message, { path });
}

/** Milliseconds that the clocks of hosts may differ. */
const CLOCK_SKEW = 300_000;

/** A time further ahead than any clock is no reason to leave a file under its old key. */
function isBetween(createdAt: number, before: Date): boolean {
  return createdAt >= before.getTime() && createdAt <= Date.now() + CLOCK_SKEW;
}

function assertBefore(value: unknown): void {
  if (value === undefined || (value instanceof Date && !Number.isNaN(value.getTime()))) return;
  throw new CallsealError('ERR_INVALID_ARGUMENT', 'before must be a valid date');
}
