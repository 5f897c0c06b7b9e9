/** Shows what a file says about itself: no key, no cryptography, and two or three reads whatever its size. */

import { hex } from '../hex.ts';
import { type CertificateInfo, certificateInfo } from '../recipients/certificate-info.ts';
import { closeRead, openRegularFile } from '../recipients/regular-file.ts';
import { type SignerInfo, signerInfo } from '../signing/info.ts';
import { assertBytes, assertOptions, assertPath, assertSignal } from './arguments.ts';
import { judgeEnd, lastSegment, segmentsStart } from './body-end.ts';
import { KEY_WRAP_NAME, MARK_BYTES, SEGMENT_OVERHEAD, SUITE, SUITE_NAME, VERSION } from './format.ts';
import { type CallFileHeader, headerEndsEarly, parseHeader } from './header.ts';
import { throwIfAborted } from './job.ts';
import { partReader, type ReadPart, readHeaderOf } from './read-header.ts';
import type { RecipientEntry } from './recipients-block.ts';

/** A recipient as the file names it. */
export interface RecipientEntryInfo {
  /** Such as `RSA-OAEP-SHA256`. */
  keyWrap: string;
  /** SHA-256 of the DER SubjectPublicKeyInfo, lower-case hexadecimal. */
  keyId: string;
  /** Of the RSA modulus, rounded up to whole bytes. */
  bits: number;
  /** Null for a bare public key. */
  certificate: CertificateInfo | null;
}

/** What a file says about itself. Nothing in it is authenticated: only `verify` proves a file. */
export interface Inspection {
  version: number;
  suite: { id: number; name: string };
  /** Lower-case hexadecimal. */
  fileId: string;
  createdAt: Date;
  recipients: RecipientEntryInfo[];
  /** Who claims to have signed the file: nothing of the signature was verified. Null for a file without one. */
  signer: SignerInfo | null;
  /** Bytes before the body. */
  headerBytes: number;
  /** Bytes of a full encrypted segment. */
  segmentLength: number;
  /** Segments in the file, the last of which may be cut. */
  segments: number;
  fileBytes: number;
  /** Length of what is encrypted; null unless the file is complete. */
  plaintextBytes: number | null;
  /** Whether {@link state} is `complete`. */
  complete: boolean;
  /** `complete`: it ends with its last segment, and the end of its signature if it is signed. `truncated`: something is missing. `damaged`: it breaks a rule. */
  state: 'complete' | 'truncated' | 'damaged';
  /** What is wrong; null when complete. */
  problem: string | null;
}

/**
 * Reads the header of a file and the mark of its last segment.
 *
 * @param source A path, or a whole file in memory.
 * @throws {CallsealError} When there is nothing to show: `ERR_NOT_CALLSEAL`, `ERR_UNSUPPORTED_VERSION`,
 *   `ERR_TAMPERED` or `ERR_TRUNCATED` in the header; `ERR_IO`, `ERR_ABORTED`, `ERR_INVALID_ARGUMENT`.
 *
 * @example
 * const { recipients, state } = await inspect('call.callsre.sealed');
 * for (const { certificate, keyId } of recipients) console.log(certificate?.subject ?? keyId);
 */
export async function inspect(
  source: string | Uint8Array,
  options: { signal?: AbortSignal | undefined } = {},
): Promise<Inspection> {
  assertOptions(options);
  const { signal } = options;
  assertSignal(signal);
  throwIfAborted(signal);
  if (typeof source === 'string') return inspectFile(source, signal);
  assertBytes(source, 'source');
  const { header, need } = parseHeader(source);
  if (header === null) throw headerEndsEarly(source.length, need);
  const { offset, length } = lastSegment(header, source.length);
  return describe(header, source.length, source.subarray(offset, offset + Math.min(length, MARK_BYTES)));
}

async function inspectFile(path: string, signal: AbortSignal | undefined): Promise<Inspection> {
  assertPath(path, 'source');
  const { handle, stats } = await openRegularFile(path);
  try {
    const size = Number(stats.size);
    const readPart = partReader(handle, path);
    const header = await readHeaderOf(readPart, size, path);
    throwIfAborted(signal);
    return describe(header, size, await readMark(readPart, header, size));
  } finally {
    await closeRead(handle);
  }
}

/** The first bytes of the last segment, as many of four as there are. */
async function readMark(readPart: ReadPart, header: CallFileHeader, size: number): Promise<Uint8Array> {
  const { offset, length } = lastSegment(header, size);
  return readPart(offset, Math.min(length, MARK_BYTES));
}

function describe(header: CallFileHeader, size: number, mark: Uint8Array): Inspection {
  const { offset, length, count } = lastSegment(header, size);
  const { state, problem } = judgeEnd(header.segmentLength, length, mark);
  const complete = state === 'complete';
  const { signature } = header;
  const overhead = SEGMENT_OVERHEAD * count;
  return {
    version: VERSION,
    suite: { id: SUITE, name: SUITE_NAME },
    fileId: hex(header.prelude.fileId),
    createdAt: new Date(header.prelude.createdAt),
    recipients: header.recipients.map(describeEntry),
    signer: signature && signerInfo(hex(signature.keyId), signature.scheme, signature.certificate),
    headerBytes: header.bodyOffset,
    segmentLength: header.segmentLength,
    segments: count,
    fileBytes: size,
    plaintextBytes: complete ? offset + length - segmentsStart(header) - overhead : null,
    complete,
    state,
    problem,
  };
}

/** An entry of a header as people read it. */
export function describeEntry({ keyId, wrappedKey, certificate }: RecipientEntry): RecipientEntryInfo {
  return {
    keyWrap: KEY_WRAP_NAME,
    keyId: hex(keyId),
    bits: wrappedKey.length * 8,
    certificate: certificate && certificateInfo(certificate),
  };
}
