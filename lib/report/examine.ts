/** What one file is, from its name and its header. */

import { lstat } from 'node:fs/promises';
import { type Inspection, inspect } from '../callfile/inspect.ts';
import { CallsealError } from '../errors.ts';

/** Why a file is listed by itself. */
export type ProblemKind =
  /** Its end is missing. */
  | 'truncated'
  /** It breaks a rule of the format. */
  | 'damaged'
  /** Written by a later release. */
  | 'unsupported'
  /** Neither named nor made as a call file: what lies there for everybody to read. */
  | 'plaintext'
  /** Named as a call file, and none. */
  | 'misnamed'
  /** An output of a process that was killed. */
  | 'unfinished'
  /** Cannot be read by this user. */
  | 'unreadable';

/** What a file turned out to be. */
export interface Finding {
  path: string;
  bytes: number;
  /** Null unless it has a well-formed header. */
  inspection: Inspection | null;
  /** Null for a complete call file, and for one without a byte in it. */
  problem: { kind: ProblemKind; message: string } | null;
}

export interface Naming {
  /** Of encrypted files. */
  suffix: string;
  isUnfinished(name: string): boolean;
}

/** @returns null for a file that is gone */
export async function examine(
  path: string,
  name: string,
  naming: Naming,
  signal: AbortSignal | undefined,
): Promise<Finding | null> {
  try {
    if (naming.isUnfinished(name))
      return found(path, await sizeOf(path), 'unfinished', 'left by a process that was killed');
    const inspection = await inspect(path, { signal });
    const { state, problem, fileBytes } = inspection;
    if (state === 'complete') return { path, bytes: fileBytes, inspection, problem: null };
    return { ...found(path, fileBytes, state, problem ?? state), inspection };
  } catch (error) {
    return judge(error, path, name, naming);
  }
}

async function judge(error: unknown, path: string, name: string, { suffix }: Naming): Promise<Finding | null> {
  if (!(error instanceof CallsealError) || error.code === 'ERR_ABORTED') {
    if (isGone(error, path)) return null;
    throw error;
  }
  if (isGone(error, path)) return null;
  const bytes = await sizeOf(path).catch(() => 0);
  switch (error.code) {
    case 'ERR_NOT_CALLSEAL':
      if (name.endsWith(suffix)) return found(path, bytes, 'misnamed', `ends in ${suffix} and is not a Callseal file`);
      if (bytes === 0) return { path, bytes, inspection: null, problem: null };
      return found(path, bytes, 'plaintext', 'is not encrypted');
    case 'ERR_TAMPERED':
      return found(path, bytes, 'damaged', error.message);
    case 'ERR_TRUNCATED':
      return found(path, bytes, 'truncated', error.message);
    case 'ERR_UNSUPPORTED_VERSION':
      return found(path, bytes, 'unsupported', error.message);
    default:
      return found(path, 0, 'unreadable', error.message);
  }
}

function found(path: string, bytes: number, kind: ProblemKind, message: string): Finding {
  // Readers' messages begin with the file, which is shown beside them.
  const text = message.startsWith(path) ? message.slice(path.length).replace(/^:? /, '') : message;
  return { path, bytes, inspection: null, problem: { kind, message: text } };
}

async function sizeOf(path: string): Promise<number> {
  return (await lstat(path)).size;
}

/** Agents and people remove files meanwhile; but Node cannot open a name that is not UTF-8. */
function isGone(error: unknown, path: string): boolean {
  const errno = error instanceof CallsealError ? error.errno : (error as NodeJS.ErrnoException).code;
  return errno === 'ENOENT' && !path.includes('\ufffd');
}
