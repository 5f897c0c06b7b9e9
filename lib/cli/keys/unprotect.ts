/** `callseal unprotect`: a protected record back into what it was. */

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

type UnprotectOptions = HierarchyOptions & EntityOptions & RecordIoOptions;

const HELP = `
Give the area and entity that the record was protected with. Ends with 16 when it belongs to another entity, with 7 when it was
altered; nothing is written then.

Examples:
  callseal unprotect models --type claimant --id c-41 --field template < template.sealed > template.bin
  callseal unprotect credentials --type user --id 7 --tenant acme --in password.sealed --out password.txt`;

export function define(command: Command): void {
  const open = addHierarchyOptions(command.argument('<area>', 'set of working keys, such as models'));
  addRecordIoOptions(addEntityOptions(command))
    .addHelpText('after', HELP)
    .action((area: string, options: UnprotectOptions) => unprotectCommand(area, options, open));
}

async function unprotectCommand(area: string, options: UnprotectOptions, open: HierarchyOpener): Promise<void> {
  const output = new Output('unprotect');
  refuseTerminal(options);
  const record = await readInput(options, interruptSignal());
  await withHierarchy(open, options, output, async (keys) =>
    writeOutput(options, await keys.unprotect(area, entityOf(options), record)),
  );
}
