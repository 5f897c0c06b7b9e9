/**
 * Every allocation of the C++ core's jobs fails once (`native/test/memory`), under the sanitizers; of those that
 * sign only some, and none that derive a key from a passphrase, as each takes long. All of them: `test/long/native-memory.test.ts`.
 */

import { join } from 'node:path';
import { it } from 'vitest';

import { buildSanitized, fipsDirectory } from './helpers/native-build.ts';
import { expectMemoryTestsPass } from './helpers/native-core.ts';

const FIRST_BUILD = 20 * 60_000;

it('the core has no memory, says so and nothing else, and leaves nothing behind', {
  timeout: FIRST_BUILD,
}, async () => {
  const program = join(await buildSanitized(), 'core_memory_tests');
  await expectMemoryTestsPass(program, 'FIPS', { CALLSEAL_FIPS: 'required', CALLSEAL_FIPS_DIR: fipsDirectory() });
});
