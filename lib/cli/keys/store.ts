/** `callseal store …`: what concerns the key store as a whole. */

import type { Command } from 'commander';
import { noticeFipsOff } from '../fips-notice.ts';
import { interruptSignal } from '../interrupt.ts';
import { Output, type OutputOptions } from '../output.ts';
import { safeJson } from '../text.ts';
import { confirm } from './confirm.ts';
import {
  addHierarchyOptions,
  type HierarchyOpener,
  type HierarchyOptions,
  stateDirectory,
  storeUrl,
} from './hierarchy-options.ts';

interface RestoreOptions extends HierarchyOptions, OutputOptions {
  yes?: boolean;
  json?: boolean;
}

const HELP = `
This host remembers how far the store had come, and refuses one that is behind: somebody may have put back an earlier copy, with keys
that were removed since, or with counters that would let keys be used twice. After a backup was restored on purpose, accept
it here, on each host that remembers more. Every area then goes on with a new working key. Audited.

Examples:
  callseal store accept-restore`;

export function define(command: Command): void {
  const accept = command.command('accept-restore').description('accept a store that was restored from a backup');
  const open = addHierarchyOptions(accept);
  accept
    .option('-y, --yes', 'do not ask')
    .option('--json', 'one JSON document on standard output')
    .option('-q, --quiet', 'only errors')
    .addHelpText('after', HELP)
    .action((options: RestoreOptions) => acceptCommand(options, open));
}

async function acceptCommand(options: RestoreOptions, open: HierarchyOpener): Promise<void> {
  const output = new Output('store accept-restore', options);
  noticeFipsOff(output);
  const signal = interruptSignal();
  const store = await storeUrl(options);
  await confirm(
    'This accepts the store as it is now, whatever this host has seen of it. Do so only after a backup was restored on purpose.',
    options,
    output,
  );
  const installation = await open(options, output);
  try {
    const { KeyHierarchy } = await import('../../keys/hierarchy.ts');
    const accepted = await KeyHierarchy.acceptRestore({
      store,
      installation,
      stateDirectory: await stateDirectory(options),
      signal,
    });
    if (options.json) output.print(safeJson(accepted, 2));
    else output.notice('the store is accepted as it is now; every area goes on with a new working key');
  } finally {
    installation.destroy();
  }
}
