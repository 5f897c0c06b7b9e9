/** What failing system calls have found, at every call of the kind: see "Faults" in SECURITY.md. */

import { beforeAll, describe, expect, it } from 'vitest';

import { COMMAND_CASES } from './helpers/command-cases.ts';
import { makeTemplate, titleOf } from './helpers/command-folder.ts';
import { type Fault, launcherMisses } from './helpers/fault-launcher.ts';
import { FaultRuns } from './helpers/fault-runs.ts';

const missing = await launcherMisses();
if (missing !== null) console.warn(`no system call was made to fail: ${missing}`);

describe('when a system call fails', { timeout: 300_000 }, () => {
  let runs: FaultRuns;

  beforeAll(async () => {
    runs = new FaultRuns(await makeTemplate());
  });

  it.skipIf(missing !== null).each([
    ['keygen', 'fsync', 'EIO', 'keeps neither a key nor a certificate without the other'],
    ['keygen', 'unlink', 'EIO', 'leaves no second name of a file'],
    ['keygen', 'stat', 'EIO', 'leaves no temporary file that could not be examined'],
    ['encrypt, stream', 'write', 'EIO', 'says what the system said'],
    ['installation import', 'unlink', 'EIO', 'takes everything back'],
  ] as const)('%s (%s, %s) %s', async (title, call, how, _) => {
    const one = COMMAND_CASES.find((each) => titleOf(each) === title)!;
    const count = (await runs.count(one)).get(call)!;
    for (let nth = 1; nth <= count; nth++) {
      const fault: Fault = { call, nth, how };
      const { failed, problems, stderr } = await runs.withFault(one, fault);
      expect(problems, `${call} ${nth} (${failed[0]}): ${stderr}`).toEqual([]);
      expect(failed).toHaveLength(1);
    }
  });

  it.skipIf(missing !== null)('an installation whose folder cannot be synced is taken back whole', async () => {
    const one = COMMAND_CASES.find((each) => titleOf(each) === 'installation import')!;
    const last = (await runs.count(one)).get('fsync')!; // of the folder, when all files have their names
    const { failed, made, status } = await runs.withFault(one, { call: 'fsync', nth: last, how: 'EIO' });
    expect(failed[0]).toMatch(/\/fresh$/);
    expect({ status, made }).toEqual({ status: 13, made: [] });
  });

  it.skipIf(missing !== null)('a plaintext that was replaced and cannot be removed is told of, by name', async () => {
    const inPlace = COMMAND_CASES.find((each) => titleOf(each) === 'encrypt, in place')!;
    const { status, stderr, problems } = await runs.withFault(inPlace, { call: 'unlink', nth: 1, how: 'EIO' });
    expect(status).toBe(13);
    expect(stderr).toMatch(
      /call is complete and in place, but .* cannot remove .*\.call\.[0-9a-f]{16}\.callseal-tmp.*EIO/,
    );
    expect(
      problems.every((text) => /\.callseal-tmp was left behind$/.test(text)),
      problems.join(),
    ).toBe(true);
  });

  // The end of a command writes the log back into the database: what it failed to read once went there as it was.
  it.skipIf(missing !== null)('a store is whole, and says so, when a read of it fails', async () => {
    const rotate = COMMAND_CASES.find((each) => titleOf(each) === 'master rotate')!;
    const count = (await runs.count(rotate)).get('read')!;
    let ofLog = 0;
    for (let nth = count; nth > count - 9; nth--) {
      const { failed, problems, stderr } = await runs.withFault(rotate, { call: 'read', nth, how: 'EIO' });
      if (failed[0]?.endsWith('keys.db-wal')) ofLog++;
      expect(problems, `read ${nth} (${failed[0]}): ${stderr}`).toEqual([]);
    }
    expect(ofLog).toBeGreaterThan(0);
  });
});
