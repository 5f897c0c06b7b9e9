/** Properties of `test/` that can be tried for any time: those that call `explore` (test/helpers/explore.ts). */

import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FINDINGS, made, ROOT, run } from './run.mjs';

/** `test` is a part of the name of one test in the file. */
const PROPERTIES = [
  {
    name: 'header',
    file: 'header-codec',
    test: 'refuses damaged headers',
    what: 'The parser of headers: damaged ones are refused, or are the one encoding of what they say',
  },
  {
    name: 'altered',
    file: 'differential',
    test: 'on files altered without a key',
    what: 'Callseal beside the independent decoder, on files altered without a key',
  },
  {
    name: 'forged',
    file: 'differential',
    test: 'on files forged by an insider',
    what: 'Callseal beside the independent decoder, on files that a hostile insider has made',
  },
  {
    name: 'records',
    file: 'keys-records-differential',
    test: 'on records altered',
    what: 'Protected records beside the independent decoder of records',
  },
  {
    name: 'keys-sqlite',
    file: 'keys-model',
    test: 'SQLite',
    what: 'Histories of a key hierarchy in SQLite against a model of its rules',
  },
  {
    name: 'keys-postgres',
    file: 'keys-model',
    test: 'PostgreSQL',
    what: 'Histories of a key hierarchy in PostgreSQL against a model of its rules',
  },
  {
    name: 'configuration',
    file: 'config-properties',
    test: 'give recipients or ERR_CONFIG',
    what: 'The reader of client_property.conf on any bytes',
  },
];

export const propertyTargets = () =>
  PROPERTIES.map(({ name, what, file, test }) => ({
    name,
    what,
    run: (seconds, stop) => runProperty(name, file, test, seconds, stop),
  }));

async function runProperty(name, file, test, seconds, stop) {
  const report = join(made(join(ROOT, '.cache/fuzz')), `${name}.runs`);
  rmSync(report, { force: true });
  const started = Date.now();
  const { status, output } = await run(
    process.execPath,
    [join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run', `test/${file}.test.ts`, '-t', test],
    { env: { CALLSEAL_FUZZ_SECONDS: String(seconds), CALLSEAL_FUZZ_REPORT: report, NO_COLOR: '1' }, stop },
  );
  const executions = existsSync(report) ? Number(readFileSync(report, 'utf8')) : 0;
  const findings = [];
  if (status !== 0 && !stop.aborted) {
    if (executions === 0) throw new Error(`could not be tried\n${output.slice(-8000)}`);
    findings.push(join(made(FINDINGS), `${name}-${new Date(started).toISOString().replaceAll(/[-:]|\.\d+/g, '')}.txt`));
    writeFileSync(findings[0], output);
    console.log(output.slice(-8000));
  }
  return { executions, seconds: (Date.now() - started) / 1000, edges: null, entries: 0, findings };
}
