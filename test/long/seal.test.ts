/** Sealing under many kills, and cleaning up a directory of a hundred thousand files. */

import { execFileSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, it } from 'vitest';

import { cleanDirectory } from '../../lib/callfile/seal.ts';
import { makeParties } from '../helpers/parties.ts';
import { expectSealedOnce, sealRest, startSealing } from '../helpers/seal-child.ts';
import { tempDir } from '../helpers/temp.ts';

it('loses and doubles nothing in forty kills', async () => {
  const parties = await makeParties();
  const content = (index: number): string => `call ${index} `.repeat(500 + index);
  const directory = tempDir();
  const files = 2000;
  for (let index = 0; index < files; index++) writeFileSync(join(directory, `call-${index}`), content(index));
  let resumed = 0;
  for (let kills = 0; kills < 40; kills++) {
    const child = startSealing(directory, directory, parties);
    await child.next();
    await pause(Math.random() * 30);
    child.process.kill('SIGKILL');
    await child.end();
    await cleanDirectory(directory);
    resumed += readdirSync(directory).filter((name) => /^call-\d+$/.test(name) && hasOutput(name)).length;
  }
  function hasOutput(name: string): boolean {
    return readdirSync(directory).includes(`${name}.sealed`);
  }
  await sealRest(directory, directory, parties);
  console.log(`sealing: ${resumed} times a killed process had published an output and not removed its plaintext`);
  await expectSealedOnce(directory, files, parties, content);
});

it('cleans up a directory of a hundred thousand files in little memory', async () => {
  const directory = tempDir();
  const script = 'i=0; while [ $i -lt 100000 ]; do : > "$1/a-recording-with-a-usual-name-$i"; i=$((i+1)); done';
  execFileSync('sh', ['-c', script, 'sh', directory]);
  for (let index = 0; index < 100; index++) {
    const hidden = `.call-${index}.0123456789abcdef.callseal-`;
    writeFileSync(join(directory, `${hidden}tmp`), '', { mode: 0o600 });
    writeFileSync(join(directory, `${hidden}plain`), '');
  }
  await cleanDirectory(tempDir());
  const before = process.memoryUsage().rss;
  expect(await cleanDirectory(directory)).toEqual({ removed: 100, restored: 100 });
  expect(process.memoryUsage().rss - before).toBeLessThan(4 << 20);
  expect(readdirSync(directory)).toHaveLength(100_100);
});
