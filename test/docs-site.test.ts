/** Mermaid can draw what pages draw. That the API's pages are built without a warning is `test/long/docs-site.test.ts`. */

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { PROJECT } from './helpers/native-build.ts';

const SITE = join(PROJECT, 'docs/site');
const installed = existsSync(join(SITE, 'node_modules/.package-lock.json'));

it.skipIf(!installed)(
  `drawings are drawn${installed ? '' : ' (not tried: docs/site is not installed, npm run docs)'}`,
  () => {
    const { status, stderr } = spawnSync(process.execPath, ['check-drawings.mjs'], { cwd: SITE, encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: expect.stringMatching(/^drawings: [1-9]/) });
  },
);
