import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { AlarmBoard } from '../lib/agent/alarms.ts';
import { Directory } from '../lib/agent/directory.ts';
import { STORM, Watches } from '../lib/agent/watches.ts';
import { quickDir, Recorder, startAgent, writeFiles } from './helpers/agents.ts';
import { makeParties } from './helpers/parties.ts';

/** Writes `count` times, to two files by turns: the kernel tells equal events in a row once. */
async function storm(dir: string, count: number): Promise<void> {
  const files = ['a', 'b'].map((name) => openSync(join(dir, `.${name}`), 'w'));
  for (let written = 0; written < count; written += 1) {
    writeSync(files[written % 2]!, 'x');
    // Its queue has room for 16,384.
    if (written % 4000 === 0) await new Promise(setImmediate);
  }
  for (const file of files) closeSync(file);
}

it('a directory in which too much happens is not watched any more', async () => {
  const dir = quickDir();
  const nothing = (): void => {};
  const directory = new Directory(dir, dir, dir, { reopened: nothing, reread: nothing, longestPause: 1000 });
  let hints = 0;
  let storms = 0;
  const watches = new Watches(new AlarmBoard(new Recorder()), {
    hinted: () => {
      hints += 1;
    },
    stormed: () => {
      storms += 1;
    },
  });
  watches.add(directory);
  while (storms === 0) await storm(dir, 3 * STORM);
  expect(directory.watcher).toBeNull();
  const before = hints;
  await storm(dir, 1000);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect({ hints, storms }).toEqual({ hints: before, storms: 1 });
  watches.close();
});

it('after such a storm new files are found all the same, and before the next round of reading', async () => {
  const dir = quickDir();
  const { recipients } = await makeParties();
  const { recorder } = startAgent(recipients, { directories: [dir], rescan: 3_600_000 });
  writeFiles(dir, 1, 'before');
  await recorder.until(() => recorder.sealedFiles.length === 1);
  for (let round = 0; round < 3; round += 1) await storm(dir, 3 * STORM);
  writeFiles(dir, 1, 'after');
  await recorder.until(() => recorder.sealedFiles.length === 2);
  writeFiles(dir, 1, 'later');
  await recorder.until(() => recorder.sealedFiles.length === 3);
});
