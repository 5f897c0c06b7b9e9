/** What `npm run test:everywhere` and `npm run fuzz` say when a child of theirs is killed: the others count all the same. */

import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { resultIn } from '../scripts/everywhere/result.mjs';
import { summary } from '../scripts/everywhere/table.mjs';
import { runFuzzer } from '../scripts/fuzz/native-targets.mjs';
import { fuzz, type Target } from '../scripts/fuzz/targets-in-turn.mjs';
import { PROJECT } from './helpers/native-build.ts';
import { tempDir } from './helpers/temp.ts';

/** Runs what follows it, but for a command with this word. */
const withoutCommand = (word: string, instead: string): string[] => [
  'sh',
  '-c',
  `case "$*" in *${word}*) ${instead};; esac; exec "$@"`,
  'sh',
];

describe('an environment', () => {
  it.each([
    ['in which the product is killed', 'status', 'kill -KILL $$', 'ended by SIGKILL'],
    ['in which vitest is killed', 'vitest', 'kill -TERM $$', 'vitest ended with SIGTERM and without a report'],
    [
      'whose tests pass, but not vitest',
      'vitest',
      `echo '{"numTotalTests":0,"testResults":[]}'; exit 3`,
      'vitest ended with exit code 3, and no test failed',
    ],
  ])('%s has one failure', async (_, word, instead, failure) => {
    const lost = await resultIn('x', { prefix: withoutCommand(word, instead) }, ['test/x.test.ts']);
    expect(lost.totals).toEqual({ passed: 0, failed: 1, skipped: 0, failures: [expect.stringContaining(failure)] });
    const other = { name: 'y', totals: { passed: 2, failed: 0, skipped: 1, failures: [] } };
    expect(summary([lost, other])).toEqual({ lines: ['2 passed, 1 failed, 1 skipped'], exitCode: 1 });
    expect(summary([other]).exitCode).toBe(0);
  });
});

describe('a fuzzer', () => {
  const said: string[] = [];
  const NAME = 'killed-in-a-test';
  const { signal: never } = new AbortController();

  afterEach(() => {
    vi.restoreAllMocks();
    said.length = 0;
  });

  afterAll(() => rmSync(join(PROJECT, '.cache/fuzz/artifacts', NAME), { recursive: true, force: true }));

  const target = (name: string, script: string): Target => ({
    name,
    run(seconds, stop) {
      const program = join(tempDir(), 'fuzzer');
      writeFileSync(program, `#!/bin/sh\n${script}\n`);
      chmodSync(program, 0o755);
      return runFuzzer(NAME, program, [tempDir()], seconds, stop);
    },
  });

  it.each([
    ['kill -SEGV $$', 'killed: failed: ended with SIGSEGV and left nothing that it ended of'],
    ['exit 77', 'killed: failed: ended with exit code 77 and left nothing that it ended of'],
  ])('that does %s is told of, and the next one is run', async (script, line) => {
    vi.spyOn(console, 'log').mockImplementation((text: string) => void said.push(...text.split('\n')));
    const targets = [target('killed', script), target('sound', 'echo "stat::number_of_executed_units: 5"')];
    expect(await fuzz(targets, { seconds: 1 }, never)).toBe(2);
    const last = said.slice(said.lastIndexOf(line));
    expect(last).toEqual([line, expect.stringMatching(/^sound: 5 executions in .* nothing found$/)]);
  });

  it('that cannot be built is told of, and the next one is run', async () => {
    vi.spyOn(console, 'log').mockImplementation((text: string) => void said.push(...text.split('\n')));
    const unbuilt = {
      ...target('unbuilt', ''),
      prepare: () => Promise.reject(new Error('make ended with 2\nand says why')),
    };
    expect(await fuzz([unbuilt, target('sound', 'exit 0')], { seconds: 1 }, never)).toBe(2);
    expect(said).toContain('and says why');
    expect(said.at(-2)).toBe('unbuilt: failed: make ended with 2');
  });
});
