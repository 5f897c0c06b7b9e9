/** What is said of a file before any key is given. */

import { type Inspection, inspect, type RecipientEntryInfo } from '../callfile/inspect.ts';
import { CallsealError, type ErrorCode } from '../errors.ts';
import { safe } from '../safe-text.ts';
import type { FileState, FileView, RecipientView } from './protocol.ts';
import { plainNameOf, type SealedFile } from './sealed-file.ts';

/** Recipients of all files, each once: a thousand files are mostly for the same few. */
export class RecipientTable {
  readonly views: RecipientView[] = [];
  readonly #places = new Map<string, number>();

  place(entry: RecipientEntryInfo): number {
    const name = `${entry.keyId} ${entry.certificate?.sha256 ?? ''}`;
    let place = this.#places.get(name);
    if (place === undefined) {
      place = this.views.push(viewOf(entry)) - 1;
      this.#places.set(name, place);
    }
    return place;
  }
}

function viewOf({ keyId, bits, certificate }: RecipientEntryInfo): RecipientView {
  if (certificate === null) return { keyId, bits, certificate };
  const { subject, issuer, serial, notAfter, sha256 } = certificate;
  const names = { subject: safe(subject), issuer: safe(issuer) };
  return { keyId, bits, certificate: { ...names, serial, sha256, notAfter: notAfter.toISOString() } };
}

/** What is told of a file that has no header to show. */
const STATES: Partial<Record<ErrorCode, FileState>> = {
  ERR_NOT_CALLSEAL: 'not-callseal',
  ERR_UNSUPPORTED_VERSION: 'unsupported',
  ERR_TAMPERED: 'damaged',
  ERR_TRUNCATED: 'truncated',
};

/** Reads the header of a file and the mark of its end; no key, no cryptography. */
export async function describeFile(
  id: number,
  file: SealedFile,
  suffix: string,
  table: RecipientTable,
): Promise<FileView> {
  const base = {
    id,
    name: safe(file.name),
    plainName: safe(plainNameOf(file.name, suffix)),
    dropped: file.dropped,
    bytes: 0,
    plaintextBytes: null,
    createdAt: null,
    recipients: [],
    signer: null,
  };
  try {
    const found = await file.with((path) => inspect(path));
    return { ...base, ...inspected(found, table) };
  } catch (error) {
    if (!(error instanceof CallsealError)) throw error;
    return { ...base, state: STATES[error.code] ?? 'unreadable', problem: safe(error.message) };
  }
}

function inspected(found: Inspection, table: RecipientTable) {
  const { fileBytes, plaintextBytes, state, problem, createdAt, recipients, signer } = found;
  return {
    bytes: fileBytes,
    plaintextBytes,
    state,
    problem,
    createdAt: createdAt.toISOString(),
    recipients: recipients.map((entry) => table.place(entry)),
    signer: signer && safe(signer.certificate?.subject ?? `key ${signer.keyId.slice(0, 16)}…`),
  };
}
