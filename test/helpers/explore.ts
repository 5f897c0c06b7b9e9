/**
 * A property of fast-check that `npm test` tries a few times, and `npm run fuzz` for as long as it is told
 * (CALLSEAL_FUZZ_SECONDS, for each property that is chosen).
 */

import { appendFileSync } from 'node:fs';
import fc from 'fast-check';

const SECONDS = Number(process.env.CALLSEAL_FUZZ_SECONDS ?? 0);
/** As many as a 32-bit number has room for; the time ends it long before. */
const WITHOUT_END = 2 ** 31 - 1;

/** How long a test may take that calls {@link explore} once, in milliseconds. */
export const EXPLORING = 120_000 + SECONDS * 1000;

/** @param numRuns In `npm test`. */
export async function explore<T>(property: fc.IAsyncProperty<T>, numRuns: number): Promise<void> {
  const forTime = { numRuns: WITHOUT_END, interruptAfterTimeLimit: SECONDS * 1000, markInterruptAsFailure: false };
  const result = await fc.check(property, SECONDS > 0 ? forTime : { numRuns });
  const report = process.env.CALLSEAL_FUZZ_REPORT;
  if (report !== undefined) appendFileSync(report, `${result.numRuns}\n`);
  if (result.failed) throw new Error(fc.defaultReportMessage(result), { cause: result.errorInstance });
}
