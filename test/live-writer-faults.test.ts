/** Every system call of a live writer fails, in every way. */

import { expect, it } from 'vitest';

import { launcherMisses } from './helpers/fault-launcher.ts';
import { faultsFor } from './helpers/fault-runs.ts';
import { LiveWriterRuns } from './helpers/live-writer-faults.ts';
import { makeParties } from './helpers/parties.ts';

it('a live writer one of whose system calls fails says so, and what was written stays', async ({ skip }) => {
  const missing = await launcherMisses();
  if (missing !== null) return skip(`no system call of a live writer was made to fail: ${missing}`);
  const runs = new LiveWriterRuns(await makeParties());
  const wrong: string[] = [];
  let errors = 0;
  for (const fault of faultsFor(await runs.count())) {
    const { failed, problems, told } = await runs.run(fault);
    if (told.error !== undefined) errors += 1;
    if (problems.length > 0)
      wrong.push(`${fault.call} ${fault.nth} ${fault.how} (${failed[0]}): ${problems.join('; ')}`);
  }
  expect(wrong).toEqual([]);
  expect(errors).toBeGreaterThan(10);
});
