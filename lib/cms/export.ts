/** Call files → CMS messages that plain OpenSSL opens. */

import {
  assertBoolean,
  assertKeyRing,
  assertOptions,
  assertPath,
  assertRecipients,
  assertRequiredSigner,
  assertSignal,
} from '../callfile/arguments.ts';
import type { DecryptOptions } from '../callfile/decrypt.ts';
import { type JobOptions, runJob, throwIfAborted } from '../callfile/job.ts';
import { bodyAccess } from '../callfile/open.ts';
import { withCallFile } from '../callfile/open-file.ts';
import { type OutputOptions, outputOf } from '../callfile/output.ts';
import { checkSignature, signerAfter } from '../callfile/signed-by.ts';
import { CallsealError } from '../errors.ts';
import type { CmsWrap } from '../native/cms-binding.ts';
import { native } from '../native/load.ts';
import type { ExaminedRecipient } from '../recipients/examine.ts';
import type { Recipients } from '../recipients/recipients.ts';
import type { ExportCmsResult } from './result.ts';

/** Options of {@link exportCms}. */
export interface ExportCmsOptions extends DecryptOptions, OutputOptions, JobOptions {
  /** Whom the message is for: certificates, as CMS cannot name a bare public key. Each of them opens it alone. */
  recipients: Recipients;
  /** Write PEM text instead of DER. Default false. */
  pem?: boolean | undefined;
}

/**
 * Decrypts a call file and encrypts it anew as CMS AuthEnvelopedData (RFC 5083): AES-256-GCM, the content key wrapped
 * with RSA-OAEP-SHA256. Every part is authenticated before it is encrypted; plaintext is never on the disk; memory is
 * flat. The output appears complete, synced and with mode 0600, or not at all.
 *
 * The signature of a signed file is verified, and does not go with its content: the message says nothing of its writer.
 *
 * @throws {CallsealError} What {@link decryptFile} throws; `ERR_INVALID_ARGUMENT` for a recipient without a certificate,
 *   and for content longer than 2^36 − 32 bytes, AES-GCM's limit (NIST SP 800-38D section 5.2.1.1).
 *
 * @example
 * const recipients = await Recipients.load(['partner.crt']);
 * await exportCms('call.callsre.sealed', 'call.callsre.cms', { keys, recipients });
 */
export async function exportCms(input: string, output: string, options: ExportCmsOptions): Promise<ExportCmsResult> {
  assertPath(input, 'input');
  assertPath(output, 'output');
  assertOptions(options);
  const { keys, requireSigner, recipients, signal, pem = false } = options;
  assertKeyRing(keys);
  assertRequiredSigner(requireSigner);
  assertRecipients(recipients);
  assertSignal(signal);
  assertBoolean(pem, 'pem');
  throwIfAborted(signal);
  const wraps = recipients.entries.map(wrapFor);
  const target = outputOf(output, options);
  return withCallFile(input, target, async ({ file, header }) => {
    const signature = await checkSignature(header, requireSigner, input);
    const { key, keyId, envelope } = await bodyAccess(header, keys, signature, input);
    const { inputBytes, outputBytes } = await runJob(input, options, (control) =>
      native().exportCms(file, key, envelope, header.bodyOffset, wraps, pem, target, control),
    );
    return { inputBytes, outputBytes, keyId, signer: signerAfter(signature, null) };
  });
}

/** @throws {CallsealError} `ERR_INVALID_ARGUMENT`. */
function wrapFor({ info, publicKey, certificate }: ExaminedRecipient): CmsWrap {
  if (certificate !== null) return { publicKey, issuerAndSerial: certificate.issuerAndSerial };
  throw new CallsealError(
    'ERR_INVALID_ARGUMENT',
    `${info.path} is a bare public key, and a CMS message names its recipients by their certificates; ` +
      'give the certificate of the key',
    { path: info.path },
  );
}
