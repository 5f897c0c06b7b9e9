/** What must hold after any number of kills. */

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { decrypt } from '../../lib/callfile/index.ts';
import { type AgentChildOptions, startAgentChild } from './agent-child.ts';
import { makeAgent } from './agents.ts';
import { namesBelow } from './below.ts';
import { type GeneratorOptions, startGenerator } from './call-generator.ts';
import type { Parties } from './parties.ts';

export interface KillingResult {
  /** Files that the generator finished. */
  finished: number;
  deleted: number;
  /** Files that were encrypted before the last pass. */
  sealedByKilled: number;
  /** Names of files that must not be there, or are missing. */
  wrongNames: string[];
  /** Files that do not open to what was written. */
  wrongContents: string[];
}

/**
 * Lets agents work beside a generator; kills them `kills` times and starts them again. When the generator is done, a
 * last pass does the rest.
 */
export async function killAgents(
  parties: Parties,
  generator: GeneratorOptions,
  kills: number,
  options: Partial<AgentChildOptions> = {},
): Promise<KillingResult> {
  const { directory } = generator;
  const running = startGenerator(generator);
  const { certificate } = parties.mary;
  const agent = () => startAgentChild({ directories: [directory], certificate, quiet: true, rescan: 500, ...options });
  const life = (generator.seconds * 1000) / (kills + 1);
  for (let killed = 0; killed < kills; killed += 1) {
    const { child, until } = agent();
    await until(({ what }) => what === 'started');
    await sleep(life * Math.random());
    child.process.kill('SIGKILL');
    await child.end();
  }
  const last = agent();
  await last.until(({ what }) => what === 'started');
  const { finished, deleted } = await running.end();
  await last.stop();
  const failed = last.seen.filter(({ what }) => what === 'failed').map(({ message }) => String(message));
  const sealedByKilled = namesBelow(directory).filter((name) => name.endsWith('.sealed')).length;
  const pass = makeAgent(parties.recipients, { directories: [directory] });
  const { failed: count, unfinished, waiting } = await pass.agent.runOnce();
  if (count + unfinished + waiting > 0) failed.push(`the last pass left ${count}, ${unfinished}, ${waiting}`);
  const expected = new Set([...finished.keys()].map((path) => `${path}.sealed`));
  const present = namesBelow(directory).map((name) => join(directory, name));
  return {
    finished: finished.size,
    deleted: deleted.length,
    sealedByKilled,
    wrongNames: [
      ...failed,
      ...present.filter((path) => !expected.delete(path)),
      ...[...expected].map((path) => `missing: ${path}`),
    ],
    wrongContents: await wrongContents(parties, finished),
  };
}

async function wrongContents({ keys }: Parties, finished: Map<string, string>): Promise<string[]> {
  const wrong: string[] = [];
  for (const [path, sha256] of finished) {
    const opened = await decrypt(readFileSync(`${path}.sealed`), { keys }).catch((error: Error) => error.message);
    const found = typeof opened === 'string' ? opened : createHash('sha256').update(opened).digest('hex');
    if (found !== sha256) wrong.push(`${path}: ${found}`);
  }
  return wrong;
}
