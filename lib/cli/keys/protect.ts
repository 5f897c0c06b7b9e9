/** `callseal protect`: bytes into a protected record, bound to the entity that they belong to. */

import type { Command } from 'commander';
import { interruptSignal } from '../interrupt.ts';
import { Output } from '../output.ts';
import { addEntityOptions, type EntityOptions, entityOf } from './entity-options.ts';
import {
  addHierarchyOptions,
  type HierarchyOpener,
  type HierarchyOptions,
  withHierarchy,
} from './hierarchy-options.ts';
import { addRecordIoOptions, type RecordIoOptions, readInput, refuseTerminal, writeOutput } from './record-io.ts';

type ProtectOptions = HierarchyOptions & EntityOptions & RecordIoOptions;

const HELP = `
The area’s working key, the area itself and an empty store’s first master key are made on demand. The result opens only with
the same area and entity. An output file appears complete or not at all, readable by its owner only.

Examples:
  callseal protect models --type claimant --id c-41 --field template < template.bin > template.sealed
  callseal protect credentials --type user --id 7 --tenant acme --in password.txt --out password.sealed`;

export function define(command: Command): void {
  const open = addHierarchyOptions(command.argument('<area>', 'set of working keys, such as models'));
  addRecordIoOptions(addEntityOptions(command))
    .addHelpText('after', HELP)
    .action((area: string, options: ProtectOptions) => protectCommand(area, options, open));
}

async function protectCommand(area: string, options: ProtectOptions, open: HierarchyOpener): Promise<void> {
  const output = new Output('protect');
  refuseTerminal(options);
  const bytes = await readInput(options, interruptSignal());
  await withHierarchy(
    open,
    options,
    output,
    async (keys) => writeOutput(options, await keys.protect(area, entityOf(options), bytes)),
    { create: true },
  );
}
