import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

import { encryptAtRate } from '../lib/bench/loads.ts';
import { Recipients } from '../lib/index.ts';
import { refusalOf } from './helpers/errors.ts';
import { makeKeyPair } from './helpers/keys.ts';
import { tempDir } from './helpers/temp.ts';

it('a file that fails while the next ones are not due yet ends the load, and not the process', async () => {
  const dir = tempDir();
  const pairs = ['missing', 'a', 'b', 'c'].map((name) => ({
    input: join(dir, name),
    output: join(dir, `${name}.sealed`),
  }));
  for (const name of ['a', 'b', 'c']) writeFileSync(join(dir, name), name);
  const recipients = await Recipients.load([makeKeyPair(tempDir()).certificate]);

  // A rejection that nobody has awaited by then would fail the run of the tests.
  const failure = await refusalOf(() => encryptAtRate(pairs, recipients, { sync: false, filesPerSecond: 4 }));

  expect([failure.code, failure.message]).toEqual(['ERR_IO', expect.stringContaining('missing')]);
  expect(readdirSync(dir)).not.toContain('c.sealed');
});
