/** What decryption and verification of a file have in common: all of it, but for the output. */

import type { FileJobOutput } from '../native/binding.ts';
import { native } from '../native/load.ts';
import type { KeyRing } from '../recipients/keyring.ts';
import { assertListener } from './arguments.ts';
import { type JobOptions, runJob } from './job.ts';
import { envelopeOf, findKey } from './open.ts';
import { FIRST_READ, readHeader } from './read-header.ts';
import type { Extent } from './recovery.ts';

/** What the job did. Bytes are lengths of the files. */
export interface DecryptJobDone extends Extent {
  inputBytes: number;
  outputBytes: number;
  keyId: string;
}

/**
 * Opens a file once, reads its header, finds the key, and has its body decrypted.
 *
 * @param output Null to authenticate only.
 * @param recover Whether a file that is cut or damaged gives what is authentic before that.
 */
export async function decryptJob(
  path: string,
  output: FileJobOutput | null,
  keys: KeyRing,
  options: JobOptions,
  recover: boolean,
): Promise<DecryptJobDone> {
  assertListener(options.onProgress);
  const { file, size, head } = await native().InputFile.open(path, output, FIRST_READ);
  try {
    const header = await readHeader(head, size, (offset, length) => file.read(offset, length), path);
    const { key, index, keyId } = await findKey(header, keys, path);
    const { inputBytes, outputBytes, loss } = await runJob(path, options, (control) =>
      file.decrypt(key, envelopeOf(header, index), header.bodyOffset, output, control, recover),
    );
    return { inputBytes, outputBytes, keyId, complete: loss === null, loss };
  } finally {
    file.destroy();
  }
}
