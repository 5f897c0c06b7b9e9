/** The tests of the C++ core under sanitizers, with FIPS off; `test/native-core.test.ts` runs them in the FIPS module. */

import { join } from 'node:path';
import { it } from 'vitest';

import { buildSanitized } from '../helpers/native-build.ts';
import { expectCorePasses } from '../helpers/native-core.ts';

it('passes in the default provider, with FIPS off', async () => {
  const program = join(await buildSanitized(), 'core_tests');
  await expectCorePasses(program, 'FIPS off', { CALLSEAL_FIPS: 'off', CALLSEAL_FIPS_DIR: undefined });
});
