import { expect, it } from 'vitest';
import { quickDir } from './helpers/agents.ts';
import { workOffBacklog } from './helpers/backlog.ts';
import { makeParties } from './helpers/parties.ts';

it('a backlog of 5,000 files is worked off through a window of 500', async () => {
  const { left, sealed, longestQueue } = await workOffBacklog(await makeParties(), quickDir(), 5000, 500);
  expect({ left, sealed }).toEqual({ left: 0, sealed: 5000 });
  // Any of four directories may find 64 when the others hold the rest, and has a quarter as many then.
  expect(longestQueue).toBeLessThanOrEqual(500 + 3 * 80);
});
