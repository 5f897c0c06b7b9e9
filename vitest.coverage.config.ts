import { defineConfig, mergeConfig } from 'vitest/config';
import tests from './vitest.config.ts';

/**
 * The tests that count which lines they run: `npm run coverage`. Left out is what runs other builds or other copies of the
 * project, and counts nothing here, and what repeats others many times.
 */
const ELSEWHERE = [
  'test/setup/**',
  'test/native-core.test.ts',
  'test/native-fuzz.test.ts',
  'test/node-versions.test.ts',
  'test/install-tarball.test.ts',
  'test/package.test.ts',
  'test/operations-walkthrough.test.ts',
  'test/life-*.test.ts',
];

/** What this run counts; set by `scripts/coverage.mjs`. */
const directory = process.env.CALLSEAL_COVERAGE_RUN ?? '.cache/coverage/runs/by-hand';

export default mergeConfig(
  tests,
  defineConfig({
    test: {
      exclude: ELSEWHERE,
      reporters: ['dot', ['json', { outputFile: `${directory}/tests.json` }]],
      setupFiles: ['./scripts/coverage/count-children.mjs'],
      testTimeout: 300_000,
      hookTimeout: 300_000,
      coverage: {
        enabled: true,
        provider: 'v8',
        include: ['lib/**'],
        reporter: ['json'],
        reportsDirectory: directory,
        reportOnFailure: true,
      },
    },
  }),
);
