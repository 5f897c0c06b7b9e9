/** Reads the header of a file on disk, in one read where it is not unusually long. */

import type { FileHandle } from 'node:fs/promises';

import { openRegularFile, readAt } from '../recipients/regular-file.ts';
import { type CallFileHeader, headerEndsEarly, parseHeader } from './header.ts';

/** A dozen recipients with long names fit. */
const FIRST_READ = 16_384;

/**
 * @param size Length of the file: no more is read, or room made for, than it has.
 * @throws {CallsealError} `ERR_NOT_CALLSEAL`, `ERR_UNSUPPORTED_VERSION`, `ERR_TAMPERED`, `ERR_TRUNCATED`, `ERR_IO`.
 */
export async function readHeader(handle: FileHandle, size: number, path: string): Promise<CallFileHeader> {
  let bytes = new Uint8Array(Math.min(FIRST_READ, size));
  let have = await readAt(handle, bytes, 0, path);
  for (;;) {
    const { header, need } = parseHeader(bytes.subarray(0, have), path);
    if (header !== null) return header;
    if (need > size || have < bytes.length) throw headerEndsEarly(have, need, path);
    const longer = new Uint8Array(need);
    longer.set(bytes);
    bytes = longer;
    have += await readAt(handle, bytes.subarray(have), have, path);
  }
}

/** A header and the length of its file. */
export interface FileHeader {
  header: CallFileHeader;
  size: number;
}

/** Opens a file, reads its header, closes it. */
export async function readFileHeader(path: string): Promise<FileHeader> {
  const { handle, stats } = await openRegularFile(path);
  try {
    const size = Number(stats.size);
    return { header: await readHeader(handle, size, path), size };
  } finally {
    await handle.close();
  }
}
