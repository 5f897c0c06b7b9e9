/** What decryption and verification of a file have in common: all of it, but for the output. */

import type { FileJobOutput, FileJobResult } from '../native/binding.ts';
import { native } from '../native/load.ts';
import type { KeyRing } from '../recipients/keyring.ts';
import { assertListener } from './arguments.ts';
import { type JobOptions, runJob } from './job.ts';
import { envelopeOf, findKey } from './open.ts';
import { FIRST_READ, readHeader } from './read-header.ts';

/**
 * Opens a file once, reads its header, finds the key, and has its body decrypted.
 *
 * @param output Null to authenticate only.
 */
export async function decryptJob(
  path: string,
  output: FileJobOutput | null,
  keys: KeyRing,
  options: JobOptions,
): Promise<FileJobResult & { keyId: string }> {
  assertListener(options.onProgress);
  const { file, size, head } = await native().InputFile.open(path, output, FIRST_READ);
  try {
    const header = await readHeader(head, size, (offset, length) => file.read(offset, length), path);
    const { key, index, keyId } = await findKey(header, keys, path);
    const { inputBytes, outputBytes } = await runJob(path, options, (control) =>
      file.decrypt(key, envelopeOf(header, index), header.bodyOffset, output, control),
    );
    return { inputBytes, outputBytes, keyId };
  } finally {
    file.destroy();
  }
}
