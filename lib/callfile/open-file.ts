/** A call file opened for a native job: header and body come from one descriptor, whatever happens to the name. */

import type { FileJobOutput, NativeInputFile } from '../native/binding.ts';
import { native } from '../native/load.ts';
import type { CallFileHeader } from './header.ts';
import { FIRST_READ, readHeader } from './read-header.ts';

/** A file that is open, and its header. */
export interface OpenCallFile {
  path: string;
  file: NativeInputFile;
  /** Bytes of the file. */
  size: number;
  header: CallFileHeader;
}

/**
 * Opens a file, reads its header, and closes it when `use` is over.
 *
 * @param output Where the job will write: what forbids that is found before anybody is asked for a passphrase.
 * @throws {CallsealError} What `InputFile.open`, {@link readHeader} and `use` throw.
 */
export async function withCallFile<T>(
  path: string,
  output: FileJobOutput | null,
  use: (open: OpenCallFile) => Promise<T>,
): Promise<T> {
  const { file, size, head } = await native().InputFile.open(path, output, FIRST_READ);
  try {
    const header = await readHeader(head, size, (offset, length) => file.read(offset, length), path);
    return await use({ path, file, size, header });
  } finally {
    file.destroy();
  }
}
