import { expect, it } from 'vitest';
import { quickDir } from '../helpers/agents.ts';
import { workOffBacklog } from '../helpers/backlog.ts';
import { makeParties } from '../helpers/parties.ts';

it('a backlog of 100,000 files is worked off in flat memory', async () => {
  const { left, sealed, early, most } = await workOffBacklog(await makeParties(), quickDir(), 100_000, 10_000);
  expect({ left, sealed }).toEqual({ left: 0, sealed: 100_000 });
  expect(most - early).toBeLessThan(48 << 20);
});
