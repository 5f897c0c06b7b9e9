/** `callseal recipients list`: who can open each file, a line for each of them. Needs no key. */

import { inspect } from '../../callfile/inspect.ts';
import { testFor } from '../../callfile/recipient-match.ts';
import type { InputFile } from '../files.ts';
import { interruptSignal } from '../interrupt.ts';
import { colorsFor, Output, type OutputOptions } from '../output.ts';
import { recipientLine } from '../recipient-text.ts';
import { refuseStdin } from '../stdio.ts';
import { type FileChange, StreamBatch } from '../stream-batch.ts';
import { safe } from '../text.ts';
import { FileWalk } from '../walk.ts';
import { matchesOf } from './match-options.ts';

export interface ListOptions extends OutputOptions {
  match?: string[];
  json?: boolean;
  recursive?: boolean;
}

export async function listCommand(paths: string[], options: ListOptions): Promise<void> {
  const output = new Output('recipients list', options);
  refuseStdin(paths);
  const signal = interruptSignal();
  const isMeant = options.match === undefined ? () => true : testFor(matchesOf(options.match));
  const { bold } = colorsFor(process.stdout);
  const now = new Date();
  const batch = new StreamBatch(output, { signal, json: options.json, done: 'listed', unchanged: 'of others' });
  const list = async (file: InputFile): Promise<FileChange> => {
    const { recipients } = await inspect(file.path, { signal });
    if (!recipients.some(isMeant)) return { changed: false, line: '', facts: null };
    if (!options.json) {
      const lines = recipients.map((recipient) => `  ${recipientLine(recipient, now)}, key id ${recipient.keyId}`);
      output.print([bold(safe(file.path)), ...lines].join('\n'));
    }
    return { changed: true, line: '', facts: { recipients } };
  };
  process.exitCode = await batch.run(await FileWalk.of(paths, { recursive: options.recursive, signal }), list);
}
