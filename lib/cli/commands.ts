/**
 * The commands, and what they are defined with. A module is loaded for the command that was typed and for no other, so that
 * each starts as fast as it can; completion and manual load them all.
 */

import type { Command } from 'commander';
import { version } from '../version.ts';

/** What a command's module exports: it adds options, help and action; actions set `process.exitCode`. */
interface CommandModule {
  /** @param everyCommand makes the program with all commands defined, for those that are about them */
  define(command: Command, everyCommand: () => Promise<Command>): void;
}

interface CommandEntry {
  name: string;
  summary: string;
  /** What it is listed under in the help. */
  group: string;
  /** Commands of its own. */
  actions?: readonly string[];
  /** Has actions, and is a command without one. */
  doesWorkItself?: boolean;
  load: () => Promise<CommandModule>;
}

export const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'keygen',
    summary: 'make a private key and its certificate',
    group: 'Files',
    load: () => import('./keygen.ts'),
  },
  {
    name: 'encrypt',
    summary: 'encrypt files for the holders of certificates',
    group: 'Files',
    load: () => import('./encrypt.ts'),
  },
  {
    name: 'decrypt',
    summary: 'open encrypted files with a private key',
    group: 'Files',
    load: () => import('./decrypt.ts'),
  },
  {
    name: 'inspect',
    summary: 'show who can open a file; needs no key',
    group: 'Files',
    load: () => import('./inspect.ts'),
  },
  {
    name: 'verify',
    summary: 'check files completely, writing nothing',
    group: 'Files',
    load: () => import('./verify.ts'),
  },
  { name: 'tail', summary: 'read a file while it is written', group: 'Files', load: () => import('./tail.ts') },
  {
    name: 'which-key',
    summary: 'which of several keys opens which files',
    group: 'Files',
    load: () => import('./which-key.ts'),
  },
  {
    name: 'report',
    summary: 'who can open what is there, and what is wrong with it',
    group: 'Files',
    load: () => import('./report.ts'),
  },
  {
    name: 'desk',
    summary: 'a page to look into encrypted files, on this host only',
    group: 'Files',
    load: () => import('./desk.ts'),
  },
  {
    name: 'export-cms',
    summary: 'encrypted files as CMS messages, for partners with openssl',
    group: 'Files',
    load: () => import('./export-cms.ts'),
  },
  {
    name: 'import-cms',
    summary: 'CMS messages that openssl made, as encrypted files',
    group: 'Files',
    load: () => import('./import-cms.ts'),
  },
  {
    name: 'agent',
    summary: 'encrypt the files of a directory as they are finished',
    group: 'Recording hosts',
    load: () => import('./agent.ts'),
  },
  {
    name: 'config',
    summary: 'check client_property.conf and its certificates',
    group: 'Recording hosts',
    actions: ['check'],
    load: () => import('./config.ts'),
  },
  {
    name: 'doctor',
    summary: 'look for everything that is wrong on this host, and say what to do',
    group: 'Recording hosts',
    load: () => import('./doctor.ts'),
  },
  {
    name: 'status',
    summary: 'show which cryptographic module is at work, and the keys',
    group: 'Recording hosts',
    load: () => import('./status.ts'),
  },
  {
    name: 'bench',
    summary: 'measure this host: channels, files a second, limits',
    group: 'Recording hosts',
    load: () => import('./bench.ts'),
  },
  {
    name: 'fips',
    summary: 'install the FIPS module',
    group: 'Recording hosts',
    actions: ['install'],
    load: () => import('./fips.ts'),
  },
  {
    name: 'recipients',
    summary: 'change who can open files, without decrypting them',
    group: 'Who can open files',
    actions: ['list', 'add', 'remove', 'replace'],
    load: () => import('./recipients/recipients.ts'),
  },
  {
    name: 'rekey',
    summary: 'encrypt files anew, under fresh keys',
    group: 'Who can open files',
    load: () => import('./rekey.ts'),
  },
  {
    name: 'worker',
    summary: 'do what was queued for several machines',
    group: 'Who can open files',
    actions: ['status'],
    doesWorkItself: true,
    load: () => import('./worker.ts'),
  },
  {
    name: 'installation',
    summary: 'the key at the root of the key hierarchy',
    group: 'Key hierarchy of a service',
    actions: ['request', 'install', 'show', 'export', 'import', 'verify-backup'],
    load: () => import('./keys/installation.ts'),
  },
  {
    name: 'master',
    summary: 'the keys under which working keys are kept',
    group: 'Key hierarchy of a service',
    actions: ['list', 'create', 'rotate', 'disable', 'enable', 'remove'],
    load: () => import('./keys/master.ts'),
  },
  {
    name: 'working',
    summary: 'the keys that encrypt records',
    group: 'Key hierarchy of a service',
    actions: ['list', 'rotate', 'remove'],
    load: () => import('./keys/working.ts'),
  },
  {
    name: 'audit',
    summary: 'what was done with the keys, by whom',
    group: 'Key hierarchy of a service',
    actions: ['list', 'verify'],
    load: () => import('./keys/audit.ts'),
  },
  {
    name: 'store',
    summary: 'the key store as a whole',
    group: 'Key hierarchy of a service',
    actions: ['accept-restore'],
    load: () => import('./keys/store.ts'),
  },
  {
    name: 'protect',
    summary: 'encrypt a record for its entity',
    group: 'Key hierarchy of a service',
    load: () => import('./keys/protect.ts'),
  },
  {
    name: 'unprotect',
    summary: 'open a protected record',
    group: 'Key hierarchy of a service',
    load: () => import('./keys/unprotect.ts'),
  },
  {
    name: 'reencrypt',
    summary: 'bring the records of a table under the current key',
    group: 'Key hierarchy of a service',
    load: () => import('./keys/reencrypt.ts'),
  },
  {
    name: 'completion',
    summary: 'print what completes commands on Tab, for bash, zsh or fish',
    group: 'This command',
    load: () => import('./completion.ts'),
  },
];

/** Every command as it is typed, an action behind the command that has it. */
export function commandNames(): string[] {
  return COMMANDS.flatMap(({ name, actions = [], doesWorkItself }) => [
    ...(actions.length === 0 || doesWorkItself ? [name] : []),
    ...actions.map((action) => `${name} ${action}`),
  ]);
}

export const DESCRIPTION = 'Encrypts what phone calls leave behind, in the system’s OpenSSL FIPS module.';

const PROGRAM_HELP = `
Examples:
  callseal keygen --subject "/C=US/O=MyCompany/CN=MyCompany" --key my_private.key --cert my_cert.crt
  callseal encrypt -r my_cert.crt call.callsre          makes call.callsre.sealed
  callseal inspect call.callsre.sealed
  callseal decrypt -k my_private.key call.callsre.sealed
  callseal protect models --type claimant --id c-41 < template > template.sealed

callseal COMMAND --help shows options and examples of a command.`;

/** In place of a command's name: {@link buildProgram} defines all of them. */
export const EVERY_COMMAND = Symbol('every command');

/**
 * The program as commander has it. All commands have names and summaries, and what was asked for has arguments, options and
 * help besides.
 */
export async function buildProgram(wanted: string | typeof EVERY_COMMAND | undefined): Promise<Command> {
  const { Command } = await import('commander');
  const program = new Command('callseal')
    .description(DESCRIPTION)
    .version(version())
    .commandsGroup('This command:')
    .helpCommand('help [command]', 'show the help of a command')
    .addHelpText('after', PROGRAM_HELP)
    .exitOverride()
    .configureOutput({ outputError: () => {} });
  const everyCommand = () => buildProgram(EVERY_COMMAND);
  for (const { name, summary, group, load } of COMMANDS) {
    const command = program.command(name).description(summary).summary(summary).helpGroup(`${group}:`);
    if (wanted === EVERY_COMMAND || name === wanted) (await load()).define(command, everyCommand);
  }
  return program;
}
