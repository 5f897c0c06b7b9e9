/** `callseal audit …`: what was done with the keys, by whom, and whether the log is whole. */

import type { Command } from 'commander';
import type { AuditEntry } from '../../keys/audit.ts';
import { Output, type OutputOptions } from '../output.ts';
import { count, formatTime, safe, safeJson } from '../text.ts';
import {
  addHierarchyOptions,
  type HierarchyOpener,
  type HierarchyOptions,
  withHierarchy,
} from './hierarchy-options.ts';
import { wholeNumber } from './numbers.ts';

interface AuditOptions extends HierarchyOptions, OutputOptions {
  json?: boolean;
  after?: number;
}

const LIST_HELP = `
Oldest first. The newest entry is checked against the signed manifest; callseal audit verify checks all.

Examples:
  callseal audit list
  callseal audit list --after 1200 --json`;

const VERIFY_HELP = `
Every entry holds the hash of the one before, the newest hash is signed, and this host remembers what it has seen. Ends with 17,
naming the entry, when one was altered, added or taken away.

Examples:
  callseal audit verify
  callseal audit verify --json`;

export function define(command: Command): void {
  const list = command.command('list').description('show who changed what, when, and on which host');
  const openList = addHierarchyOptions(list);
  list
    .option('--after <n>', 'only entries after this one', wholeNumber('--after', 0))
    .option('--json', 'one JSON document on standard output')
    .addHelpText('after', LIST_HELP)
    .action((options: AuditOptions) => listCommand(options, openList));

  const verify = command.command('verify').description('prove that the log is whole');
  const openVerify = addHierarchyOptions(verify);
  verify
    .option('--json', 'one JSON document on standard output')
    .option('-q, --quiet', 'only errors')
    .addHelpText('after', VERIFY_HELP)
    .action((options: AuditOptions) => verifyCommand(options, openVerify));
}

async function listCommand(options: AuditOptions, open: HierarchyOpener): Promise<void> {
  const output = new Output('audit list', options);
  await withHierarchy(open, options, output, async (keys) => {
    const entries = keys.audit.list({ ...(options.after !== undefined && { after: options.after }) });
    if (options.json) await printJson(output, entries);
    else for await (const entry of entries) output.print(entryLine(entry));
  });
}

/** A line each, as the log may be long. */
async function printJson(output: Output, entries: AsyncIterable<AuditEntry>): Promise<void> {
  output.print('{"entries": [');
  let previous: string | null = null;
  for await (const entry of entries) {
    if (previous !== null) output.print(`${previous},`);
    previous = safeJson(entry);
  }
  if (previous !== null) output.print(previous);
  output.print(']}');
}

function entryLine({ sequence, at, actor, host, event, details }: AuditEntry): string {
  const { rows: _, ...shown } = details;
  return safe(`${sequence}  ${formatTime(at)}  ${actor}@${host}  ${event}  ${JSON.stringify(shown)}`);
}

async function verifyCommand(options: AuditOptions, open: HierarchyOpener): Promise<void> {
  const output = new Output('audit verify', options);
  await withHierarchy(open, options, output, async (keys) => {
    const { entries } = await keys.audit.verify();
    if (options.json) output.print(safeJson({ entries, whole: true }, 2));
    else output.notice(`${count(entries, 'entry', 'entries')}, whole and unaltered`);
  });
}
