/** What is done to one file of a batch. */

import { changeRecipients } from '../callfile/change-recipients.ts';
import { rekeyFile } from '../callfile/rekey.ts';
import { hasCode } from '../errors.ts';
import type { KeyRing } from '../recipients/keyring.ts';
import type { BatchChange } from './batch-change.ts';
import { placeOf } from './place.ts';

/** What became of a file that did not fail. */
export type FileOutcome = 'changed' | 'unchanged' | 'passedOver';

/** Names that ours usually have: such a file that is none of ours is a failure. */
const SUFFIX = '.sealed';

/** Made once a batch. Done twice to a file, it changes nothing the second time. */
export type FileTask = (path: unknown, signal: AbortSignal) => Promise<FileOutcome>;

/** @param root Resolved. */
export function fileTask(change: BatchChange, root: string, keys: KeyRing): FileTask {
  const run = async (path: string, signal: AbortSignal): Promise<{ changed: boolean }> => {
    if (change.kind === 'recipients') {
      return changeRecipients(path, { keys, signal, verify: change.verify, ...change.change });
    }
    const { recipients, before, dropSignature } = change;
    return rekeyFile(path, null, { keys, signal, recipients, before, dropSignature });
  };
  return async (path, signal) => {
    const place = await placeOf(root, path);
    try {
      return (await run(place, signal)).changed ? 'changed' : 'unchanged';
    } catch (error) {
      const foreign = hasCode(error, 'ERR_NOT_CALLSEAL') && !place.endsWith(SUFFIX);
      if (foreign) return 'passedOver';
      throw error;
    }
  };
}
