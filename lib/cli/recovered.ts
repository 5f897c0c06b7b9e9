/** What the command says of a file that was not complete, and how it ends. */

import { describeLoss, type Extent, type Loss } from '../callfile/recovery.ts';
import { CallsealError } from '../errors.ts';

/** `recovered, incomplete: …`: what is said of a file whose end is missing. */
export function recoveredText(loss: Loss, done: string): string {
  return `recovered, incomplete: ${done}; ${describeLoss(loss)}`;
}

/**
 * A file that was altered or damaged is a failure also where its beginning was recovered: somebody has to look at it. One
 * whose end is missing is what the death of a writer leaves.
 *
 * @param done what has become of its beginning
 * @throws CallsealError ERR_TAMPERED
 */
export function refuseDamage(path: string, { loss }: Extent, done: string): void {
  if (loss === null || loss.reason === 'truncated') return;
  const kept = loss.reason === 'trailing' ? 'its whole content' : 'what is before it';
  const message = `${path}: ${describeLoss(loss)}; ${kept} was recovered: ${done}`;
  throw new CallsealError('ERR_TAMPERED', message, { path });
}
