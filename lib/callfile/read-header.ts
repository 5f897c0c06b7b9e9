/** Reads the header of a file, in one read where it is not unusually long. */

import type { FileHandle } from 'node:fs/promises';
import { readAt } from '../recipients/regular-file.ts';
import { type CallFileHeader, headerEndsEarly, parseHeader } from './header.ts';

/** What is read of a file at first: a dozen recipients with long names fit. */
export const FIRST_READ = 16_384;

/** Reads up to `length` bytes at `offset` of the file; fewer only at its end. */
export type ReadPart = (offset: number, length: number) => Promise<Uint8Array>;

/** Reads parts of an open file. */
export function partReader(handle: FileHandle, path: string): ReadPart {
  return async (offset, length) => {
    const bytes = new Uint8Array(length);
    return bytes.subarray(0, await readAt(handle, bytes, offset, path));
  };
}

/** Reads the header of an open file of `size` bytes; throws what {@link readHeader} throws. */
export async function readHeaderOf(readPart: ReadPart, size: number, path: string): Promise<CallFileHeader> {
  return readHeader(await readPart(0, Math.min(FIRST_READ, size)), size, readPart, path);
}

/**
 * @param head The first {@link FIRST_READ} bytes of the file, or all of it.
 * @param size Length of the file: no more is read, or room made for, than it has.
 * @throws {CallsealError} `ERR_NOT_CALLSEAL`, `ERR_UNSUPPORTED_VERSION`, `ERR_TAMPERED`, `ERR_TRUNCATED`, and what
 *   `readPart` throws.
 */
export async function readHeader(
  head: Uint8Array,
  size: number,
  readPart: ReadPart,
  path: string,
): Promise<CallFileHeader> {
  let bytes = head;
  for (;;) {
    const { header, need } = parseHeader(bytes, path);
    if (header !== null) return header;
    if (need > size || bytes.length < Math.min(FIRST_READ, size)) throw headerEndsEarly(bytes.length, need, path);
    const longer = new Uint8Array(need);
    longer.set(bytes);
    const more = await readPart(bytes.length, need - bytes.length);
    longer.set(more, bytes.length);
    // A file that shrank meanwhile: what is there is judged, and then found too short.
    bytes = longer.subarray(0, bytes.length + more.length);
    if (bytes.length < need) throw headerEndsEarly(bytes.length, need, path);
  }
}
