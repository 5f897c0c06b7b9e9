/** CMS messages that plain OpenSSL has made → call files. */

import {
  assertKeyRing,
  assertListener,
  assertOptions,
  assertPath,
  assertRecipients,
  assertSegmentLength,
  assertSignal,
  assertSigner,
} from '../callfile/arguments.ts';
import type { EncryptOptions } from '../callfile/encrypt.ts';
import { DEFAULT_SEGMENT_LENGTH } from '../callfile/format.ts';
import { type JobOptions, runJob, throwIfAborted } from '../callfile/job.ts';
import { type OutputOptions, outputOf } from '../callfile/output.ts';
import { newPrelude, templateOf } from '../callfile/template.ts';
import { CallsealError, type ErrorCode } from '../errors.ts';
import { native } from '../native/load.ts';
import type { KeyRing } from '../recipients/keyring.ts';
import { openMessage } from './find-key.ts';
import type { CmsResult } from './result.ts';

/** Options of {@link importCms}. */
export interface ImportCmsOptions extends EncryptOptions, OutputOptions, JobOptions {
  /** The private keys at hand; one that fits is enough. */
  keys: KeyRing;
  /**
   * Files with certificates of these keys: the message is opened for a recipient that is one of them, and no other.
   * Without, certificates inside and beside the key files are consulted, and then every key is tried.
   */
  certificates?: readonly string[] | undefined;
}

/**
 * Opens CMS AuthEnvelopedData (DER, BER or PEM) with AES-256-GCM and RSA-OAEP-SHA256, and encrypts its content as a call
 * file for `recipients`. In one pass and flat memory; plaintext is never on the disk. The output appears once the
 * message's tag, which stands at its end, has proved right, complete, synced and with mode 0600, or not at all.
 *
 * What is authenticated is the content. The list of a message's recipients is not: that is so in CMS. Nor does a message say
 * who wrote it: a `signer` vouches for having imported it.
 *
 * @throws {CallsealError} `ERR_NOT_CMS` for anything else, with what to ask the sender for; `ERR_NO_MATCHING_KEY`,
 *   `ERR_PASSPHRASE_REQUIRED`, `ERR_WRONG_PASSPHRASE`, `ERR_CERTIFICATE_UNREADABLE`, `ERR_TAMPERED`, `ERR_TRUNCATED`,
 *   `ERR_OUTPUT_EXISTS`, `ERR_INPUT_CHANGED`, `ERR_IO`, `ERR_ABORTED`, `ERR_INVALID_ARGUMENT`.
 *
 * @example
 * await using keys = new KeyRing(['my_private.key']);
 * const recipients = await Recipients.load(['my_cert.crt']);
 * await importCms('from-partner.cms', 'from-partner.sealed', { keys, recipients });
 */
export async function importCms(input: string, output: string, options: ImportCmsOptions): Promise<CmsResult> {
  assertPath(input, 'input');
  assertPath(output, 'output');
  assertOptions(options);
  const { keys, certificates = [], recipients, signer, segmentLength = DEFAULT_SEGMENT_LENGTH, signal } = options;
  assertKeyRing(keys);
  assertCertificates(certificates);
  assertRecipients(recipients);
  assertSigner(signer);
  assertSegmentLength(segmentLength);
  assertSignal(signal);
  assertListener(options.onProgress);
  throwIfAborted(signal);
  const target = outputOf(output, options);
  return naming(input, async () => {
    const message = await native().CmsInput.open(input, target);
    try {
      const { contentEncryptionKey, keyId } = await openMessage(message, keys, certificates, input);
      try {
        const { inputBytes, outputBytes } = await runJob(input, options, (control) =>
          message.import(
            contentEncryptionKey,
            templateOf(recipients, signer),
            newPrelude(signer),
            target,
            segmentLength,
            control,
          ),
        );
        return { inputBytes, outputBytes, keyId };
      } finally {
        contentEncryptionKey.destroy();
      }
    } finally {
      message.destroy();
    }
  });
}

function assertCertificates(value: unknown): asserts value is readonly string[] {
  if (!Array.isArray(value)) throw new CallsealError('ERR_INVALID_ARGUMENT', 'certificates must be an array of paths');
  for (const path of value) assertPath(path, 'each of certificates');
}

/** Errors of a message's content, which native code does not say of a file. */
const OF_CONTENT: ReadonlySet<ErrorCode> = new Set(['ERR_NOT_CMS', 'ERR_TAMPERED', 'ERR_TRUNCATED']);

async function naming<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof CallsealError) || error.path !== undefined || !OF_CONTENT.has(error.code)) throw error;
    throw new CallsealError(error.code, `${path}: ${error.message}`, { path, cause: error });
  }
}
