/** What a re-encryption has come to: counts, failures, and which key holds how many records. */

import { CallsealError, type ErrorCode } from '../../errors.ts';

/** What became of one record. */
export type Outcome =
  /** Now under the key that encrypts; in a dry run: would be. */
  | 'reencrypted'
  /** Was under it already. */
  | 'current'
  /** Its owner kept changing it; whatever it is now was encrypted after the job began. */
  | 'changed'
  /** Its owner deleted it. */
  | 'gone'
  /** NULL: nothing to do. */
  | 'empty'
  | 'failed';

/** Records by what became of them. */
export type OutcomeCounts = Record<Outcome, number>;

/** A record that could not be re-encrypted, and why. */
export interface ReencryptionFailure {
  readonly key: string;
  readonly code: ErrorCode;
  readonly message: string;
}

/** How many failures a report lists; it counts all. */
const FAILURES_LISTED = 200;

export class Tally {
  readonly counts: OutcomeCounts;
  readonly failures: ReencryptionFailure[];

  /** Both of the run that is continued. */
  constructor(counts: Readonly<Partial<OutcomeCounts>> = {}, failures: readonly ReencryptionFailure[] = []) {
    this.counts = { ...NOTHING, ...counts };
    this.failures = [...failures];
  }

  add(outcome: Outcome): void {
    this.counts[outcome] += 1;
  }

  fail(key: string, error: CallsealError): ReencryptionFailure {
    const failure = { key, code: error.code, message: error.message };
    this.counts.failed += 1;
    if (this.failures.length < FAILURES_LISTED) this.failures.push(failure);
    return failure;
  }

  /** Records dealt with. */
  get total(): number {
    return Object.values(this.counts).reduce((sum, count) => sum + count, 0);
  }
}

const NOTHING: OutcomeCounts = { reencrypted: 0, current: 0, changed: 0, gone: 0, empty: 0, failed: 0 };

/** Failures of one record, after which the next may well succeed. All others end the job. */
const OF_ONE_RECORD: readonly ErrorCode[] = [
  'ERR_TAMPERED',
  'ERR_TRUNCATED',
  'ERR_NOT_CALLSEAL',
  'ERR_UNSUPPORTED_VERSION',
  'ERR_ENTITY_MISMATCH',
  'ERR_KEY_UNKNOWN',
  'ERR_KEY_DISABLED',
  'ERR_INVALID_ARGUMENT',
];

export function isOfOneRecord(error: unknown): error is CallsealError {
  return error instanceof CallsealError && OF_ONE_RECORD.includes(error.code);
}
