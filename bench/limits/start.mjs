import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { summarise } from '../../dist/bench/statistics.js';
import { makeFile } from '../harness/files.mjs';
import { takeTurns } from '../harness/interleave.mjs';
import { CALLSEAL } from '../harness/paths.mjs';
import { timeSuccess } from '../harness/programs.mjs';
import { onPath } from '../harness/setup.mjs';
import { row } from './row.mjs';

const RUNS_PER_ROUND = 5;

/** What a command costs before it does anything. */
export async function start({ plan, directory, callseal }) {
  const plain = join(directory, 'start');
  const sealed = join(directory, 'start.sealed');
  rmSync(sealed, { force: true });
  makeFile(plain, 65_536);
  await callseal.call('encryptFiles', [{ input: plain, output: sealed }], { sync: false, concurrency: 1 });

  const measure = onPath('hyperfine') ? byHyperfine : byTimed;
  const times =
    (...command) =>
    () =>
      measure([process.execPath, ...command], join(directory, 'start.json'));
  const rounds = Math.ceil(plan.starts / RUNS_PER_ROUND);
  const turns = await takeTurns(rounds, {
    node: times('-e', '0'),
    version: times(CALLSEAL, '--version'),
    inspect: times(CALLSEAL, 'inspect', sealed),
  });
  const line = (id, work, own, target) =>
    row({
      id,
      work: `start of \`${work}\``,
      limit: '`node -e 0`, plus',
      sense: 'at most',
      target,
      unit: 'ms',
      value: summarise(own.map((seconds, round) => (seconds - turns.node[round]) * 1000)),
      figures: [{ what: 'time', unit: 'ms', own: milliseconds(own), limit: milliseconds(turns.node) }],
    });
  return [
    line('start-version', 'callseal --version', turns.version, 40),
    line('start-inspect', 'callseal inspect', turns.inspect, 120),
  ];
}

const milliseconds = (seconds) => summarise(seconds).median * 1000;

/** The median of a few runs. */
function byHyperfine(command, report) {
  const quoted = command.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
  const options = ['--shell=none', '--warmup', '1', '--runs', String(RUNS_PER_ROUND), '--export-json', report];
  const { status, stderr } = spawnSync('hyperfine', [...options, '--style', 'none', quoted], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`hyperfine failed: ${stderr}`);
  return JSON.parse(readFileSync(report, 'utf8')).results[0].median;
}

async function byTimed(command) {
  const seconds = [];
  for (let run = 0; run < RUNS_PER_ROUND; run += 1) seconds.push((await timeSuccess(command)).seconds);
  return summarise(seconds).median;
}
