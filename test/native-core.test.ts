/**
 * The tests of the C++ core (`native/test`), in a program of their own under AddressSanitizer, LeakSanitizer and
 * UndefinedBehaviorSanitizer: the sanitizers cannot run with the RTLD_DEEPBIND that node needs.
 */

import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

import { buildSanitized, fipsDirectory, run } from './helpers/native-build.ts';

const FIRST_BUILD = 15 * 60_000;
const ONE_RUN = 5 * 60_000;

const SANITIZERS = {
  ASAN_OPTIONS: 'detect_leaks=1:detect_stack_use_after_return=1',
  UBSAN_OPTIONS: 'print_stacktrace=1',
};

describe('native core under sanitizers', () => {
  let program: string;

  beforeAll(async () => {
    program = join(await buildSanitized(), 'core_tests');
  }, FIRST_BUILD);

  const passesWith = async (name: string, env: NodeJS.ProcessEnv) => {
    const { status, stdout, stderr } = await run(program, [], { ...SANITIZERS, ...env });
    const totals = /^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/m.exec(stdout);
    const told = stdout.split('\n').filter((line) => !line.startsWith('ok '));
    console.log(`native core, ${name}: ${told.join('\n').trimEnd()}`);

    expect(`${stderr}${stdout.match(/^FAILED.*\n.*$/gm)?.join('\n') ?? ''}`).toBe('');
    expect(Number(totals?.[1])).toBeGreaterThan(0);
    expect(Number(totals?.[2])).toBe(0);
    expect(status).toBe(0);
  };

  it('passes in the FIPS module', { timeout: ONE_RUN }, async () => {
    await passesWith('FIPS', { CALLSEAL_FIPS: 'required', CALLSEAL_FIPS_DIR: fipsDirectory() });
  });

  it('passes in the default provider, with FIPS off', { timeout: ONE_RUN }, async () => {
    await passesWith('FIPS off', { CALLSEAL_FIPS: 'off', CALLSEAL_FIPS_DIR: undefined });
  });
});
