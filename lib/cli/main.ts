/**
 * The command line. A module is loaded for the command that was typed and for no other, so that each starts as fast as
 * it can; the native module is loaded where a key or a certificate is first needed.
 */

import type { CommanderError } from 'commander';
import { version } from '../version.ts';
import { buildProgram, COMMANDS } from './commands.ts';
import { EXIT_UNEXPECTED, EXIT_USAGE } from './exit-codes.ts';
import { exitCodeFor, leaveStuckReader, Output, watchStandardStreams } from './output.ts';

/** Commands that always need the native module; it is made ready while theirs is loaded. */
const CRYPTOGRAPHIC: ReadonlySet<string | undefined> = new Set([
  'keygen',
  'encrypt',
  'decrypt',
  'verify',
  'tail',
  'which-key',
  'export-cms',
  'import-cms',
  'agent',
  'desk',
  'rekey',
]);

/** Runs one command line, without node and script name, and sets the exit code of the process. */
export async function run(args: readonly string[]): Promise<void> {
  watchStandardStreams();
  if (args.length === 1 && (args[0] === '--version' || args[0] === '-V')) {
    process.stdout.write(`${version()}\n`);
    return;
  }
  const output = new Output(commandName(args));
  try {
    if (!args.includes('--help') && !args.includes('-h')) {
      const { prepareNative, refuseCoreDumps } = await import('../native/load.ts');
      refuseCoreDumps();
      if (CRYPTOGRAPHIC.has(args[0])) prepareNative();
    }
    const program = await buildProgram(args[0] === 'help' ? args[1] : args[0]);
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (isCommanderError(error)) process.exitCode = reportUsage(error, output, args);
    else {
      output.fail(error);
      process.exitCode = exitCodeFor(error);
    }
  }
  leaveStuckReader();
}

/** `encrypt`, `config check`: what messages begin with. Empty when no command was recognised. */
function commandName(args: readonly string[]): string {
  const [name, action] = args;
  const command = COMMANDS.find((entry) => entry.name === name);
  if (command === undefined) return '';
  return command.actions?.includes(action ?? '') ? `${command.name} ${action}` : command.name;
}

function isCommanderError(error: unknown): error is CommanderError {
  return error instanceof Error && error.name === 'CommanderError';
}

/** Says what is wrong with the command line; help and version end here too. */
function reportUsage(error: CommanderError, output: Output, args: readonly string[]): number {
  if (error.exitCode === 0) return 0;
  if (error.code === 'commander.help') {
    const topic = args[args.indexOf('help') + 1];
    if (args.includes('help') && topic !== undefined) output.usage(`unknown command '${topic}'`);
    return EXIT_USAGE;
  }
  output.usage(error.message.replace(/^error: /, '').replaceAll('\n', ' '));
  const name = commandName(args);
  output.hint(`callseal ${name === '' ? '' : `${name} `}--help`);
  return error.code.startsWith('commander.') ? EXIT_USAGE : EXIT_UNEXPECTED;
}
