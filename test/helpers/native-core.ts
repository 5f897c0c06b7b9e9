/** Runs the core's tests and says what they say. */

import { join } from 'node:path';
import { expect } from 'vitest';

import { PROJECT, run } from './native-build.ts';

const SANITIZERS = {
  ASAN_OPTIONS: 'detect_leaks=1:detect_stack_use_after_return=1',
  UBSAN_OPTIONS: 'print_stacktrace=1',
  // The end of the program is not the end of the crew's threads.
  TSAN_OPTIONS: 'report_thread_leaks=0 second_deadlock_stack=1',
};

/** @param name for the report */
export async function expectCorePasses(program: string, name: string, env: NodeJS.ProcessEnv): Promise<void> {
  const { status, stdout, stderr } = await run(program, [], { ...SANITIZERS, ...env });
  const totals = /^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/m.exec(stdout);
  const told = stdout.split('\n').filter((line) => !line.startsWith('ok '));
  console.log(`native core, ${name}: ${told.join('\n').trimEnd()}`);

  expect(`${stderr}${stdout.match(/^FAILED.*\n.*$/gm)?.join('\n') ?? ''}`).toBe('');
  expect(Number(totals?.[1])).toBeGreaterThan(0);
  expect(Number(totals?.[2])).toBe(0);
  expect(status).toBe(0);
}

/** The tests in which allocations fail. What libcrypto itself loses then is passed over. */
export function expectMemoryTestsPass(program: string, name: string, env: NodeJS.ProcessEnv): Promise<void> {
  const suppressions = join(PROJECT, 'native/test/memory/lsan.supp');
  return expectCorePasses(program, name, {
    ...env,
    LSAN_OPTIONS: `suppressions=${suppressions}:print_suppressions=0`,
  });
}
