/** `callseal master …`: the keys under which working keys are kept. */

import type { Command } from 'commander';
import { CallsealError } from '../../errors.ts';
import type { KeyHierarchy } from '../../keys/hierarchy.ts';
import type { MasterKeyInfo } from '../../keys/masters.ts';
import { colorsFor, Output, type OutputOptions } from '../output.ts';
import { count, safe, safeJson } from '../text.ts';
import { columnLines } from './columns.ts';
import { confirm } from './confirm.ts';
import {
  addHierarchyOptions,
  type HierarchyOpener,
  type HierarchyOptions,
  withHierarchy,
} from './hierarchy-options.ts';
import { ageOf, assessmentCells, findById, masterState } from './key-text.ts';

interface MasterOptions extends HierarchyOptions, OutputOptions {
  json?: boolean;
  suite?: string;
  to?: string;
  yes?: boolean;
}

const SUITES = `
A suite is MASTER/WORKING/HASH with aes or 3des, aes or 3des, sha256 or sha1; "lumenvox" is aes/3des/sha1. Default: that of
the current master key, aes/aes/sha256 at first.`;

export function define(command: Command): void {
  const list = sub(command, 'list', 'show master keys, their suites, and what depends on them');
  list.command
    .option('--json', 'one JSON document on standard output')
    .addHelpText('after', examples('callseal master list', 'callseal master list --json'))
    .action((options: MasterOptions) => listCommand(options, list.open));

  const create = sub(command, 'create', 'make a master key beside the current one; the first one of an empty store');
  create.command
    .option('--suite <suite>', 'algorithms of the key and of everything under it')
    .option('--json', 'one JSON document on standard output')
    .option('-q, --quiet', 'only errors')
    .addHelpText('after', `${SUITES}\n${examples('callseal master create', 'callseal master create --suite lumenvox')}`)
    .action((options: MasterOptions) => createCommand(options, create.open));

  const rotate = sub(command, 'rotate', 'make a new master key current, or another that there is');
  rotate.command
    .option('--suite <suite>', 'algorithms of the new key and of everything under it')
    .option('--to <id>', 'make this one current instead of a new one')
    .option('--json', 'one JSON document on standard output')
    .option('-q, --quiet', 'only errors')
    .addHelpText(
      'after',
      `${ROTATE_HELP}\n${examples('callseal master rotate', 'callseal master rotate --suite aes/aes/sha256')}`,
    )
    .action((options: MasterOptions) => rotateCommand(options, rotate.open));

  for (const [name, description, help] of CHANGES) {
    const change = sub(command, name, description);
    change.command.argument('<id>', 'the master key: its id, or the first 8 digits or more');
    if (name !== 'enable') change.command.option('-y, --yes', 'do not ask');
    change.command
      .option('--json', 'one JSON document on standard output')
      .option('-q, --quiet', 'only errors')
      .addHelpText('after', `${help}\n${examples(`callseal master ${name} 5f0c8a1d`)}`)
      .action((id: string, options: MasterOptions) => changeCommand(name, id, options, change.open));
  }
}

const ROTATE_HELP = `${SUITES}
Areas go on under the new key from their next record. What is under the old one can still be read: it stays active until its
records are re-encrypted (callseal reencrypt) and it is removed.`;

const CHANGES = [
  [
    'disable',
    'stop everything under a master key, on every server, within two seconds',
    `
Nothing under the key encrypts or decrypts until callseal master enable.`,
  ],
  ['enable', 'undo disable', '\nEvery server takes it up within two seconds.'],
  [
    'remove',
    'destroy a master key that nothing depends on',
    `
Refused while working keys are under it; the message says how many, and what to do.`,
  ],
] as const;

type Change = (typeof CHANGES)[number][0];

function sub(parent: Command, name: string, description: string): { command: Command; open: HierarchyOpener } {
  const command = parent.command(name).description(description);
  return { command, open: addHierarchyOptions(command) };
}

function examples(...lines: string[]): string {
  return `\nExamples:\n${lines.map((line) => `  ${line}`).join('\n')}`;
}

async function listCommand(options: MasterOptions, open: HierarchyOpener): Promise<void> {
  const output = new Output('master list', options);
  await withHierarchy(open, options, output, async (keys) => {
    const masters = await keys.masters.list();
    if (options.json) output.print(safeJson({ masterKeys: masters }, 2));
    else for (const line of [...masterTable(masters), ...remarkLines(masters)]) output.print(line);
  });
}

/** Also for `status`. */
export function masterTable(masters: readonly MasterKeyInfo[], now = new Date()): string[] {
  const heading = ['MASTER KEY', 'STATE', 'SUITE', 'STRENGTH', 'APPROVED', 'CREATED', 'WORKING KEYS'];
  const rows = masters.map((master) => [
    master.id,
    masterState(master),
    master.suite,
    ...assessmentCells(master.assessment),
    ageOf(master.createdAt, now),
    workingKeys(master),
  ]);
  return columnLines(heading, rows, colorsFor(process.stdout));
}

function remarkLines(masters: readonly MasterKeyInfo[]): string[] {
  const colors = colorsFor(process.stdout);
  return masters
    .filter(({ state }) => state !== 'removed')
    .flatMap(({ id, assessment }) => assessment.remarks.map((remark) => `${id.slice(0, 8)}…: ${safe(remark)}`))
    .map((remark) => colors.yellow(remark));
}

function workingKeys({ workingKeys: { active, retired, removed } }: MasterKeyInfo): string {
  const parts = [
    active > 0 && `${active} active`,
    retired > 0 && `${retired} retired`,
    removed > 0 && `${removed} removed`,
  ];
  return parts.filter((part) => part !== false).join(', ') || 'none';
}

async function createCommand(options: MasterOptions, open: HierarchyOpener): Promise<void> {
  const output = new Output('master create', options);
  const suite = options.suite === undefined ? {} : { suite: options.suite };
  await withHierarchy(
    open,
    options,
    output,
    async (keys, { begun }) => {
      const id = begun ? (await keys.masters.list())[0]!.id : await keys.masters.create(suite);
      const what = begun
        ? 'first master key, current from now on'
        : 'made; callseal master rotate --to makes it current';
      report(output, options, id, what);
    },
    { create: true, ...suite },
  );
}

async function rotateCommand(options: MasterOptions, open: HierarchyOpener): Promise<void> {
  const output = new Output('master rotate', options);
  const { suite, to } = options;
  if (suite !== undefined && to !== undefined) {
    throw new CallsealError(
      'ERR_INVALID_ARGUMENT',
      '--suite and --to cannot be used together: one is for a new key, the other names one that there is',
    );
  }
  await withHierarchy(open, options, output, async (keys) => {
    const chosen = to === undefined ? undefined : await find(keys, to);
    const id = await keys.masters.rotate(
      chosen === undefined ? { ...(suite !== undefined && { suite }) } : { id: chosen.id },
    );
    report(output, options, id, 'current from now on');
  });
}

async function changeCommand(
  change: Change,
  text: string,
  options: MasterOptions,
  open: HierarchyOpener,
): Promise<void> {
  const output = new Output(`master ${change}`, options);
  await withHierarchy(open, options, output, async (keys) => {
    const master = await find(keys, text);
    if (change !== 'enable') await confirm(question(change, master), options, output);
    await keys.masters[change](master.id);
    report(output, options, master.id, { disable: 'disabled', enable: 'enabled', remove: 'removed' }[change]);
  });
}

async function find(keys: KeyHierarchy, text: string): Promise<MasterKeyInfo> {
  return findById(await keys.masters.list(), text, 'master key');
}

function question(change: Exclude<Change, 'enable'>, master: MasterKeyInfo): string {
  const which = `master key ${master.id}${master.current ? ' (current)' : ''}`;
  if (change === 'remove') return `This destroys ${which} for good.`;
  const { active, retired } = master.workingKeys;
  const concerned = count(active + retired, 'working key');
  return `This disables ${which}: nothing under it (${concerned}) encrypts or decrypts until it is enabled.`;
}

function report(output: Output, options: MasterOptions, id: string, what: string): void {
  if (options.json) output.print(safeJson({ masterKey: id }, 2));
  else output.notice(`master key ${id}: ${what}`);
}
