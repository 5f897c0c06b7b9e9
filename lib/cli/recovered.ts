/** What the command says of a file that was not complete, and how it ends. */

import { describeLoss, type Extent, type Loss } from '../callfile/recovery.ts';
import { CallsealError } from '../errors.ts';
import type { FileSigner } from '../signing/info.ts';
import { describeSigner } from './sign-options.ts';

/** `recovered, incomplete: …`: what is said of a file whose end is missing. */
export function recoveredText(loss: Loss, signer: FileSigner | null, done: string): string {
  return `recovered, incomplete: ${done}; ${describeLoss(loss)}${signatureText(signer)}`;
}

/** What was proved of a signature whose end is missing. */
export function signatureText(signer: FileSigner | null): string {
  if (signer === null || signer.content === 'verified') return '';
  return `; ${describeSigner(signer)}: verified is that they began the file, not what is in it`;
}

/**
 * A file that was altered or damaged is a failure also where its beginning was recovered: somebody has to look at it. One
 * whose end is missing is what the death of a writer leaves.
 *
 * @param done what has become of its beginning
 * @throws CallsealError ERR_TAMPERED
 */
export function refuseDamage(
  path: string,
  { loss, signer }: Extent & { signer: FileSigner | null },
  done: string,
): void {
  if (loss === null || loss.reason === 'truncated') return;
  const kept = loss.reason === 'trailing' ? 'its whole content' : 'what is before it';
  const message = `${path}: ${describeLoss(loss)}; ${kept} was recovered: ${done}${signatureText(signer)}`;
  throw new CallsealError('ERR_TAMPERED', message, { path });
}
