/** Commands on a disk that is full, and with a limit to the size of files. */

import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

import { COMMAND_CASES, type CommandCase } from './command-cases.ts';
import { makeTemplate, type Template, titleOf } from './command-folder.ts';
import { smallDisk } from './files.ts';
import { FullDisk, withFileLimit } from './full-disk.ts';
import { type Random, sampleOf, seededRandom } from './seeded.ts';
import { tempDir } from './temp.ts';

/** Bytes that are left: nothing; less than an output; an output, but not what comes with it. */
const ROOMS = [0, 4096, 16_384, 65_536, 262_144, 524_288, 614_400, 655_360];
const PATIENCE = process.env.CALLSEAL_LONG === '1' ? 1_800_000 : 120_000;

const SHORT = [
  'encrypt',
  'encrypt, in place',
  'decrypt',
  'rekey',
  'recipients add',
  'export-cms',
  'agent, once',
  'protect',
  'master rotate',
];

/** What succeeds on a full disk: it only reads. */
const WRITES_NOTHING = /^inspect$/;

const casesOf = (isWanted: (title: string) => boolean) =>
  COMMAND_CASES.filter((each) => each.signalsOnly !== true)
    .map((each) => [titleOf(each), each] as const)
    .filter(([title]) => !WRITES_NOTHING.test(title) && isWanted(title));

function missingDisk(): string | null {
  const disk = smallDisk(64);
  if (typeof disk === 'string') return disk;
  disk.release();
  return null;
}

/** @param rooms For each command, beside none at all; every one with Infinity, and every command that writes. */
export function defineFullDiskTests(rooms: number): void {
  const missing = missingDisk();
  if (missing !== null) console.warn(`no command was run on a full disk: ${missing}`);
  let template: Template;
  let runs: FullDisk;
  let random: Random;

  beforeAll(async () => {
    template = await makeTemplate();
    runs = new FullDisk(template);
    random = seededRandom('full disk');
  });

  describe('on a full disk', { timeout: PATIENCE }, () => {
    it.skipIf(missing !== null).each(casesOf((title) => rooms === Number.POSITIVE_INFINITY || SHORT.includes(title)))(
      '%s says so, leaves what was there, and works when there is room',
      async (title, each) => {
        const [none, ...some] = ROOMS;
        const wrong: string[] = [];
        for (const room of [none!, ...sampleOf(some, rooms, random)]) {
          const { problems, status, stderr } = await runs.run(each, room);
          if (room === 0) expect(status, `${title} on a full disk: ${stderr}`).not.toBe(each.ends ?? 0);
          if (problems.length > 0) wrong.push(`${room} bytes: ${problems.join('; ')}; ended with ${status}: ${stderr}`);
        }
        expect(wrong).toEqual([]);
      },
    );
  });

  describe('with a limit to the size of files', { timeout: PATIENCE }, () => {
    const limited = (title: string): boolean => ['encrypt', 'encrypt, in place', 'decrypt'].includes(title);
    it.each(casesOf(limited))('%s says so, and leaves what was there', async (_, each: CommandCase) => {
      for (const bytes of sampleOf([1, 4096, 300_000, 597_999], Math.max(1, rooms), random)) {
        const { problems, status, stderr } = await withFileLimit(template, join(tempDir(), 'root'), each, bytes);
        expect(problems, `${bytes} bytes: ended with ${status}: ${stderr}`).toEqual([]);
        expect(status).toBe(13);
      }
    });
  });
}
