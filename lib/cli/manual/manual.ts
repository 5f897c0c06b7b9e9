/** The manual page callseal(1), made of the definitions of the commands. */

import { buildProgram, DESCRIPTION, EVERY_COMMAND } from '../commands.ts';
import {
  type ArgumentDefinition,
  type CommandDefinition,
  describeProgram,
  everyCommand,
  type OptionDefinition,
} from '../definition.ts';
import { ENVIRONMENT } from '../environment.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import { bold, entry, escaped, filled, heading, italic, verbatim } from './roff.ts';

/** Of the last change of what is written here by hand. The page is the same whenever it is made. */
const DATE = '2026-11-22';

const FILES: readonly (readonly [path: string, what: string])[] = [
  ['/etc/lumenvox/client_property.conf', 'lists the certificates to encrypt for: LOGGING_ENCRYPTION_KEY'],
  ['/var/lumenvox/responses', 'what the agent encrypts unless told otherwise'],
  ['/etc/callseal/installation', 'the installation key of root; of others callseal/installation in $XDG_CONFIG_HOME'],
  ['/var/lib/callseal', 'what this host remembers of key stores, for root; of others callseal in $XDG_STATE_HOME'],
  ['/usr/local/lib/callseal/fips', 'the FIPS module that callseal fips install puts there'],
];

/**
 * Loads every command and writes the page.
 *
 * @param version of the package
 * @returns roff with the macros of man(7)
 */
export async function manualPage(version: string): Promise<string> {
  const program = describeProgram(await buildProgram(EVERY_COMMAND));
  const parts = [
    `.TH CALLSEAL 1 "${DATE}" "Callseal ${escaped(version)}" "User Commands"`,
    heading(1, 'NAME'),
    'callseal \\- encrypts what phone calls leave behind',
    heading(1, 'SYNOPSIS'),
    `${bold('callseal')} ${italic('command')} [${italic('option')} ...] [${italic('argument')} ...]`,
    heading(1, 'DESCRIPTION'),
    filled(DESCRIPTION),
    ...texts(program.text),
    ...overview(program),
    ...everyCommand(program)
      .filter(({ path }) => path.length > 0)
      .flatMap(commandSection),
    heading(1, 'EXIT STATUS'),
    ...EXIT_CODES.map(exitCode),
    heading(1, 'ENVIRONMENT'),
    ...ENVIRONMENT.map(({ names, effect }) => entry(names.map(bold).join(', '), effect)),
    heading(1, 'FILES'),
    ...FILES.map(([path, what]) => entry(italic(path), what)),
    heading(1, 'SEE ALSO'),
    filled('docs/cli.md, docs/operations.md, docs/keys.md and docs/fips.md of the package;'),
    `${bold('openssl')}(1), ${bold('systemd.exec')}(5)`,
  ];
  return `${parts.join('\n')}\n`;
}

/** What there is, before each is described. */
function overview({ commands, options }: CommandDefinition): string[] {
  const groups = [...new Set(commands.map(({ group }) => group))];
  const listed = groups.flatMap((group) => [
    heading(2, group),
    ...commands.filter((command) => command.group === group).map(({ path, summary }) => entry(bold(path[0]!), summary)),
  ]);
  return [heading(1, 'COMMANDS'), ...listed, heading(1, 'OPTIONS'), ...options.map(optionEntry)];
}

function commandSection(command: CommandDefinition): string[] {
  const { path, usage, summary, options, text } = command;
  const name = `callseal ${path.join(' ')}`;
  return [
    heading(path.length === 1 ? 1 : 2, path.length === 1 ? name.toUpperCase() : name),
    `${bold(name)} ${escaped(usage)}`,
    '.PP',
    filled(`${capital(summary)}.`),
    ...command.arguments.map(argumentEntry),
    ...options.map(optionEntry),
    ...texts(text),
  ];
}

function capital(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

function argumentEntry({ term, description }: ArgumentDefinition): string {
  return entry(italic(term), description);
}

/** `-r, --recipient <cert>`: names in bold, what they take in italics. */
function optionEntry({ flags, description }: OptionDefinition): string {
  const [, names = flags, value = ''] = /^([^<[]*?)( ?[<[].*)?$/.exec(flags) ?? [];
  const term = names.split(', ').map(bold).join(', ');
  return entry(value === '' ? term : `${term} ${italic(value.trim())}`, description);
}

/** Paragraphs; examples, and what is indented as they are, line by line. */
function texts(text: string): string[] {
  return text
    .split(/\n{2,}/)
    .filter((paragraph) => paragraph.trim() !== '')
    .flatMap((paragraph) => {
      if (!/^ {2}/m.test(paragraph)) return ['.PP', filled(paragraph)];
      const [first = '', ...rest] = paragraph.split('\n');
      return /^ {2}/.test(first)
        ? ['.PP', verbatim(paragraph)]
        : ['.PP', filled(first), '.PP', verbatim(rest.join('\n'))];
    });
}

function exitCode({ code, meaning, errors }: (typeof EXIT_CODES)[number]): string {
  return entry(bold(String(code)), errors.length === 0 ? meaning : `${meaning}: ${errors.join(', ')}`);
}
