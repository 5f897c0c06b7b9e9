#!/usr/bin/env node
/**
 * Fuzzes for as long as it is told: `npm run fuzz -- --minutes 60 --target fuzz_cms --target differential`.
 *
 * Two kinds of targets: libFuzzer's of `native/fuzz`, built with address and undefined-behaviour sanitizers, and properties
 * of `test/`, which fast-check tries with ever new values. Ctrl-C ends the target that is running and prints the summary
 * so far. Exit codes: 0 nothing was found, 1 something was (its file is named), 2 a target could not be run.
 */

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { fuzz } from './fuzz/targets-in-turn.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const USAGE = `usage: npm run fuzz -- [--minutes N] [--target NAME]… [--minimise] [--list]

  --minutes N    for each target; 10 unless told otherwise, parts of a minute are allowed
  --target NAME  this one; all, one after the other, unless told otherwise
  --minimise     afterwards, what covers more than the kept corpus does is put into it, as little as possible
  --list         says which targets there are`;

class UsageError extends Error {}

async function main(args) {
  const options = readOptions(args);
  if (options.help) return say(USAGE, 0);
  const setUp = spawnSync(process.execPath, ['scripts/setup.mjs', 'test'], { cwd: ROOT, stdio: 'inherit' });
  if (setUp.status !== 0) return 2;
  // Only now is there what these import.
  const [{ nativeTargets }, { propertyTargets }] = await Promise.all([
    import('./fuzz/native-targets.mjs'),
    import('./fuzz/property-targets.mjs'),
  ]);
  const known = [...nativeTargets(), ...propertyTargets()];
  if (options.list) return say(known.map(({ name, what }) => `${name.padEnd(22)}${what}`).join('\n'), 0);
  // A terminal's Ctrl-C reaches the target too; a signal to this process alone is passed on.
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => stop.abort());
  return fuzz(chosen(known, options.target), options, stop.signal);
}

function readOptions(args) {
  const { values } = parseArgs({
    args,
    options: {
      minutes: { type: 'string', default: '10' },
      target: { type: 'string', multiple: true, default: [] },
      minimise: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const seconds = Math.round(Number(values.minutes) * 60);
  if (!(seconds >= 1)) throw new UsageError(`--minutes is a number above 0, not ${values.minutes}`);
  return { ...values, seconds };
}

function chosen(known, names) {
  if (names.length === 0) return known;
  return names.map((name) => {
    const target = known.find((each) => each.name === name);
    if (target === undefined)
      throw new UsageError(`no target ${name}; there are ${known.map((t) => t.name).join(', ')}`);
    return target;
  });
}

function say(text, exitCode) {
  console.log(text);
  return exitCode;
}

main(process.argv.slice(2)).then(
  (exitCode) => {
    process.exitCode = exitCode;
  },
  (error) => {
    const usage = error instanceof UsageError || error.code?.startsWith('ERR_PARSE_ARGS');
    console.error(usage ? `fuzz: ${error.message}\n${USAGE}` : `fuzz: ${error.stack}`);
    process.exitCode = 2;
  },
);
