/** What a job that was ended is continued from: the cursor of its row in the key store, which is sealed there. */

import { canonicalJson, type Json } from '../canonical-json.ts';
import type { ReencryptionFailure } from './tally.ts';

export interface Checkpoint {
  readonly version: 1;
  /** How rows make entities: another way is another job. */
  readonly entity: string;
  /** The master key that was current when the job began: another aim is another job. */
  readonly master: string;
  /** Ids of the working keys that records are moved away from. */
  readonly stale: readonly string[];
  /** Of the last row dealt with; null before the first. */
  readonly position: string | null;
  readonly failures: readonly ReencryptionFailure[];
}

export function encodeCheckpoint(checkpoint: Checkpoint): string {
  return canonicalJson(checkpoint as unknown as Json);
}

/** Null for a text of another version. */
export function decodeCheckpoint(text: string): Checkpoint | null {
  try {
    const checkpoint = JSON.parse(text) as Checkpoint;
    return checkpoint.version === 1 ? checkpoint : null;
  } catch {
    return null;
  }
}
