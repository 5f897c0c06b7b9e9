import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * What takes minutes by itself comes first, or one worker would do it alone in the end: vitest goes by size of file until
 * it has seen a run, and these are short.
 */
const FIRST =
  /\/(native-core|native-fuzz|native-memory|native-threads|operations-walkthrough|docs-pages|callfile-large|faults|command-signals|everywhere|secrets-in-memory|install-tarball)\.test\.ts$/;

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isFirst = ({ moduleId }: TestSpecification): boolean => FIRST.test(moduleId);
    return [...sorted.filter(isFirst), ...sorted.filter((file) => !isFirst(file))];
  }
}

export default defineConfig({
  test: {
    // Minutes each; `npm run test:long` takes them.
    include: process.env.CALLSEAL_LONG === '1' ? ['test/long/**/*.test.ts'] : ['test/**/*.test.ts'],
    exclude: process.env.CALLSEAL_LONG === '1' ? [] : ['test/long/**'],
    // Processes, not threads: a native module that crashes must not take the other tests along.
    pool: 'forks',
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    testTimeout: process.env.CALLSEAL_LONG === '1' ? 1_800_000 : 60_000,
    hookTimeout: 120_000,
  },
});
