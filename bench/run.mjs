#!/usr/bin/env node
/** `npm run bench`: Callseal, its limits and its peers, side by side in one run. README.md says how to read the result. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { describeMachine } from '../dist/bench/machine.js';
import { formatBytes } from '../dist/page/figures.js';
import { makeWorkDirectory } from './harness/files.mjs';
import { CACHE } from './harness/paths.mjs';
import { PLANS } from './harness/plan.mjs';
import { setUp } from './harness/setup.mjs';
import { formatLimits } from './harness/text.mjs';
import { LIMITS, measureLimits } from './limits/index.mjs';
import { PEERS } from './peers/index.mjs';
import { RECORD_PEERS } from './peers/records/index.mjs';
import { renderReport } from './report/render.mjs';
import { formatStanding, standing } from './report/standing.mjs';
import { measureBatch } from './suites/batch.mjs';
import { tryDamage } from './suites/damage.mjs';
import { measureMatrix } from './suites/matrix.mjs';
import { measureRecords } from './suites/records.mjs';
import { measureScaling } from './suites/scaling.mjs';

const PARTS = ['limits', 'matrix', 'batch', 'scaling', 'damage', 'records'];
const ALL_PEERS = [...PEERS, ...RECORD_PEERS];

const HELP = `usage: npm run bench -- [options]

  --quick        in under three minutes: fewer rounds, no file above 64 MiB among the peers
  --smoke        everything once with tiny files: shows that it runs, its figures mean nothing
  --cross        every size with every set of keys (long)
  --only NAMES   separated by commas: parts (${PARTS.join(', ')}),
                 groups of the limit table (${Object.keys(LIMITS).join(', ')}),
                 peers (${ALL_PEERS.map(({ id }) => id).join(', ')})
  --dir DIR      where the files worked on lie (default: the system's temporary directory)
  --json FILE    results (default: .cache/bench/results.json)
  --html FILE    report (default: .cache/bench/report.html)
`;

const OPTIONS = {
  quick: { type: 'boolean' },
  smoke: { type: 'boolean' },
  cross: { type: 'boolean' },
  only: { type: 'string' },
  dir: { type: 'string' },
  json: { type: 'string' },
  html: { type: 'string' },
  help: { type: 'boolean' },
};

/** What `--only` leaves. A peer is always compared with Callseal. */
function selection(only) {
  const names = only?.split(',') ?? [];
  const among = (known) => names.filter((name) => known.includes(name));
  const [parts, groups, peers] = [among(PARTS), among(Object.keys(LIMITS)), among(ALL_PEERS.map(({ id }) => id))];
  const unknown = names.find((name) => ![...parts, ...groups, ...peers].includes(name));
  if (unknown !== undefined) throw new Error(`nothing is called ${unknown}\n\n${HELP}`);
  const nothing = parts.length + groups.length === 0;
  return {
    parts: nothing
      ? PARTS.filter((part) => peers.length === 0 || peers.some((id) => partIsOf(part, id)))
      : [...parts, ...(groups.length > 0 ? ['limits'] : [])],
    groups: groups.length > 0 ? groups : undefined,
    peers: ALL_PEERS.filter(({ id }) => peers.length === 0 || peers.includes(id) || id.startsWith('callseal')),
  };
}

/** Whether a part measures a peer. */
function partIsOf(part, id) {
  return part !== 'limits' && RECORD_PEERS.some((peer) => peer.id === id) === (part === 'records');
}

async function main() {
  const { values } = parseArgs({ options: OPTIONS });
  if (values.help) return console.log(HELP);
  const plan = values.smoke ? PLANS.smoke : values.quick ? PLANS.quick : PLANS.full;
  const { parts, groups, peers: wanted } = selection(values.only);
  await setUp();
  const started = new Date();
  const directory = makeWorkDirectory(values.dir);
  const peers = [];
  const missing = [];
  for (const peer of wanted) ((await peer.version()) === null ? missing : peers).push(peer);
  for (const { name } of missing) say(`${name} is not installed; its figures are left out`);

  const forFiles = peers.filter(({ kind }) => kind !== 'record');
  const forRecords = peers.filter(({ kind }) => kind === 'record');
  const measured = { limits: { rows: [], failures: [] }, matrix: [], batch: [], scaling: [], damage: [], records: [] };
  const measures = {
    limits: () => measureLimits(plan, directory, { groups, onGroup: (name) => say(`limits: ${name}`) }),
    matrix: () => measureMatrix(plan, directory, forFiles, { cross: values.cross, onCell: sayCell }),
    batch: () => measureBatch(plan, directory, forFiles),
    scaling: () => measureScaling(plan, directory, forFiles),
    damage: () => tryDamage(directory, forFiles),
    records: () => measureRecords(plan, directory, forRecords),
  };
  for (const part of PARTS.filter((each) => parts.includes(each))) {
    say(part);
    measured[part] = await measures[part]();
  }

  const results = {
    format: 1,
    plan: plan.name,
    started: started.toISOString(),
    seconds: (Date.now() - started.getTime()) / 1000,
    machine: describeMachine(directory),
    peers: peers.map(({ id, name, kind, settings, copies = false, version }) => ({
      id,
      name,
      kind,
      settings,
      copies,
      version: version(),
    })),
    missing: missing.map(({ name }) => name),
    ...measured,
  };
  mkdirSync(CACHE, { recursive: true });
  const json = values.json ?? join(CACHE, 'results.json');
  const html = values.html ?? join(CACHE, 'report.html');
  writeFileSync(json, `${JSON.stringify(results, null, 2)}\n`);
  writeFileSync(html, renderReport(results));
  if (parts.includes('limits')) console.log(`${formatLimits(results.limits)}\n`);
  console.log(formatStanding(standing(results)));
  console.log(`\n${json}\n${html}`);
}

function say(text) {
  console.error(`[${(performance.now() / 1000).toFixed(0).padStart(4)} s] ${text}`);
}

function sayCell([{ bytes, recipients, bits }]) {
  say(`${formatBytes(bytes)}, ${recipients} × RSA-${bits}`);
}

main()
  .catch((error) => {
    console.error(error.message);
    process.exitCode = 2;
  })
  // Workers of what failed half-way must not keep this process alive.
  .finally(() => process.exit());
