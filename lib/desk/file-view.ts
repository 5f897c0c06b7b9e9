/** What is said of a file before any key is given. */

import { type Inspection, inspect } from '../callfile/inspect.ts';
import { CallsealError, type ErrorCode } from '../errors.ts';
import { safe } from '../safe-text.ts';
import type { FileState, FileView } from './protocol.ts';
import { type RecipientTable, shortName } from './recipient-table.ts';
import { plainNameOf, type SealedFile } from './sealed-file.ts';

/** What is told of a file that has no header to show. */
const STATES: Partial<Record<ErrorCode, FileState>> = {
  ERR_NOT_CALLSEAL: 'not-callseal',
  ERR_UNSUPPORTED_VERSION: 'unsupported',
  ERR_TAMPERED: 'damaged',
  ERR_TRUNCATED: 'truncated',
};

/** What is known of a file before it has its number. */
export type FileDescription = Omit<FileView, 'id'>;

/** Reads the header of a file and the mark of its end; no key, no cryptography. */
export async function describeFile(file: SealedFile, suffix: string, table: RecipientTable): Promise<FileDescription> {
  const base = {
    name: safe(file.name),
    plainName: safe(plainNameOf(file.name, suffix)),
    dropped: file.dropped,
    bytes: 0,
    plaintextBytes: null,
    createdAt: null,
    recipients: [],
    unlisted: 0,
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
    ...table.place(recipients),
    signer: signer && shortName(signer.certificate?.subject ?? `key ${signer.keyId.slice(0, 16)}…`),
  };
}
