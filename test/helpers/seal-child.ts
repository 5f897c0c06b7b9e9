/** Processes that seal the files of a directory, to be killed. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';

import { cleanDirectory, sealFile } from '../../lib/callfile/seal.ts';
import { decrypt } from '../../lib/index.ts';
import { DIST } from './native-child.ts';
import type { Parties } from './parties.ts';
import { startTalkingChild, type TalkingChild } from './talking-child.ts';

const CHILD = `
  import { readdirSync } from 'node:fs';
  import { sealFile } from '${DIST}callfile/seal.js';
  import { Recipients } from '${DIST}index.js';
  const [directory, output, certificate] = process.argv.slice(2);
  const recipients = await Recipients.load([certificate]);
  const names = readdirSync(directory).filter((name) => /^call-\\d+$/.test(name));
  console.log('begun');
  const work = async () => {
    for (let name; (name = names.pop()) !== undefined; ) {
      await sealFile(directory + '/' + name, output + '/' + name + '.sealed', { recipients });
    }
  };
  await Promise.all([work(), work(), work(), work()]);
  console.log('done');
`;

/** Seals every \`call-N\` of a directory, four at a time. Says \`begun\` and \`done\`. */
export function startSealing(directory: string, output: string, parties: Parties): TalkingChild {
  return startTalkingChild(CHILD, [directory, output, parties.mary.certificate], {});
}

/** What an agent does when it starts: cleans up, and seals what is still there. */
export async function sealRest(directory: string, output: string, parties: Parties): Promise<{ resumed: number }> {
  for (const each of new Set([directory, output])) await cleanDirectory(each);
  let resumed = 0;
  for (const name of readdirSync(directory).filter((each) => /^call-\d+$/.test(each))) {
    const { recipients } = parties;
    const result = await sealFile(join(directory, name), join(output, `${name}.sealed`), { recipients });
    if (result.resumed) resumed++;
  }
  return { resumed };
}

/** Every file is there once, encrypted, and nothing else is there. `content` tells what the n-th holds. */
export async function expectSealedOnce(
  output: string,
  count: number,
  parties: Parties,
  content: (index: number) => string,
): Promise<void> {
  const names = readdirSync(output);
  expect(names.filter((name) => !/^call-\d+\.sealed$/.test(name))).toEqual([]);
  expect(names).toHaveLength(count);
  for (let index = 0; index < count; index++) {
    const path = join(output, `call-${index}.sealed`);
    expect(existsSync(path)).toBe(true);
    expect(Buffer.from(await decrypt(readFileSync(path), { keys: parties.keys })).toString()).toBe(content(index));
  }
}
