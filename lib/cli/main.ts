/**
 * The command line. A module is loaded for the command that was typed and for no other, so that each starts as fast as
 * it can; the native module is loaded where a key or a certificate is first needed.
 */

import type { Command, CommanderError } from 'commander';
import { version } from '../version.ts';
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
  'rekey',
]);

/** What a command's module exports: it adds options, help and action; actions set `process.exitCode`. */
interface CommandModule {
  define(command: Command): void;
}

interface CommandEntry {
  name: string;
  summary: string;
  /** Commands of its own. */
  actions?: readonly string[];
  /** Has actions, and is a command without one. */
  doesWorkItself?: boolean;
  load: () => Promise<CommandModule>;
}

const COMMANDS: readonly CommandEntry[] = [
  { name: 'keygen', summary: 'make a private key and its certificate', load: () => import('./keygen.ts') },
  { name: 'encrypt', summary: 'encrypt files for the holders of certificates', load: () => import('./encrypt.ts') },
  { name: 'decrypt', summary: 'open encrypted files with a private key', load: () => import('./decrypt.ts') },
  { name: 'inspect', summary: 'show who can open a file; needs no key', load: () => import('./inspect.ts') },
  { name: 'tail', summary: 'read a file while it is written', load: () => import('./tail.ts') },
  { name: 'verify', summary: 'check files completely, writing nothing', load: () => import('./verify.ts') },
  { name: 'agent', summary: 'encrypt the files of a directory as they are finished', load: () => import('./agent.ts') },
  {
    name: 'which-key',
    summary: 'which of several keys opens which files',
    load: () => import('./which-key.ts'),
  },
  {
    name: 'report',
    summary: 'who can open what is there, and what is wrong with it',
    load: () => import('./report.ts'),
  },
  {
    name: 'export-cms',
    summary: 'encrypted files as CMS messages, for partners with openssl',
    load: () => import('./export-cms.ts'),
  },
  {
    name: 'import-cms',
    summary: 'CMS messages that openssl made, as encrypted files',
    load: () => import('./import-cms.ts'),
  },
  {
    name: 'recipients',
    summary: 'change who can open files, without decrypting them',
    actions: ['list', 'add', 'remove', 'replace'],
    load: () => import('./recipients/recipients.ts'),
  },
  { name: 'rekey', summary: 'encrypt files anew, under fresh keys', load: () => import('./rekey.ts') },
  {
    name: 'worker',
    summary: 'do what was queued for several machines',
    actions: ['status'],
    doesWorkItself: true,
    load: () => import('./worker.ts'),
  },
  {
    name: 'config',
    summary: 'check client_property.conf and its certificates',
    actions: ['check'],
    load: () => import('./config.ts'),
  },
  {
    name: 'installation',
    summary: 'the key at the root of the key hierarchy',
    actions: ['request', 'install', 'show', 'export', 'import', 'verify-backup'],
    load: () => import('./keys/installation.ts'),
  },
  {
    name: 'master',
    summary: 'the keys under which working keys are kept',
    actions: ['list', 'create', 'rotate', 'disable', 'enable', 'remove'],
    load: () => import('./keys/master.ts'),
  },
  {
    name: 'working',
    summary: 'the keys that encrypt records',
    actions: ['list', 'rotate', 'remove'],
    load: () => import('./keys/working.ts'),
  },
  {
    name: 'audit',
    summary: 'what was done with the keys, by whom',
    actions: ['list', 'verify'],
    load: () => import('./keys/audit.ts'),
  },
  {
    name: 'store',
    summary: 'the key store as a whole',
    actions: ['accept-restore'],
    load: () => import('./keys/store.ts'),
  },
  { name: 'protect', summary: 'encrypt a record for its entity', load: () => import('./keys/protect.ts') },
  { name: 'unprotect', summary: 'open a protected record', load: () => import('./keys/unprotect.ts') },
  {
    name: 'reencrypt',
    summary: 'bring the records of a table under the current key',
    load: () => import('./keys/reencrypt.ts'),
  },
  {
    name: 'status',
    summary: 'show which cryptographic module is at work, and the keys',
    load: () => import('./status.ts'),
  },
  { name: 'bench', summary: 'measure this host: channels, files a second, limits', load: () => import('./bench.ts') },
  { name: 'fips', summary: 'install the FIPS module', actions: ['install'], load: () => import('./fips.ts') },
];

/** Every command as it is typed, an action behind the command that has it. */
export function commandNames(): string[] {
  return COMMANDS.flatMap(({ name, actions = [], doesWorkItself }) => [
    ...(actions.length === 0 || doesWorkItself ? [name] : []),
    ...actions.map((action) => `${name} ${action}`),
  ]);
}

const PROGRAM_HELP = `
Examples:
  callseal keygen --subject "/C=US/O=MyCompany/CN=MyCompany" --key my_private.key --cert my_cert.crt
  callseal encrypt -r my_cert.crt call.callsre          makes call.callsre.sealed
  callseal inspect call.callsre.sealed
  callseal decrypt -k my_private.key call.callsre.sealed
  callseal protect models --type claimant --id c-41 < template > template.sealed

callseal COMMAND --help shows options and examples of a command.`;

/** Runs one command line, without node and script name, and sets the exit code of the process. */
export async function run(args: readonly string[]): Promise<void> {
  watchStandardStreams();
  if (args.length === 1 && (args[0] === '--version' || args[0] === '-V')) {
    process.stdout.write(`${version()}\n`);
    return;
  }
  const output = new Output(commandName(args));
  try {
    if (CRYPTOGRAPHIC.has(args[0]) && !args.includes('--help') && !args.includes('-h')) {
      (await import('../native/load.ts')).prepareNative();
    }
    const program = await buildProgram(args);
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

async function buildProgram(args: readonly string[]): Promise<Command> {
  const { Command } = await import('commander');
  const program = new Command('callseal')
    .description('Encrypts what phone calls leave behind, in the system’s OpenSSL FIPS module.')
    .version(version())
    .addHelpText('after', PROGRAM_HELP)
    .exitOverride()
    .configureOutput({ outputError: () => {} });
  const wanted = args[0] === 'help' ? args[1] : args[0];
  for (const { name, summary, load } of COMMANDS) {
    const command = program.command(name).description(summary).summary(summary);
    if (name === wanted) (await load()).define(command);
  }
  return program;
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
  if (error.code === 'commander.help') return EXIT_USAGE;
  output.usage(error.message.replace(/^error: /, '').replaceAll('\n', ' '));
  const name = commandName(args);
  output.hint(`callseal ${name === '' ? '' : `${name} `}--help`);
  return error.code.startsWith('commander.') ? EXIT_USAGE : EXIT_UNEXPECTED;
}
