/**
 * A property of fast-check that `npm test` tries a few times, and `npm run fuzz` for as long as it is told
 * (CALLSEAL_FUZZ_SECONDS). How often it was tried is then kept in the file CALLSEAL_FUZZ_REPORT, also while it goes on.
 */

import { writeFileSync } from 'node:fs';
import fc from 'fast-check';

const SECONDS = Number(process.env.CALLSEAL_FUZZ_SECONDS ?? 0);
const REPORT = process.env.CALLSEAL_FUZZ_REPORT;
const REPORTED_EVERY = 50;
/** As many as a 32-bit number has room for; the time ends it long before. */
const WITHOUT_END = 2 ** 31 - 1;

/** How long a test may take that calls {@link explore} once, in milliseconds. */
export const EXPLORING = 120_000 + SECONDS * 1000;

/** @param numRuns In `npm test`. */
export async function explore<T>(property: fc.IAsyncPropertyWithHooks<T>, numRuns: number): Promise<void> {
  let runs = 0;
  const told = (): void => {
    if (REPORT !== undefined) writeFileSync(REPORT, String(runs));
  };
  const counted = property.beforeEach(async (previous) => {
    await previous();
    runs += 1;
    if (runs % REPORTED_EVERY === 0) told();
  });
  const forTime = { numRuns: WITHOUT_END, interruptAfterTimeLimit: SECONDS * 1000, markInterruptAsFailure: false };
  const result = await fc.check(counted, SECONDS > 0 ? forTime : { numRuns });
  told();
  if (result.failed) throw new Error(fc.defaultReportMessage(result), { cause: result.errorInstance });
}
