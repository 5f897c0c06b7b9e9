/** Every exported name has a page, and building them warns of nothing: no broken link, no type that is not exported. */

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { PROJECT } from '../helpers/native-build.ts';

const SITE = join(PROJECT, 'docs/site');
const installed = existsSync(join(SITE, 'node_modules/.package-lock.json'));

it.skipIf(!installed)(
  `pages of the API${installed ? '' : ' (not tried: docs/site is not installed, npm run docs)'}`,
  () => {
    const typedoc = ['node_modules/typedoc/bin/typedoc', '--emit', 'none'];
    const { status, stdout, stderr } = spawnSync(process.execPath, typedoc, { cwd: SITE, encoding: 'utf8' });
    expect(stdout + stderr).not.toContain('[warning]');
    expect(status).toBe(0);
  },
);
