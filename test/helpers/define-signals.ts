/** Ctrl-C and SIGTERM at random moments of every command of `callseal`. */

import { beforeAll, describe, expect, it } from 'vitest';

import { commandNames } from '../../lib/cli/commands.ts';
import { COMMAND_CASES } from './command-cases.ts';
import { makeTemplate, titleOf } from './command-folder.ts';
import { startPostgres } from './postgres.ts';
import { type Random, seededRandom } from './seeded.ts';
import { SignalRuns } from './signal-runs.ts';

/**
 * @param tries Signals to each command.
 * @param thorough Whether each command is measured first, and run again afterwards.
 */
export function defineSignalTests(tries: number, thorough: boolean): void {
  it('knows every command that there is', () => {
    expect([...new Set(COMMAND_CASES.map(({ command }) => command))].sort()).toEqual(commandNames().sort());
  });

  describe('a command that gets a signal', { timeout: process.env.CALLSEAL_LONG === '1' ? 1_800_000 : 180_000 }, () => {
    let runs: SignalRuns;
    let random: Random;
    let usual: number;

    beforeAll(async () => {
      const server = await startPostgres();
      const queue = server.url(await server.createDatabase());
      runs = new SignalRuns(await makeTemplate(queue));
      random = seededRandom('signals');
      usual = await runs.measure(COMMAND_CASES.find(({ command }) => command === 'encrypt')!);
    });

    it.each(COMMAND_CASES.map((one) => [titleOf(one), one] as const))(
      '%s: ends, and leaves everything whole',
      async (_, one) => {
        const longest = thorough && one.stops === undefined ? await runs.measure(one) : 1.3 * usual;
        for (let attempt = 0; attempt < tries; attempt++) {
          const signal = random() < 0.5 ? 'SIGINT' : 'SIGTERM';
          const delay = random() * longest;
          expect(await runs.interrupt(one, signal, delay, thorough), `${signal} after ${delay} ms`).toEqual([]);
        }
      },
    );
  });
}
