import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { quickDir } from './helpers/agents.ts';
import { killAgents } from './helpers/killed-agents.ts';
import { makeParties } from './helpers/parties.ts';

it('an agent that is killed again and again loses nothing, doubles nothing and leaves nothing behind', async () => {
  const parties = await makeParties();
  const base = quickDir();
  const directory = join(base, 'responses');
  mkdirSync(directory);
  const generator = { directory, workplace: join(base, 'work'), seconds: 5, rate: 300, largest: 20_000 };
  const result = await killAgents(parties, generator, 4);
  expect(result).toMatchObject({ wrongNames: [], wrongContents: [] });
  expect(result.finished).toBeGreaterThan(1000);
  expect(result.deleted).toBeGreaterThan(20);
  expect(result.sealedByKilled).toBeGreaterThan(100);
});
