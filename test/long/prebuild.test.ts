/** The binary that is published: made twice, in different places, it is the same, and it loads. */

import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { PROJECT } from '../helpers/native-build.ts';
import { inNode } from '../helpers/native-child.ts';
import { tempDir } from '../helpers/temp.ts';

const NAME = `prebuilds/linux-${process.arch}/callseal.glibc.node`;

/** A compiler that hands out what it has compiled before would prove nothing. */
const AFRESH = { stdio: 'pipe' as const, env: { ...process.env, CCACHE_DISABLE: '1' } };

/** `npm run prebuild` in a copy of the project somewhere else. */
function prebuiltElsewhere(): Buffer {
  const copy = join(tempDir(), 'elsewhere');
  mkdirSync(copy);
  for (const part of ['CMakeLists.txt', 'package.json', 'native', 'scripts']) {
    cpSync(join(PROJECT, part), join(copy, part), { recursive: true });
  }
  symlinkSync(join(PROJECT, 'node_modules'), join(copy, 'node_modules'));
  execFileSync(process.execPath, [join(copy, 'scripts/prebuild.mjs')], AFRESH);
  return readFileSync(join(copy, NAME));
}

it('is reproducible, free of paths, and works', async () => {
  const out = tempDir();
  execFileSync(process.execPath, [join(PROJECT, 'scripts/prebuild.mjs'), out], AFRESH);
  const binary = readFileSync(join(out, NAME));
  expect(binary.includes(PROJECT)).toBe(false);
  expect(prebuiltElsewhere().equals(binary)).toBe(true);
  // node-gyp-build looks below this directory instead of the package's.
  const opened = await inNode<boolean>('report(await roundTrip());', { env: { CALLSEAL_PREBUILD: out } });
  expect(opened).toBe(true);
});
