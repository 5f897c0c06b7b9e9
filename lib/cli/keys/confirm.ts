/** A question before something that cannot be undone, or that stops a service. */

import { once } from 'node:events';
import { createInterface } from 'node:readline/promises';
import { CallsealError } from '../../errors.ts';
import { interruptSignal } from '../interrupt.ts';
import type { Output } from '../output.ts';
import { safe } from '../text.ts';

/** What is typed to go on; anything else is no. */
const YES = 'yes';

/**
 * Goes on when the operator types `yes`, or has given `--yes`.
 *
 * @param what happens, as a sentence
 * @throws {CallsealError} `ERR_INVALID_ARGUMENT` without a terminal to ask on, or for any other answer; `ERR_ABORTED` for Ctrl-C.
 */
export async function confirm(what: string, options: { yes?: boolean }, output: Output): Promise<void> {
  if (options.yes === true) return;
  if (process.stdin.isTTY !== true || process.stderr.isTTY !== true) {
    throw new CallsealError('ERR_INVALID_ARGUMENT', `${what} Nobody can be asked without a terminal; give --yes`);
  }
  output.makeRoom();
  const answer = await ask(`${safe(what)} Type ${YES} to go on: `);
  if (answer.trim().toLowerCase() !== YES) {
    throw new CallsealError('ERR_INVALID_ARGUMENT', 'not confirmed; nothing was changed');
  }
}

/** One line; the terminal itself edits it. */
async function ask(question: string): Promise<string> {
  const signal = interruptSignal();
  const lines = createInterface({ input: process.stdin, output: process.stderr, terminal: false });
  try {
    const ended = once(lines, 'close').then(() => ''); // Ctrl-D
    return await Promise.race([lines.question(question, { signal }), ended]);
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  } finally {
    lines.close();
  }
}
