/** The libFuzzer targets of `native/fuzz`. */

import { readdirSync, readFileSync, renameSync } from 'node:fs';
import { basename, join } from 'node:path';

import { builtFuzzer, fipsDirectory } from './build.mjs';
import { minimise } from './corpus.mjs';
import { FINDINGS, made, ROOT, run } from './run.mjs';

const SOURCES = join(ROOT, 'native/fuzz');
/** What libFuzzer ends with when it was interrupted. */
const INTERRUPTED = 72;

export function nativeTargets() {
  return readdirSync(SOURCES)
    .filter((file) => /^fuzz_.*\.cc$/.test(file))
    .map((file) => nativeTarget(basename(file, '.cc')));
}

function nativeTarget(name) {
  const kept = join(SOURCES, 'corpus', name);
  const working = join(ROOT, '.cache/fuzz/corpus', name);
  let program;
  return {
    name,
    what: firstSentence(join(SOURCES, `${name}.cc`)),
    async prepare() {
      program ??= await builtFuzzer(name);
    },
    run: (seconds, stop) => runFuzzer(name, program, [made(working), kept], seconds, stop),
    minimise: () => minimise({ program, environment: environment(), kept, working }),
  };
}

const environment = () => ({ CALLSEAL_FIPS: 'required', CALLSEAL_FIPS_DIR: fipsDirectory() });

/** @throws when the fuzzer failed, or was killed, and left no input that it did so with */
export async function runFuzzer(name, program, corpora, seconds, stop) {
  const before = readdirSync(corpora[0]).length;
  const artifacts = made(join(ROOT, '.cache/fuzz/artifacts', name));
  const started = Date.now();
  // Slow is what takes too long, and nothing less: a busy machine makes anything slow.
  const limits = ['-rss_limit_mb=2048', '-timeout=60', '-report_slow_units=60'];
  const told = ['-print_final_stats=1', `-artifact_prefix=${artifacts}/`];
  const args = [`-max_total_time=${seconds}`, ...limits, ...told, ...corpora];
  const { status, signal, output } = await run(program, args, { env: environment(), stop });
  const findings = keepFindings(name, artifacts);
  const interrupted = status === INTERRUPTED || (stop?.aborted === true && signal === 'SIGINT');
  if (status !== 0 && !interrupted) console.log(output.slice(-8000));
  if (status !== 0 && !interrupted && findings.length === 0) {
    throw new Error(`ended with ${signal ?? `exit code ${status}`} and left nothing that it ended of`);
  }
  return {
    executions: last(output, /^stat::number_of_executed_units:\s*(\d+)$/gm) ?? last(output, /^#(\d+)\s/gm) ?? 0,
    seconds: (Date.now() - started) / 1000,
    edges: last(output, /\bcov: (\d+)/g) ?? 0,
    entries: readdirSync(corpora[0]).length - before,
    findings,
  };
}

/** @returns {string[]} paths */
function keepFindings(name, artifacts) {
  return readdirSync(artifacts).map((file) => {
    const path = join(made(FINDINGS), `${name}-${file}`);
    renameSync(join(artifacts, file), path);
    return path;
  });
}

function last(text, pattern) {
  const match = [...text.matchAll(pattern)].at(-1);
  return match === undefined ? undefined : Number(match[1]);
}

/** Of the comment that a source begins with. */
function firstSentence(path) {
  const comment = /^(?:\/\/.*\n)+/.exec(readFileSync(path, 'utf8'))?.[0] ?? '';
  return comment
    .replaceAll(/^\/\/ ?/gm, '')
    .replaceAll('\n', ' ')
    .split(/[.:] /)[0];
}
