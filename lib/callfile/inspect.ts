/** Shows what a file says about itself: no key, no cryptography, and two or three reads whatever its size. */

import type { FileHandle } from 'node:fs/promises';
import { hex } from '../hex.ts';
import { type CertificateInfo, certificateInfo } from '../recipients/certificate-info.ts';
import { openRegularFile, readAt } from '../recipients/regular-file.ts';
import { type SignerInfo, signerInfo } from '../signing/info.ts';
import { assertBytes, assertOptions, assertPath, assertSignal } from './arguments.ts';
import {
  CONTINUED_MARK,
  FLOE_HEADER_BYTES,
  KEY_WRAP_NAME,
  MARK_BYTES,
  SEGMENT_OVERHEAD,
  SUITE,
  SUITE_NAME,
  VERSION,
} from './format.ts';
import { bodyEnd, type CallFileHeader, headerEndsEarly, parseHeader } from './header.ts';
import { throwIfAborted } from './job.ts';
import { FIRST_READ, readHeader } from './read-header.ts';
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
    const readPart = async (offset: number, length: number): Promise<Uint8Array> => {
      const bytes = new Uint8Array(length);
      return bytes.subarray(0, await readAt(handle, bytes, offset, path));
    };
    const header = await readHeader(await readPart(0, Math.min(FIRST_READ, size)), size, readPart, path);
    throwIfAborted(signal);
    return describe(header, size, await readMark(handle, header, size, path));
  } finally {
    await handle.close();
  }
}

async function readMark(handle: FileHandle, header: CallFileHeader, size: number, path: string): Promise<Uint8Array> {
  const { offset, length } = lastSegment(header, size);
  const mark = new Uint8Array(Math.min(length, MARK_BYTES));
  return mark.subarray(0, await readAt(handle, mark, offset, path));
}

/** Where the last segment of a file of `size` bytes begins, and how many bytes of it there are: 0 if there is none. */
function lastSegment(header: CallFileHeader, size: number): { offset: number; length: number; count: number } {
  const start = header.bodyOffset + FLOE_HEADER_BYTES;
  const end = Math.max(start, bodyEnd(header, size));
  const count = Math.ceil((end - start) / header.segmentLength);
  const offset = start + Math.max(0, count - 1) * header.segmentLength;
  return { offset, length: end - offset, count };
}

function describe(header: CallFileHeader, size: number, mark: Uint8Array): Inspection {
  const { length, count } = lastSegment(header, size);
  const { state, problem } = judgeEnd(header.segmentLength, length, mark);
  const complete = state === 'complete';
  const { signature } = header;
  const overhead = header.bodyOffset + FLOE_HEADER_BYTES + SEGMENT_OVERHEAD * count;
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
    plaintextBytes: complete ? bodyEnd(header, size) - overhead : null,
    complete,
    state,
    problem,
  };
}

function judgeEnd(segmentLength: number, length: number, bytes: Uint8Array): Pick<Inspection, 'state' | 'problem'> {
  if (length === 0) return { state: 'truncated', problem: 'it ends before its first segment' };
  if (bytes.length < MARK_BYTES) return { state: 'truncated', problem: 'it ends inside the mark of its last segment' };
  const mark = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  if (mark === CONTINUED_MARK) {
    return { state: 'truncated', problem: `its last ${length} bytes belong to a segment that is not the last` };
  }
  if (mark < SEGMENT_OVERHEAD || mark > segmentLength) {
    return { state: 'damaged', problem: `its last segment claims ${mark} bytes, which no segment can have` };
  }
  if (mark > length) {
    return { state: 'truncated', problem: `its last segment has ${length} of ${mark} bytes` };
  }
  if (mark < length) {
    return { state: 'damaged', problem: `${length - mark} bytes follow its last segment` };
  }
  return { state: 'complete', problem: null };
}

function describeEntry({ keyId, wrappedKey, certificate }: RecipientEntry): RecipientEntryInfo {
  return {
    keyWrap: KEY_WRAP_NAME,
    keyId: hex(keyId),
    bits: wrappedKey.length * 8,
    certificate: certificate && certificateInfo(certificate),
  };
}
