import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { quickDir } from '../helpers/agents.ts';
import { killAgents } from '../helpers/killed-agents.ts';
import { makeParties } from '../helpers/parties.ts';
import { tempDir } from '../helpers/temp.ts';

const PLACES = { memory: quickDir, 'a disk': tempDir };

for (const [place, makeDirectory] of Object.entries(PLACES)) {
  it(`2000 files a second for a minute survive 20 kills, in ${place}`, async () => {
    const parties = await makeParties();
    const base = makeDirectory();
    const directory = join(base, 'responses');
    mkdirSync(directory);
    const generator = { directory, workplace: join(base, 'work'), seconds: 60, rate: 2000, largest: 6000 };
    const result = await killAgents(parties, generator, 20, { rescan: 2000 });
    expect(result).toMatchObject({ wrongNames: [], wrongContents: [] });
    expect(result.finished).toBeGreaterThan(60_000);
    expect(result.sealedByKilled).toBeGreaterThan(1000);
  });
}
