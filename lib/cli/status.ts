/** `callseal status`: which cryptographic module does the work, with evidence; and the key hierarchy at a glance. */

import type { Command } from 'commander';
import { CallsealError } from '../errors.ts';
import { type Status, status } from '../status.ts';
import { jsonFile } from './json.ts';
import {
  addKeyStoreOptions,
  type HierarchyOptions,
  namedStore,
  stateDirectory,
  storeWithoutName,
} from './keys/hierarchy-options.ts';
import { folderOf, placesInTurn } from './keys/installation-options.ts';
import type { KeysStatus } from './keys/keys-status.ts';
import { type Colors, colorsFor, Output } from './output.ts';
import type { PassphrasePlace } from './passphrase-options.ts';
import { safe, safeJson } from './text.ts';

const HELP = `
Loads the module, runs its self-tests and one trial of every operation. Ends with 11 when there is no FIPS module to use,
with 12 when the native module is missing or not isolated from another OpenSSL.

It also shows the key hierarchy of --store or CALLSEAL_STORE, or of the file keys.db in the state directory. Where the installation key can be opened without asking (a
passphrase option, a service’s credential), everything is verified, and an altered row ends with 17; otherwise it shows what
the rows say.

Examples:
  callseal status
  callseal status --json
  callseal status --store sqlite:/var/lib/callseal/keys.db --passphrase-file /run/secrets/voice`;

interface StatusOptions extends HierarchyOptions {
  json?: boolean;
}

export function define(command: Command): void {
  command.option('--json', 'one JSON document on standard output');
  const places = addKeyStoreOptions(command);
  command
    .addHelpText('after', HELP)
    .action((options: StatusOptions) => (options.json ? jsonCommand(options, places) : textCommand(options, places)));
}

async function textCommand(options: StatusOptions, places: readonly PassphrasePlace[]): Promise<void> {
  const output = new Output('status');
  for (const line of statusLines(status(), colorsFor(process.stdout))) output.print(line);
  const keys = await keysStatus(options, places);
  if (keys === null) return;
  const { keysStatusLines } = await import('./keys/keys-status-text.ts');
  for (const line of ['', ...keysStatusLines(keys)]) output.print(line);
}

/** A monitor that asks for JSON gets some when the answer is bad, too: then the command fails as ever. */
async function jsonCommand(options: StatusOptions, places: readonly PassphrasePlace[]): Promise<void> {
  const output = new Output('status');
  let found: Partial<Status> = { nodeOpenssl: process.versions.openssl };
  try {
    found = status();
    const keys = await keysStatus(options, places);
    output.print(safeJson(keys === null ? found : { ...found, keys }, 2));
  } catch (error) {
    const { file: _, ...report } = jsonFile('', error);
    output.print(safeJson({ ...report, ...found }, 2));
    throw error;
  }
}

/** The key hierarchy when a store is named, or is where one would be made; nobody is asked for anything. */
async function keysStatus(options: StatusOptions, places: readonly PassphrasePlace[]): Promise<KeysStatus | null> {
  const state = await stateDirectory(options);
  const store = namedStore(options) ?? storeWithoutName(state);
  if (store === null) return null;
  const { unverifiedKeys, verifiedKeys } = await import('./keys/keys-status.ts');
  const { openInstallation } = await import('../keys/installation/open.ts');
  const folder = await folderOf(options);
  const installation = await openInstallation({
    folder,
    ...(places.length > 0 && { passphrase: placesInTurn(places) }),
  }).catch((error: unknown) => {
    if (isClosed(error)) return error;
    throw error;
  });
  if (installation instanceof CallsealError) return unverifiedKeys(store, installation.message);
  try {
    return await verifiedKeys(store, installation, state);
  } finally {
    installation.destroy();
  }
}

/** No passphrase at hand, or no installation key on this host. */
function isClosed(error: unknown): error is CallsealError {
  if (!(error instanceof CallsealError)) return false;
  return error.code === 'ERR_PASSPHRASE_REQUIRED' || (error.code === 'ERR_IO' && error.errno === 'ENOENT');
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
