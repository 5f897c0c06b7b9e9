/**
 * The libFuzzer targets of `native/fuzz`, each for a bounded time from its own seeds. CALLSEAL_FUZZ_SECONDS lengthens
 * it, and `npm run fuzz` is for hours. What a target checks is said at its top; what libFuzzer finds is printed, to be kept
 * as a seed once it is fixed.
 */

import { cpSync, mkdirSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

import { buildSanitized, fipsDirectory, fuzzingMisses, PROJECT, run } from './helpers/native-build.ts';
import { tempDir } from './helpers/temp.ts';

const FIRST_BUILD = 15 * 60_000;
const SECONDS = Number(process.env.CALLSEAL_FUZZ_SECONDS ?? 3);
if (!(SECONDS >= 1)) throw new Error('CALLSEAL_FUZZ_SECONDS must be a number of seconds, at least 1');
const FUZZ = join(PROJECT, 'native/fuzz');

const TARGETS = readdirSync(FUZZ)
  .filter((file) => /^fuzz_.*\.cc$/.test(file))
  .map((file) => basename(file, '.cc'));

const reason = fuzzingMisses();

if (reason !== null) {
  it.skip(`fuzzing ${TARGETS.join(', ')}: hostile input was not tried, because ${reason}`, () => {});
} else {
  describe('fuzzing', () => {
    let build: string;
    let fips: string;

    beforeAll(async () => {
      build = await buildSanitized();
      fips = fipsDirectory();
    }, FIRST_BUILD);

    it.each(TARGETS)('%s finds nothing', { timeout: (SECONDS + 120) * 1000 }, async (target) => {
      const corpus = join(tempDir(), 'corpus');
      mkdirSync(corpus);
      cpSync(join(FUZZ, 'corpus', target), corpus, { recursive: true });
      const seeds = readdirSync(corpus).length;
      expect(seeds).toBeGreaterThan(0);

      const limits = [`-max_total_time=${SECONDS}`, '-rss_limit_mb=2048', '-timeout=25'];
      const { status, stderr } = await run(
        join(build, target),
        [...limits, '-print_final_stats=1', `-artifact_prefix=${tempDir()}/`, corpus],
        { CALLSEAL_FIPS: 'required', CALLSEAL_FIPS_DIR: fips },
      );

      const executions = Number(/^stat::number_of_executed_units:\s*(\d+)$/m.exec(stderr)?.[1]);
      console.log(`${target}: ${executions} executions in ${SECONDS} s from ${seeds} seeds`);
      expect(status, stderr.slice(-6000)).toBe(0);
      // A busy machine may get no further than what is known.
      expect(executions).toBeGreaterThanOrEqual(seeds);
    });
  });
}
