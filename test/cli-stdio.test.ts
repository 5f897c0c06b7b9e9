import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

import { streamThrough } from '../lib/cli/stdio.ts';
import { CallsealError } from '../lib/errors.ts';
import { createEncryptStream, Recipients } from '../lib/index.ts';
import { refusalOf } from './helpers/errors.ts';
import { makeKeyPair } from './helpers/keys.ts';
import { tempDir } from './helpers/temp.ts';

it('a signal that comes while the output is being opened ends the stream with its reason, and nothing else', async () => {
  const dir = tempDir();
  writeFileSync(join(dir, 'call'), 'content');
  const { certificate } = makeKeyPair(tempDir());
  const recipients = await Recipients.load([certificate]);
  const controller = new AbortController();
  const { signal } = controller;
  const transform = createEncryptStream({ recipients, signal });

  const failure = refusalOf(() =>
    streamThrough(join(dir, 'call'), join(dir, 'out'), transform, { signal, overwrite: false, sync: false }),
  );
  controller.abort(new CallsealError('ERR_ABORTED', 'terminated'));

  // An 'error' event that nobody listens to would end the process: here, fail the run of the tests.
  expect(await failure).toMatchObject({ code: 'ERR_ABORTED', message: 'terminated' });
  expect(readdirSync(dir)).toEqual(['call']);
});
