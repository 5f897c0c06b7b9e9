/** `callseal recipients add|remove|replace`: one change, made of every file that is named. */

import { changeRecipients } from '../../callfile/change-recipients.ts';
import type { RecipientEntryInfo } from '../../callfile/inspect.ts';
import type { RecipientChange } from '../../callfile/recipients-change.ts';
import { CallsealError } from '../../errors.ts';
import type { InputFile } from '../files.ts';
import { noticeFipsOff } from '../fips-notice.ts';
import { interruptSignal } from '../interrupt.ts';
import { type KeyOpener, reportKeyNotes } from '../key-options.ts';
import { Output, type OutputOptions } from '../output.ts';
import { type QueueChoice, queueFiles } from '../queue-options.ts';
import { refuseStdin } from '../stdio.ts';
import { type FileChange, StreamBatch } from '../stream-batch.ts';
import { count } from '../text.ts';
import { FileWalk } from '../walk.ts';

/** What the three have in common, as commander hands it over. */
export interface ChangeOptions extends OutputOptions, QueueChoice {
  key?: string[];
  recursive?: boolean;
  dryRun?: boolean;
  verify?: boolean;
  json?: boolean;
}

/** @param name `add`, `remove` or `replace` */
export async function changeFiles(
  name: string,
  paths: string[],
  options: ChangeOptions,
  openKeys: KeyOpener,
  changeFor: (output: Output) => Promise<RecipientChange>,
): Promise<void> {
  const output = new Output(`recipients ${name}`, options);
  refuseStdin(paths);
  const signal = interruptSignal();
  if (options.queue !== undefined) {
    if (options.dryRun) throw usage('--dry-run and --queue cannot be used together');
    const verify = options.verify === true;
    await queueFiles(paths, options, output, async () => ({
      kind: 'recipients',
      verify,
      change: await changeFor(output),
    }));
    return;
  }
  if (options.key === undefined) throw usage('give the private key of one of the recipients: -k KEY');
  const walk = await FileWalk.of(paths, { recursive: options.recursive, signal });
  const change = await changeFor(output);
  const keys = openKeys(options.key, output);
  noticeFipsOff(output);
  const { dryRun, verify } = options;
  const batch = new StreamBatch(output, {
    signal,
    json: options.json,
    done: dryRun ? 'would be changed' : 'changed',
    unchanged: 'as they should be',
  });
  process.exitCode = await batch.run(walk, async (file: InputFile): Promise<FileChange> => {
    const { changed, before, after } = await changeRecipients(file.path, { keys, signal, dryRun, verify, ...change });
    const facts = { changed, ...(dryRun && { dryRun }), ...differences(before, after) };
    return { changed, line: lineOf(changed, dryRun, before, after), facts };
  });
  reportKeyNotes(keys, output);
}

function usage(message: string): CallsealError {
  return new CallsealError('ERR_INVALID_ARGUMENT', message);
}

function lineOf(
  changed: boolean,
  dryRun: boolean | undefined,
  before: RecipientEntryInfo[],
  after: RecipientEntryInfo[],
): string {
  if (!changed) return `has what it should have, ${count(after.length, 'recipient')}; left alone`;
  const verb = dryRun ? 'would be changed' : 'changed';
  return `${verb} from ${count(before.length, 'recipient')} to ${after.length}`;
}

/** Entries that are new or said something else before, and those that are gone. */
function differences(before: RecipientEntryInfo[], after: RecipientEntryInfo[]) {
  const identity = ({ keyId, certificate }: RecipientEntryInfo): string => `${keyId} ${certificate?.sha256}`;
  const [old, now] = [new Set(before.map(identity)), new Set(after.map(identity))];
  return {
    added: after.filter((recipient) => !old.has(identity(recipient))),
    removed: before.filter((recipient) => !now.has(identity(recipient))),
    recipients: after.length,
  };
}
