/** Where the body of a file ends, and what can be seen there without a key: whether the file is complete. */

import { CONTINUED_MARK, FLOE_HEADER_BYTES, MARK_BYTES, SEGMENT_OVERHEAD } from './format.ts';
import type { CallFileHeader } from './header.ts';
import type { ReadPart } from './read-header.ts';

/** Where the last segment of a file lies. */
export interface LastSegment {
  /** Its first byte, or where it would be. */
  offset: number;
  /** Bytes of it that are there: 0 if there are none. */
  length: number;
  /** Segments in the file, this one included. */
  count: number;
}

/** What the mark of the last segment says. */
export interface BodyState {
  /** `complete`: it ends with its last segment. `truncated`: something is missing. `damaged`: it breaks a rule. */
  state: 'complete' | 'truncated' | 'damaged';
  /** What is wrong; null when complete. */
  problem: string | null;
}

/** Where the first segment begins. */
export function segmentsStart(header: CallFileHeader): number {
  return header.bodyOffset + FLOE_HEADER_BYTES;
}

/** Bytes that follow the last segment of a whole file: the closing block of a signed one. */
export function closingLength(header: CallFileHeader): number {
  return header.signature?.closingBytes ?? 0;
}

/** The offset behind the last segment of a file of `size` bytes, if it is whole. Whoever needs to know where segments end asks here. */
export function bodyEnd(header: CallFileHeader, size: number): number {
  return Math.max(segmentsStart(header), size - closingLength(header));
}

/** Of a file of `size` bytes, if it is whole. */
export function lastSegment(header: CallFileHeader, size: number): LastSegment {
  const start = segmentsStart(header);
  const end = bodyEnd(header, size);
  const count = Math.ceil((end - start) / header.segmentLength);
  const offset = start + Math.max(0, count - 1) * header.segmentLength;
  return { offset, length: end - offset, count };
}

/** Segments that are there in full. */
export interface WholeSegments {
  count: number;
  /** Bytes of the last of them. */
  lastLength: number;
  /** Whether that is the message's last, as its mark says. */
  final: boolean;
}

/** Of a file that is cut: the segments that are there in full, whichever of its bytes are missing. */
export async function wholeSegments(header: CallFileHeader, size: number, readPart: ReadPart): Promise<WholeSegments> {
  const { segmentLength } = header;
  const start = segmentsStart(header);
  // The message's last segment may have any length, and part of a closing block may follow it.
  let count = Math.max(0, lastSegment(header, size).count - 1);
  for (; ; count++) {
    const offset = start + count * segmentLength;
    const mark = markOf(await readPart(offset, MARK_BYTES));
    const length = mark === null ? null : lengthByMark(mark, segmentLength);
    if (length === null || length > size - offset) break;
    if (mark !== CONTINUED_MARK) return { count: count + 1, lastLength: length, final: true };
  }
  return { count, lastLength: segmentLength, final: false };
}

/** What a segment begins with; null when it is not there in full. */
export function markOf(bytes: Uint8Array): number | null {
  return bytes.length < MARK_BYTES ? null : new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
}

/** Bytes of a segment by its mark; null where the mark is one that no segment can have. */
export function lengthByMark(mark: number, segmentLength: number): number | null {
  if (mark === CONTINUED_MARK) return segmentLength;
  return mark >= SEGMENT_OVERHEAD && mark <= segmentLength ? mark : null;
}

/**
 * @param length Bytes that are there of the last segment.
 * @param bytes Its first {@link MARK_BYTES}, as many as there are.
 */
export function judgeEnd(segmentLength: number, length: number, bytes: Uint8Array): BodyState {
  if (length === 0) return { state: 'truncated', problem: 'it ends before its first segment' };
  const mark = markOf(bytes);
  if (mark === null) return { state: 'truncated', problem: 'it ends inside the mark of its last segment' };
  if (mark === CONTINUED_MARK) {
    return { state: 'truncated', problem: `its last ${length} bytes belong to a segment that is not the last` };
  }
  if (lengthByMark(mark, segmentLength) === null) {
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
