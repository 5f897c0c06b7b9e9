/** What decryption and verification of a file have in common: all of it, but for the output. */

import type { FileJobOutput, FileJobResult } from '../native/binding.ts';
import { native } from '../native/load.ts';
import type { FileSigner } from '../signing/info.ts';
import { assertListener, assertRequiredSigner } from './arguments.ts';
import type { DecryptOptions } from './decrypt.ts';
import { type JobOptions, runJob } from './job.ts';
import { envelopeOf, findKey } from './open.ts';
import { FIRST_READ, readHeader } from './read-header.ts';
import { checkSignature } from './signed-by.ts';

/**
 * Opens a file once, reads its header, checks who signed it, finds the key, and has its body decrypted.
 *
 * @param output Null to authenticate only.
 */
export async function decryptJob(
  path: string,
  output: FileJobOutput | null,
  options: DecryptOptions & JobOptions,
): Promise<FileJobResult & { keyId: string; signer: FileSigner | null }> {
  const { keys, requireSigner } = options;
  assertListener(options.onProgress);
  assertRequiredSigner(requireSigner);
  const { file, size, head } = await native().InputFile.open(path, output, FIRST_READ);
  try {
    const header = await readHeader(head, size, (offset, length) => file.read(offset, length), path);
    const signature = await checkSignature(header, requireSigner, path);
    const { key, index, keyId } = await findKey(header, keys, path);
    const envelope = { ...envelopeOf(header, index), signature: signature?.native ?? null };
    const { inputBytes, outputBytes } = await runJob(path, options, (control) =>
      file.decrypt(key, envelope, header.bodyOffset, output, control),
    );
    return { inputBytes, outputBytes, keyId, signer: signature?.signer ?? null };
  } finally {
    file.destroy();
  }
}
