/** What the command line says to type next: options that the command really has. */

import { expect, it } from 'vitest';
import { buildProgram, EVERY_COMMAND } from '../lib/cli/commands.ts';
import { describeProgram, everyCommand } from '../lib/cli/definition.ts';
import { hintFor } from '../lib/cli/hints.ts';
import { CallsealError, ERROR_CODES, type ErrorCode } from '../lib/errors.ts';

const hint = (code: ErrorCode, command: string) => hintFor(new CallsealError(code, 'x'), command);

it('a hint names options of the command that failed, or another command', async () => {
  for (const { path, options } of everyCommand(describeProgram(await buildProgram(EVERY_COMMAND)))) {
    const command = path.join(' ');
    const names = options.flatMap((option) => option.names);
    for (const code of ERROR_CODES) {
      const text = hint(code, command) ?? '';
      if (text.startsWith('callseal ')) continue;
      for (const [name] of text.matchAll(/(?<=^|\s)--?[a-z][a-z-]*/g))
        expect([command, code, ...names]).toContain(name);
    }
  }
});

it.each([
  ['ERR_OUTPUT_EXISTS', 'decrypt', '--force replaces what exists; -o FILE or --output-dir DIR writes elsewhere'],
  ['ERR_OUTPUT_EXISTS', 'report', '--force replaces what exists'],
  ['ERR_OUTPUT_EXISTS', 'keygen', undefined],
  ['ERR_TAMPERED', 'decrypt', 'fetch it again from its source; --recover takes what is authentic before the damage'],
  ['ERR_TAMPERED', 'verify', undefined],
] as const)('after %s of %s', (code, command, text) => {
  expect(hint(code, command)).toBe(text);
});
