/** A backlog that is worked off by an agent whose memory is watched. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startAgentChild } from './agent-child.ts';
import { namesBelow } from './below.ts';
import type { Parties } from './parties.ts';

export interface BacklogResult {
  /** Files that are left in plaintext. */
  left: number;
  sealed: number;
  /** Bytes resident when a tenth was done, and at most after that. */
  early: number;
  most: number;
  longestQueue: number;
}

/** Writes `count` small files into four directories, most of them into the first, and lets an agent work them off. */
export async function workOffBacklog(
  parties: Parties,
  directory: string,
  count: number,
  maxQueue: number,
): Promise<BacklogResult> {
  const folders = ['a', 'b', 'c', 'd'].map((name) => join(directory, name));
  for (const folder of folders) mkdirSync(folder);
  for (let index = 0; index < count; index += 1) {
    const folder = folders[index % 10 < 7 ? 0 : (index % 3) + 1]!;
    writeFileSync(join(folder, `call-${index}.callsre`), `call ${index}`);
  }
  const { certificate } = parties.mary;
  const agent = startAgentChild({ directories: [directory], certificate, quiet: true, maxQueue });
  await agent.until(({ what }) => what === 'started');
  const result: BacklogResult = { left: count, sealed: 0, early: 0, most: 0, longestQueue: 0 };
  while (result.left > 0) {
    await sleep(250);
    const { rss, queueLength } = (await agent.state()) as unknown as { rss: number; queueLength: number };
    const names = namesBelow(directory).filter((name) => !name.includes('/.'));
    result.sealed = names.filter((name) => name.endsWith('.sealed')).length;
    result.left = names.length - result.sealed;
    result.longestQueue = Math.max(result.longestQueue, queueLength);
    if (result.sealed < count / 10) result.early = rss;
    else result.most = Math.max(result.most, rss);
  }
  await agent.stop();
  return result;
}
