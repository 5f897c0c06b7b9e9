/** `callseal working …`: the keys that encrypt records, a set for each area. */

import type { Command } from 'commander';
import { CallsealError } from '../../errors.ts';
import type { KeyHierarchy } from '../../keys/hierarchy.ts';
import type { WorkingKeyInfo } from '../../keys/working.ts';
import { colorsFor, Output, type OutputOptions } from '../output.ts';
import { safeJson } from '../text.ts';
import { columnLines } from './columns.ts';
import { confirm } from './confirm.ts';
import {
  addHierarchyOptions,
  type HierarchyOpener,
  type HierarchyOptions,
  withHierarchy,
} from './hierarchy-options.ts';
import { ageOf, assessmentCells, budgetText, workingState } from './key-text.ts';

interface WorkingOptions extends HierarchyOptions, OutputOptions {
  json?: boolean;
  force?: boolean;
  yes?: boolean;
}

const LIST_HELP = `
What is approved, and the strength of the chain, is that of the steps from the installation key down to a record.

A version encrypts, only decrypts, or does neither while its master key is disabled. The budget is what processes have been
given of what one key may encrypt at most; a new version is made by itself when it is used up.

Examples:
  callseal working list
  callseal working list models --json`;

const ROTATE_HELP = `
New records of the area are encrypted with the new version; older versions only decrypt.

Examples:
  callseal working rotate models`;

const REMOVE_HELP = `
Refused unless the version was never used, or every table that was ever re-encrypted for its area (callseal reencrypt) has
been gone through after the version retired, with nothing left on it. --force removes it all the same: whatever it still
protects is lost.

Examples:
  callseal working remove models 1`;

export function define(command: Command): void {
  const list = command.command('list').description('show working keys, what they do, and their budgets');
  const openList = addHierarchyOptions(list.argument('[area]', 'only this area'));
  list
    .option('--json', 'one JSON document on standard output')
    .addHelpText('after', LIST_HELP)
    .action((area: string | undefined, options: WorkingOptions) => listCommand(area, options, openList));

  const rotate = command.command('rotate').description('make a new version of an area’s key');
  const openRotate = addHierarchyOptions(rotate.argument('<area>', 'such as models'));
  rotate
    .option('--json', 'one JSON document on standard output')
    .option('-q, --quiet', 'only errors')
    .addHelpText('after', ROTATE_HELP)
    .action((area: string, options: WorkingOptions) => rotateCommand(area, options, openRotate));

  const remove = command.command('remove').description('destroy a version that no record needs any more');
  const openRemove = addHierarchyOptions(remove.argument('<area>', 'such as models').argument('<version>', 'a number'));
  remove
    .option('--force', 'also when records may be left that nobody can read then')
    .option('-y, --yes', 'do not ask')
    .option('--json', 'one JSON document on standard output')
    .option('-q, --quiet', 'only errors')
    .addHelpText('after', REMOVE_HELP)
    .action((area: string, version: string, options: WorkingOptions) =>
      removeCommand(area, version, options, openRemove),
    );
}

async function listCommand(area: string | undefined, options: WorkingOptions, open: HierarchyOpener): Promise<void> {
  const output = new Output('working list', options);
  await withHierarchy(open, options, output, async (keys) => {
    const working = await keys.working.list(area);
    if (options.json) output.print(safeJson({ workingKeys: working }, 2));
    else for (const line of workingLines(working)) output.print(line);
  });
}

/** Also for `status`. */
function workingLines(working: readonly WorkingKeyInfo[], now = new Date()): string[] {
  const heading = [
    ...['AREA', 'VERSION', 'STATE', 'WORKING KEY', 'MASTER KEY'],
    ...['SUITE', 'STRENGTH', 'APPROVED', 'CREATED', 'BUDGET'],
  ];
  const rows = working.map((key) => [
    key.area,
    String(key.version),
    workingState(key),
    key.id,
    `${key.master.slice(0, 8)}…`,
    key.suite,
    ...assessmentCells(key.assessment),
    ageOf(key.createdAt, now),
    budgetText(key.budget),
  ]);
  return columnLines(heading, rows, colorsFor(process.stdout));
}

async function rotateCommand(area: string, options: WorkingOptions, open: HierarchyOpener): Promise<void> {
  const output = new Output('working rotate', options);
  await withHierarchy(open, options, output, async (keys) => {
    const id = await keys.working.rotate(area);
    const made = (await keys.working.list(area)).find((key) => key.id === id)!;
    report(output, options, made, 'encrypts from now on');
  });
}

async function removeCommand(
  area: string,
  version: string,
  options: WorkingOptions,
  open: HierarchyOpener,
): Promise<void> {
  const output = new Output('working remove', options);
  const { force = false } = options;
  if (!/^[1-9]\d{0,8}$/.test(version)) {
    throw new CallsealError(
      'ERR_INVALID_ARGUMENT',
      `"${version}" is no version; it is a number from 1, as callseal working list shows it`,
    );
  }
  await withHierarchy(open, options, output, async (keys) => {
    const key = await find(keys, area, Number(version));
    const lost = force ? ' Records that still need it are lost.' : '';
    await confirm(`This destroys version ${version} of area ${area} (${key.id}) for good.${lost}`, options, output);
    await keys.working.remove(key.id, { force });
    report(output, options, key, 'removed');
  });
}

async function find(keys: KeyHierarchy, area: string, version: number): Promise<WorkingKeyInfo> {
  const versions = await keys.working.list(area);
  const key = versions.find((candidate) => candidate.version === version);
  if (key !== undefined) return key;
  const there = versions.length === 0 ? 'has no keys' : `has versions 1 to ${versions.length}`;
  throw new CallsealError('ERR_KEY_UNKNOWN', `area ${area} ${there}, and no version ${version}`);
}

function report(output: Output, options: WorkingOptions, { id, area, version }: WorkingKeyInfo, what: string): void {
  if (options.json) output.print(safeJson({ workingKey: id, area, version }, 2));
  else output.notice(`area ${area}, version ${version} (${id}): ${what}`);
}
