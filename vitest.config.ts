import { defineConfig } from 'vitest/config';
import LongestFirst from './test/setup/longest-first.ts';

export default defineConfig({
  test: {
    // Minutes each; `npm run test:long` takes them.
    include: process.env.CALLSEAL_LONG === '1' ? ['test/long/**/*.test.ts'] : ['test/**/*.test.ts'],
    exclude: process.env.CALLSEAL_LONG === '1' ? [] : ['test/long/**'],
    // Processes, not threads: a native module that crashes must not take the other tests along.
    pool: 'forks',
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    testTimeout: process.env.CALLSEAL_LONG === '1' ? 1_800_000 : 60_000,
    hookTimeout: 120_000,
  },
});
