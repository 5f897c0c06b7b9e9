/** How output files are written. */

import type { FileJobOutput } from '../native/binding.ts';

/** How an output file is written. */
export interface OutputOptions {
  /** Replace an existing regular file. Default false: an existing output is `ERR_OUTPUT_EXISTS`. */
  overwrite?: boolean | undefined;
  /** Wait until file and directory are on the disk. Default true. */
  sync?: boolean | undefined;
}

/** The same for native code, which decides whether the output may be written. */
export function outputOf(path: string, { overwrite = false, sync = true }: OutputOptions): FileJobOutput {
  return { path, replace: overwrite, sync };
}
