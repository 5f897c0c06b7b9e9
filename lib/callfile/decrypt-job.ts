/** What decryption and verification of a file have in common: all of it, but for the output. */

import type { FileJobOutput } from '../native/binding.ts';
import type { FileSigner } from '../signing/info.ts';
import { assertListener, assertRequiredSigner } from './arguments.ts';
import type { DecryptOptions } from './decrypt.ts';
import { type JobOptions, runJob } from './job.ts';
import { bodyAccess } from './open.ts';
import { withCallFile } from './open-file.ts';
import type { Extent } from './recovery.ts';
import { checkSignature, signerAfter } from './signed-by.ts';

/** What the job did. Bytes are lengths of the files. */
export interface DecryptJobDone extends Extent {
  inputBytes: number;
  outputBytes: number;
  keyId: string;
  /** Null for a file without a signature. */
  signer: FileSigner | null;
}

/**
 * Opens a file once, reads its header, checks who signed it, finds the key, and has its body decrypted.
 *
 * @param output Null to authenticate only.
 * @param recover Whether a file that is cut or damaged gives what is authentic before that.
 */
export async function decryptJob(
  path: string,
  output: FileJobOutput | null,
  options: DecryptOptions & JobOptions,
  recover: boolean,
): Promise<DecryptJobDone> {
  const { keys, requireSigner } = options;
  assertListener(options.onProgress);
  assertRequiredSigner(requireSigner);
  return withCallFile(path, output, async ({ file, header }) => {
    const signature = await checkSignature(header, requireSigner, path);
    const { key, keyId, envelope } = await bodyAccess(header, keys, signature, path);
    const { inputBytes, outputBytes, loss } = await runJob(path, options, (control) =>
      file.decrypt(key, envelope, header.bodyOffset, output, control, recover),
    );
    return { inputBytes, outputBytes, keyId, signer: signerAfter(signature, loss), complete: loss === null, loss };
  });
}
