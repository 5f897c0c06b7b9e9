/** Where the body of a file ends, and what can be seen there without a key: whether the file is complete. */

import { CONTINUED_MARK, FLOE_HEADER_BYTES, MARK_BYTES, SEGMENT_OVERHEAD } from './format.ts';
import type { CallFileHeader } from './header.ts';

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

/**
 * The offset behind the last segment of a file of `size` bytes. Whoever needs to know where segments end asks here.
 *
 * @param _header Says what may follow them: nothing, in version 1.
 */
export function bodyEnd(_header: CallFileHeader, size: number): number {
  return size;
}

export function lastSegment(header: CallFileHeader, size: number): LastSegment {
  const start = segmentsStart(header);
  const end = bodyEnd(header, size);
  const count = Math.ceil((end - start) / header.segmentLength);
  const offset = start + Math.max(0, count - 1) * header.segmentLength;
  return { offset, length: end - offset, count };
}

/**
 * @param length Bytes that are there of the last segment.
 * @param bytes Its first {@link MARK_BYTES}, as many as there are.
 */
export function judgeEnd(segmentLength: number, length: number, bytes: Uint8Array): BodyState {
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
