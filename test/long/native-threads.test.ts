/** All tests of the C++ core under ThreadSanitizer; `test/native-threads.test.ts` runs those that contend for something. */

import { expect, it } from 'vitest';

import { buildThreadSanitized, fipsDirectory, threadSanitizerMisses } from '../helpers/native-build.ts';
import { expectCorePasses } from '../helpers/native-core.ts';

it.each([
  ['in the FIPS module', () => ({ CALLSEAL_FIPS: 'required', CALLSEAL_FIPS_DIR: fipsDirectory() })],
  ['with FIPS off', () => ({ CALLSEAL_FIPS: 'off', CALLSEAL_FIPS_DIR: undefined })],
])('has no races %s', async (name, env) => {
  expect(await threadSanitizerMisses()).toBeNull();
  await expectCorePasses(await buildThreadSanitized('core_tests'), `ThreadSanitizer, ${name}`, env());
});
