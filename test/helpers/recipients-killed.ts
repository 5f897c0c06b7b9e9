/** A change of recipients that is killed, or made by two at once, for a tree of any size. */

import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { beforeAll, expect, it } from 'vitest';

import { verify } from '../../lib/callfile/verify.ts';
import { TEMPORARY_NAME } from '../../lib/locked-temporary.ts';
import { KeyRing } from '../../lib/recipients/keyring.ts';
import { filesBelow } from './below.ts';
import { keyIdsOf, makeCallTree } from './call-tree.ts';
import { callseal, start } from './cli.ts';
import { keyIdOf } from './keys.ts';
import { makeParties, type Parties } from './parties.ts';

let parties: Parties;
let oldSet: string;
let newSet: string;
/** Opens a file for whom it was replaced, before and after, but not for Mary, whose key does the work. */
let changed: KeyRing;

beforeAll(async () => {
  parties = await makeParties();
  const [mary, fred, stranger] = [parties.mary, parties.fred, parties.stranger].map((pair) =>
    keyIdOf(pair.certificate),
  );
  oldSet = [mary, fred].sort().join(' ');
  newSet = [mary, stranger].sort().join(' ');
  changed = new KeyRing([parties.fred.privateKey, parties.stranger.privateKey]);
});

const replace = (root: string) => {
  const { mary, fred, stranger } = parties;
  const change = ['--old', fred.certificate, '--new', stranger.certificate];
  return ['recipients', 'replace', '-k', mary.privateKey, ...change, '--json', '-R', root];
};

/** Runs the command and kills it after it has told of so many files. */
async function killAfter(files: number, args: readonly string[]): Promise<NodeJS.Signals | null> {
  const child = start(args);
  const ended = once(child, 'close');
  let told = 0;
  createInterface({ input: child.stdout }).on('line', () => {
    told += 1;
    if (told === files) child.kill('SIGKILL');
  });
  return (await ended)[1];
}

/** Every file is whole and opens with one of the sets; returns how many have the new one. */
async function countNew(root: string, all: number): Promise<number> {
  let done = 0;
  const files = filesBelow(root, TEMPORARY_NAME);
  expect(files).toHaveLength(all);
  for (const path of files) {
    const found = await keyIdsOf(path);
    expect([oldSet, newSet]).toContain(found);
    await verify(path, { keys: changed });
    if (found === newSet) done += 1;
  }
  return done;
}

/** No file is ever without those who can open it. */
export function defineKillTests(files: number, kills: number): void {
  it(`a file opens with the old or the new set after each of ${kills} kills of a change of ${files} files, and the command goes on`, async () => {
    const root = await makeCallTree(files, parties.recipients);
    let done = 0;
    for (let kill = 0; kill < kills; kill++) {
      // Files that are done are told of, too: later kills come later in the tree.
      const after = done + 1 + Math.floor(Math.random() * 30);
      expect(await killAfter(after, replace(root))).toBe('SIGKILL');
      const now = await countNew(root, files);
      expect(now).toBeGreaterThanOrEqual(done);
      done = now;
    }
    expect(done).toBeLessThan(files);
    const last = await callseal(replace(root));
    expect(last.stderr).toContain(`${files - done} files changed, ${done} as they should be`);
    expect(last.status).toBe(0);
    expect(await countNew(root, files)).toBe(files);
  });

  it('two at once on one directory change every file once, and lose nothing', async () => {
    const root = await makeCallTree(files, parties.recipients);
    const { mary, fred, stranger } = parties;
    const options = ['-k', mary.privateKey, '--json', '-R', root];
    const add = ['recipients', 'add', '-r', stranger.certificate, ...options];
    const remove = ['recipients', 'remove', '--cert', fred.certificate, ...options];
    await Promise.all([callseal(add), callseal(remove)]);
    // Where they met, one of them has said so; each file is as one of them has left it.
    const paths = filesBelow(root);
    expect(paths).toHaveLength(files);
    for (const path of paths) await verify(path, { keys: parties.keys });
    const after = [await callseal(add), await callseal(remove)];
    expect(after.map(({ status }) => status)).toEqual([0, 0]);
    for (const path of paths) expect(await keyIdsOf(path)).toBe(newSet);
  });
}
