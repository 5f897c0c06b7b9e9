/** Every allocation of the C++ core's jobs fails once, without exception: the program reads CALLSEAL_LONG. */

import { join } from 'node:path';
import { it } from 'vitest';

import { buildSanitized, fipsDirectory } from '../helpers/native-build.ts';
import { expectMemoryTestsPass } from '../helpers/native-core.ts';

it('the core has no memory', { timeout: 90 * 60_000 }, async () => {
  const program = join(await buildSanitized(), 'core_memory_tests');
  const fips = { CALLSEAL_FIPS: 'required', CALLSEAL_FIPS_DIR: fipsDirectory() };
  await expectMemoryTestsPass(program, 'FIPS, all', { ...fips, CALLSEAL_LONG: '1' });
});
