/** Which recipients are meant: `--match`, and certificate files. */

import type { Command } from 'commander';
import { parseRecipientMatch, type RecipientMatch } from '../../callfile/recipient-match.ts';
import { CallsealError } from '../../errors.ts';
import { examineRecipientFile } from '../../recipients/examine.ts';
import { collect } from '../recipient-options.ts';

export const MATCH_HELP = `
MATCH is fingerprint=HEX or key-id=HEX (SHA-256, as inspect shows it), subject=TEXT, expired, or expires-before=YYYY-MM-DD.
TEXT is a whole RFC 4514 subject or whole parts of one: subject=CN=Mary, subject=O=MyCompany,C=US.`;

export function addMatchOption(command: Command, what: string): void {
  command.option('-m, --match <match>', `${what} (repeatable: any of them)`, collect);
}

/** @throws CallsealError ERR_INVALID_ARGUMENT */
export function matchesOf(texts: readonly string[] = []): RecipientMatch[] {
  const now = new Date();
  return texts.map((text) => parseRecipientMatch(text, now));
}

/**
 * The keys of certificates, whatever is wrong with those otherwise: the one to go has often expired. By key, because
 * whoever has the key opens the file, whichever certificate of it the file names.
 *
 * @throws CallsealError ERR_CERTIFICATE_UNREADABLE
 */
export async function keysOf(paths: readonly string[] = []): Promise<RecipientMatch[]> {
  const matches: RecipientMatch[] = [];
  for (const path of paths) {
    const { entries, findings } = await examineRecipientFile({ path });
    const [problem] = findings;
    if (problem !== undefined) throw new CallsealError(problem.code, `${problem.fact}; ${problem.remedy}`, { path });
    matches.push(...entries.map(({ info }) => ({ keyId: info.keyId })));
  }
  return matches;
}
