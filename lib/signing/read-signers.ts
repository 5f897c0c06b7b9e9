/** Certificates and public keys of signers, as files hold them. */

import { CallsealError } from '../errors.ts';
import { type ExaminedRecipient, examineRecipientFile } from '../recipients/examine.ts';

/**
 * Everything in a file. Dates do not matter: what was signed while a certificate was valid remains signed.
 *
 * @throws {CallsealError} `ERR_CERTIFICATE_UNREADABLE`.
 */
export async function readSigners(path: string): Promise<ExaminedRecipient[]> {
  const { entries, findings } = await examineRecipientFile({ path });
  const unreadable = [...findings, ...entries.flatMap((entry) => entry.findings)].find(
    ({ kind }) => kind === 'unreadable',
  );
  if (unreadable === undefined) return entries;
  throw new CallsealError(unreadable.code, `${unreadable.fact}; ${unreadable.remedy}`, { path });
}
