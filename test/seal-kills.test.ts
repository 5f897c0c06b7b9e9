/** A process that seals many files and is killed at random moments loses none, and leaves none twice. */

import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';

import { cleanDirectory } from '../lib/callfile/seal.ts';
import { makeParties, type Parties } from './helpers/parties.ts';
import { expectSealedOnce, sealRest, startSealing } from './helpers/seal-child.ts';
import { tempDir } from './helpers/temp.ts';

const FILES = 200;
const content = (index: number): string => `call ${index} `.repeat(500 + index);

let parties: Parties;

beforeAll(async () => {
  parties = await makeParties();
});

function fill(directory: string): void {
  for (let index = 0; index < FILES; index++) writeFileSync(join(directory, `call-${index}`), content(index));
}

describe.each(['the same directory', 'another directory'])('sealed files in %s', (where) => {
  it('are each there once after kills', async () => {
    const directory = tempDir();
    const output = where === 'another directory' ? tempDir() : directory;
    fill(directory);
    let killed = 0;
    for (let round = 0; round < 4; round++) {
      const child = startSealing(directory, output, parties);
      const begun = await child.next();
      expect(begun).toBe('begun');
      await pause(Math.random() * 40);
      child.process.kill('SIGKILL');
      const { signal, stderr } = await child.end();
      expect(stderr).toBe('');
      if (signal === 'SIGKILL') killed++;
      await cleanDirectory(directory);
    }
    expect(killed).toBeGreaterThan(0);
    const { resumed } = await sealRest(directory, output, parties);
    console.log(`sealing: ${killed} kills, ${resumed} of ${FILES} files were only half done at the last`);
    if (output !== directory) expect(readdirSync(directory)).toEqual([]);
    await expectSealedOnce(output, FILES, parties, content);
  });
});
