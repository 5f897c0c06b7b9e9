#!/usr/bin/env node
/**
 * `npm run bench:check`: measures the limit table and says which rows fall short. Exit code 1 when one does, 2 when it
 * could not be measured.
 */

import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { describeMachine } from '../dist/bench/machine.js';
import { makeWorkDirectory } from './harness/files.mjs';
import { PLANS } from './harness/plan.mjs';
import { setUp } from './harness/setup.mjs';
import { formatLimits } from './harness/text.mjs';
import { LIMITS, measureLimits } from './limits/index.mjs';

const HELP = `usage: npm run bench:check -- [options]

  --quick        fewer rounds
  --smoke        everything once with tiny files: shows that it runs, its figures mean nothing
  --only NAMES   groups of rows, separated by commas: ${Object.keys(LIMITS).join(', ')}
  --dir DIR      where the files worked on lie (default: the system's temporary directory)
  --json FILE    the rows, and the machine, as JSON
`;

const OPTIONS = {
  quick: { type: 'boolean' },
  smoke: { type: 'boolean' },
  only: { type: 'string' },
  dir: { type: 'string' },
  json: { type: 'string' },
  help: { type: 'boolean' },
};

async function main() {
  const { values } = parseArgs({ options: OPTIONS });
  if (values.help) return console.log(HELP);
  const plan = values.smoke ? PLANS.smoke : values.quick ? PLANS.quick : PLANS.full;
  const groups = values.only?.split(',');
  const unknown = groups?.find((name) => !Object.hasOwn(LIMITS, name));
  if (unknown !== undefined) throw new Error(`no group of rows is called ${unknown}\n\n${HELP}`);

  await setUp();
  const directory = makeWorkDirectory(values.dir);
  const machine = describeMachine(directory);
  const measured = await measureLimits(plan, directory, {
    groups,
    onGroup: (name) => console.error(`measuring: ${name}`),
  });
  if (values.json !== undefined) {
    writeFileSync(values.json, `${JSON.stringify({ machine, plan: plan.name, ...measured }, null, 2)}\n`);
  }
  const { rows, failures } = measured;
  console.log(formatLimits(measured));
  for (const { id, note } of rows) if (note !== undefined) console.log(`${id}: ${note}`);
  const short = rows.filter(({ met }) => !met);
  console.log(`\n${rows.length - short.length} of ${rows.length} rows reach their target`);
  if (short.length > 0) console.log(`short: ${short.map(({ id }) => id).join(', ')}`);
  process.exitCode = short.length + failures.length > 0 ? 1 : 0;
}

main()
  .catch((error) => {
    console.error(error.message);
    process.exitCode = 2;
  })
  // Workers of what failed half-way must not keep this process alive.
  .finally(() => process.exit());
