/** `callseal status`: which cryptographic module does the work, with evidence. */

import type { Command } from 'commander';
import { type Status, status } from '../status.ts';
import { jsonFile } from './json.ts';
import { type Colors, colorsFor, Output } from './output.ts';
import { safe, safeJson } from './text.ts';

const HELP = `
Loads the module, runs its self-tests and one trial of every operation. Ends with 11 when there is no FIPS module to use,
with 12 when the native module is missing or not isolated from another OpenSSL.

Examples:
  callseal status
  callseal status --json`;

export function define(command: Command): void {
  command
    .option('--json', 'one JSON document on standard output')
    .addHelpText('after', HELP)
    .action((options: { json?: boolean }) => {
      const output = new Output('status');
      const found = options.json ? statusOrReport(output) : status();
      if (options.json) output.print(safeJson(found, 2));
      else for (const line of statusLines(found, colorsFor(process.stdout))) output.print(line);
    });
}

/** A monitor that asks for JSON gets some when the answer is bad, too: then the command fails as ever. */
function statusOrReport(output: Output): Status {
  try {
    return status();
  } catch (error) {
    const { file: _, ...report } = jsonFile('', error);
    output.print(safeJson({ ...report, nodeOpenssl: process.versions.openssl }, 2));
    throw error;
  }
}

function statusLines(found: Status, colors: Colors): string[] {
  const { provider, libcrypto, isolation, validation } = found;
  const mode =
    found.mode === 'required'
      ? colors.green('required')
      : colors.red('OFF (CALLSEAL_FIPS=off): nothing is FIPS-approved');
  const yesNo = (value: boolean): string => (value ? colors.green('passed') : colors.red('FAILED'));
  return [
    row('FIPS', mode),
    row('module', `${safe(provider.name)} ${safe(provider.version)} (${safe(provider.buildInfo)})`),
    row('', safe(provider.path)),
    row('', `SHA-256 ${provider.sha256}`),
    row(
      '',
      `found through: ${provider.origin}; running: ${provider.running ? 'yes' : 'no'}; self-tests: ${yesNo(provider.selfTest)}`,
    ),
    row('validation', safe(validation.sentence)),
    ...(validation.source === null ? [] : [row('', validation.source)]),
    row('libcrypto', `${safe(libcrypto.version)}, ${safe(libcrypto.path)}`),
    row('isolation', `Callseal’s calls go to ${safe(isolation.addonResolvesTo)}`),
    row('', `libcrypto’s own go to ${safe(isolation.libcryptoResolvesTo)}`),
    row('', `node’s OpenSSL ${found.nodeOpenssl} is not used`),
    row('operations', ''),
    ...algorithmLines(found.algorithms, colors),
  ];
}

function algorithmLines(algorithms: Status['algorithms'], colors: Colors): string[] {
  const width = (key: 'name' | 'operation'): number =>
    Math.max(...algorithms.map((algorithm) => algorithm[key].length));
  const [names, operations] = [width('name'), width('operation')];
  return algorithms.map(({ name, operation, provider, indicator, approved, basis }) => {
    const verdict = approved ? colors.green('approved    ') : colors.yellow('not approved');
    const where = `${provider ?? 'none'}${indicator === null ? '' : `, indicator ${indicator}`}`;
    return `  ${verdict}  ${name.padEnd(names)}  ${operation.padEnd(operations)}  ${where.padEnd(17)}  ${colors.dim(basis)}`;
  });
}

function row(name: string, value: string): string {
  return `${name.padEnd(11)} ${value}`.trimEnd();
}
