/**
 * The command line as data: commands, options and arguments as they are defined for `--help`. Completion and manual are made
 * of it, so that neither can say anything else.
 */

import type { Argument, Command, Option } from 'commander';

/** What a word may be: a path, one of some words, or something that nobody can list. */
export type ValueKind = 'file' | 'directory' | 'choice' | 'other';

export interface ValueDefinition {
  /** As the help has it between `<` and `>`. */
  readonly name: string;
  readonly kind: ValueKind;
  /** For `choice`. */
  readonly choices: readonly string[];
}

export interface OptionDefinition {
  /** `-r, --recipient <cert>`. */
  readonly flags: string;
  /** `-r`, `--recipient`: one or both. */
  readonly names: readonly string[];
  /** With choices and default, as the help has it. */
  readonly description: string;
  /** Null for a switch. */
  readonly value: ValueDefinition | null;
  readonly repeatable: boolean;
}

export interface ArgumentDefinition {
  /** `<file...>`, `[batch]`. */
  readonly term: string;
  readonly description: string;
  readonly value: ValueDefinition;
}

export interface CommandDefinition {
  /** `['recipients', 'add']`; empty for callseal itself. */
  readonly path: readonly string[];
  readonly summary: string;
  /** What the overview lists it under; empty for commands of commands. */
  readonly group: string;
  /** What comes after `callseal PATH`. */
  readonly usage: string;
  readonly options: readonly OptionDefinition[];
  readonly arguments: readonly ArgumentDefinition[];
  /** What follows the options in the help: explanation and examples. */
  readonly text: string;
  readonly commands: readonly CommandDefinition[];
}

/** The names of values that are paths. */
const FILES: ReadonlySet<string> = new Set(['file', 'cert']);
const DIRECTORIES: ReadonlySet<string> = new Set(['dir']);

/** @param program with every command defined */
export function describeProgram(program: Command): CommandDefinition {
  return describe(program, []);
}

/** The command itself and all below it. */
export function everyCommand(command: CommandDefinition): CommandDefinition[] {
  return [command, ...command.commands.flatMap(everyCommand)];
}

function describe(command: Command, path: readonly string[]): CommandDefinition {
  const help = command.createHelp();
  const commands = help.visibleCommands(command).map((child) => {
    const below = [...path, child.name()];
    return child.name() === 'help' ? describeHelp(child, below, command) : describe(child, below);
  });
  const hasActions = path.length > 0;
  return {
    path,
    summary: command.description(),
    group: path.length === 1 ? command.helpGroup().replace(/:$/, '') : '',
    usage: command.usage(),
    options: help.visibleOptions(command).map((option) => describeOption(option, help.optionDescription(option))),
    arguments: help.visibleArguments(command).map((argument) => describeArgument(argument, argument.description)),
    text: textAfterOptions(command),
    // Those of commands have `help`, too; nobody looks for it there.
    commands: hasActions ? commands.filter((child) => child.path.at(-1) !== 'help') : commands,
  };
}

/** Commander makes it, and defines it as `help [command]`. */
function describeHelp(command: Command, path: readonly string[], of: Command): CommandDefinition {
  const choices = of.commands.map((other) => other.name());
  const value: ValueDefinition = { name: 'command', kind: 'choice', choices };
  const description = 'whose help to show; all commands if left out';
  return {
    path,
    summary: command.description(),
    group: command.helpGroup().replace(/:$/, ''),
    usage: command.usage(),
    options: [],
    arguments: [{ term: '[command]', description, value }],
    text: '',
    commands: [],
  };
}

function describeOption(option: Option, description: string): OptionDefinition {
  const { flags, short, long, argChoices } = option;
  const name = /[<[]([^\]>.]+)(?:\.\.\.)?[\]>]/.exec(flags)?.[1];
  return {
    flags,
    names: [short, long].filter((word) => word !== undefined),
    description,
    value: name === undefined ? null : valueNamed(name, argChoices),
    repeatable: /\brepeatable\b/.test(description),
  };
}

function describeArgument(argument: Argument, description: string): ArgumentDefinition {
  const name = argument.name();
  const term = `${name}${argument.variadic ? '...' : ''}`;
  return {
    term: argument.required ? `<${term}>` : `[${term}]`,
    description,
    value: valueNamed(name, argument.argChoices),
  };
}

function valueNamed(name: string, choices: readonly string[] | undefined): ValueDefinition {
  if (choices !== undefined) return { name, kind: 'choice', choices };
  const kind = FILES.has(name) ? 'file' : DIRECTORIES.has(name) ? 'directory' : 'other';
  return { name, kind, choices: [] };
}

/** Commander writes it after what `helpInformation` gives. */
function textAfterOptions(command: Command): string {
  let written = '';
  command.configureOutput({
    writeOut: (text) => {
      written += text;
    },
  });
  command.outputHelp();
  return written.slice(command.helpInformation().length).trim();
}
