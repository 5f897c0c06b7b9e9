/** System calls that fail in every command that writes: a sample of them, or all. */

import { beforeAll, describe, expect, it } from 'vitest';

import { COMMAND_CASES } from './command-cases.ts';
import { makeTemplate, titleOf } from './command-folder.ts';
import { launcherMisses } from './fault-launcher.ts';
import { FaultRuns, faultsFor } from './fault-runs.ts';
import { type Random, sampleOf, seededRandom } from './seeded.ts';

/** For one command; all of its calls take minutes. */
const PATIENCE = process.env.CALLSEAL_LONG === '1' ? 3_600_000 : 300_000;

/** @param each How many calls of each command are made to fail; all of them with Infinity. */
export function defineFaultTests(each: number): void {
  describe('a command one of whose system calls fails', { timeout: PATIENCE }, async () => {
    const missing = await launcherMisses();
    if (missing !== null) console.warn(`no system call was made to fail: ${missing}`);
    let runs: FaultRuns;
    let random: Random;

    beforeAll(async () => {
      runs = new FaultRuns(await makeTemplate());
      random = seededRandom('faults');
    });

    it
      .skipIf(missing !== null)
      .each(COMMAND_CASES.filter(({ signalsOnly }) => signalsOnly !== true).map((one) => [titleOf(one), one] as const))(
      '%s: says so, leaves its input and nothing else, and works the next time',
      async (_, one) => {
        const faults = faultsFor(await runs.count(one));
        const wrong: string[] = [];
        for (const fault of sampleOf(faults, each, random)) {
          const { failed, problems, status, stderr } = await runs.withFault(one, fault);
          if (problems.length === 0) continue;
          const { call, nth, how } = fault;
          wrong.push(`${call} ${nth} ${how} (${failed[0]}): ${problems.join('; ')}; ended with ${status}: ${stderr}`);
        }
        expect(wrong).toEqual([]);
      },
    );
  });
}
