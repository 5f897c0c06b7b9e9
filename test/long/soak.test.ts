/**
 * A day of a host, as fast as this machine can: memory, descriptors and threads stay as they are. A round is one call that is
 * encrypted, opened again and protected as a record, with everything else in between; 86,400 rounds are a day of a host that
 * records a call a second. How much of a day it was is told, as it depends on the machine and on `CALLSEAL_SOAK_MINUTES`.
 */

import { spawn } from 'node:child_process';
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';

import { startAgentChild } from '../helpers/agent-child.ts';
import { quickDir } from '../helpers/agents.ts';
import { lifePlace } from '../helpers/life.ts';
import { makeParties } from '../helpers/parties.ts';
import { expectFlat, lookEachSecond, ROUNDS_OF_A_DAY, SOAK_MINUTES } from '../helpers/soak.ts';

const CHILD = join(import.meta.dirname, '../helpers/soak-child.mjs');
const JEMALLOC = ['/usr/lib/x86_64-linux-gnu/libjemalloc.so.2', '/usr/lib64/libjemalloc.so.2'].find(existsSync);

const timeout = (SOAK_MINUTES + 5) * 60_000;

async function soak(name: string, env: NodeJS.ProcessEnv): Promise<void> {
  const place = { ...(await lifePlace()), scratch: quickDir() };
  const child = spawn(process.execPath, ['--expose-gc', CHILD, JSON.stringify(place), String(SOAK_MINUTES)], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => child.once('exit', (code, signal) => resolve(signal ?? code)));
  const looking = lookEachSecond(child.pid!);
  let last = { rounds: 0, operations: 0, ended: false };
  for await (const line of createInterface({ input: child.stdout })) last = JSON.parse(line);
  looking.stop();
  expect(await ended).toBe(0);
  expect(last.ended).toBe(true);
  const { rounds, operations } = last;
  expectFlat(name, looking.samples, { rounds, operations, hours: hoursOf(rounds) });
}

const hoursOf = (rounds: number): number => Math.round((rounds / ROUNDS_OF_A_DAY) * 240) / 10;

describe(`for ${SOAK_MINUTES} minutes`, () => {
  it('the library', { timeout }, () => soak('library', {}));

  it.skipIf(JEMALLOC === undefined)('the library under jemalloc', { timeout }, () =>
    soak('library under jemalloc', { LD_PRELOAD: JEMALLOC }),
  );

  it('the agent', { timeout }, async () => {
    const directory = quickDir();
    const { mary } = await makeParties();
    const agent = startAgentChild({ directories: [directory], certificate: mary.certificate, quiet: true });
    await agent.until(({ what }) => what === 'started');
    const looking = lookEachSecond(agent.child.process.pid!);
    const until = Date.now() + SOAK_MINUTES * 60_000;
    let written = 0;
    while (Date.now() < until) {
      // Not more than it can do: what waits is memory, too.
      if (readdirSync(directory).length < 200) {
        for (let count = 0; count < 50; count++)
          writeFileSync(join(directory, `call-${written++}`), 'a call'.repeat(2000));
      }
      await sleep(50);
      for (const name of readdirSync(directory)) if (name.endsWith('.sealed')) rmSync(join(directory, name));
    }
    looking.stop();
    await agent.stop();
    expect(written).toBeGreaterThan(1000);
    expectFlat('agent', looking.samples, { files: written, hours: hoursOf(written) });
  });
});
