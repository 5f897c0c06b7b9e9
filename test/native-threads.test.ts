/**
 * The tests of the C++ core that contend for keys, jobs, streams and threads, under ThreadSanitizer.
 * `test/long/native-threads.test.ts` has all tests of the core under it.
 *
 * OpenSSL is not instrumented: of what happens inside it, ThreadSanitizer sees allocation, locks and copying only. It reports
 * nothing there, so there is no list of suppressions.
 */

import { beforeAll, describe, it } from 'vitest';

import { buildThreadSanitized, fipsDirectory, threadSanitizerMisses } from './helpers/native-build.ts';
import { expectCorePasses } from './helpers/native-core.ts';

const FIRST_BUILD = 15 * 60_000;
const ONE_RUN = 5 * 60_000;

const reason = await threadSanitizerMisses();

if (reason !== null) {
  it.skip(`races in the native core were not looked for, because ${reason}`, () => {});
} else {
  describe('native core under ThreadSanitizer', () => {
    let program: string;

    beforeAll(async () => {
      program = await buildThreadSanitized('contention_tests');
    }, FIRST_BUILD);

    it('has no races where threads contend', { timeout: ONE_RUN }, async () => {
      const fips = { CALLSEAL_FIPS: 'required', CALLSEAL_FIPS_DIR: fipsDirectory() };
      await expectCorePasses(program, 'ThreadSanitizer', fips);
    });
  });
}
