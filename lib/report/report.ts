/**
 * What lies in some directories: who can open it, what is wrong with it, how much it is.
 *
 * Read from names, headers and the mark of each last segment; no key is needed, and so nothing is authenticated. Memory
 * does not grow with the number of files.
 */

import { throwIfAborted } from '../abort.ts';
import { examine, type Naming } from './examine.ts';
import type { Listing } from './listing.ts';
import {
  type AlgorithmRow,
  type Judgement,
  type ListingKind,
  type MonthRow,
  type RecipientRow,
  type SignerRow,
  Tally,
  type Totals,
} from './tally.ts';
import { checkDirectories, walk } from './walk.ts';

/** Files that are looked at together; more do not make the system's pool of threads any faster. */
const AT_ONCE = 8;

export interface ReportOptions extends Naming, Omit<Judgement, 'now'> {
  /** When certificates are judged. Default: now. */
  now?: Date;
  signal?: AbortSignal;
  /** Told of each file, as a number. */
  onFile?: (files: number) => void;
}

export interface DirectoryReport {
  format: 1;
  made: Date;
  directories: string[];
  warnDays: number;
  minBits: number;
  totals: Totals;
  problems: Record<ListingKind, Listing>;
  recipients: RecipientRow[];
  signers: SignerRow[];
  algorithms: AlgorithmRow[];
  months: MonthRow[];
  /** What the tables had no room for: entries of headers, not rows. */
  leftOut: Tally['leftOut'];
}

/**
 * @throws {CallsealError} `ERR_IO`, `ERR_INVALID_ARGUMENT` for the directories themselves; `ERR_ABORTED`. What is wrong
 *   below them is in the report.
 */
export async function reportOn(directories: readonly string[], options: ReportOptions): Promise<DirectoryReport> {
  const { warnDays, minBits, signal, onFile, now = new Date() } = options;
  await checkDirectories(directories);
  const tally = new Tally({ now, warnDays, minBits });
  const met = walk(directories);
  const work = async (): Promise<void> => {
    for (let step = await met.next(); !step.done; step = await met.next()) {
      throwIfAborted(signal);
      const { value } = step;
      if (value.kind === 'closed') tally.addClosed(value.path, value.message);
      const finding = value.kind === 'file' ? await examine(value.path, value.name, options, signal) : null;
      if (finding !== null) tally.add(finding);
      else if (value.kind !== 'closed') tally.passOver();
      onFile?.(tally.totals.all.files);
    }
  };
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  } finally {
    await met.return(undefined);
  }
  return {
    format: 1,
    made: now,
    directories: [...directories],
    warnDays,
    minBits,
    totals: tally.totals,
    problems: tally.listings,
    recipients: tally.recipients(),
    signers: tally.signers(),
    algorithms: tally.algorithms(),
    months: tally.months(),
    leftOut: tally.leftOut,
  };
}
