/**
 * The tests of the C++ core (`native/test`), in a program of their own under AddressSanitizer, LeakSanitizer and
 * UndefinedBehaviorSanitizer: the sanitizers cannot run with the RTLD_DEEPBIND that node needs. With FIPS off they run in
 * `test/long/native-core.test.ts`.
 */

import { join } from 'node:path';
import { beforeAll, describe, it } from 'vitest';

import { buildSanitized, fipsDirectory } from './helpers/native-build.ts';
import { expectCorePasses } from './helpers/native-core.ts';

const FIRST_BUILD = 15 * 60_000;
const ONE_RUN = 5 * 60_000;

describe('native core under sanitizers', () => {
  let program: string;

  beforeAll(async () => {
    program = join(await buildSanitized(), 'core_tests');
  }, FIRST_BUILD);

  it('passes in the FIPS module', { timeout: ONE_RUN }, async () => {
    await expectCorePasses(program, 'FIPS', { CALLSEAL_FIPS: 'required', CALLSEAL_FIPS_DIR: fipsDirectory() });
  });
});
