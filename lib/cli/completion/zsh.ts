/** Completion for zsh, with its own `_arguments`. */

import {
  type ArgumentDefinition,
  type CommandDefinition,
  everyCommand,
  type OptionDefinition,
  type ValueDefinition,
} from '../definition.ts';
import { quoted } from './words.ts';

/** @returns the script; `\n` at its end. */
export function zshCompletion(program: CommandDefinition): string {
  return `#compdef callseal
# zsh completion for callseal, made by: callseal completion zsh

${everyCommand(program).map(commandFunction).join('\n\n')}

if [[ $funcstack[1] == _callseal ]]; then
  _callseal "$@"
else
  compdef _callseal callseal
fi
`;
}

function nameOf({ path }: CommandDefinition): string {
  return ['_callseal', ...path].join('_').replaceAll('-', '_');
}

function commandFunction(command: CommandDefinition): string {
  const specs = command.options.map(optionSpec);
  if (command.commands.length > 0) return groupFunction(command, specs);
  const all = [...specs, ...command.arguments.map(argumentSpec)];
  return `${nameOf(command)}() {\n  _arguments -s -S ${all.join(' \\\n    ')}\n}`;
}

function groupFunction(command: CommandDefinition, specs: readonly string[]): string {
  const listed = command.commands.map(
    ({ path, summary }) => `        ${quoted(`${path.at(-1)}:${summary.replaceAll(':', '\\:')}`)}`,
  );
  const calls = command.commands.map((child) => `        ${child.path.at(-1)}) ${nameOf(child)} ;;`);
  return `${nameOf(command)}() {
  local context state state_descr line
  typeset -A opt_args
  _arguments -C ${[...specs, "'1: :->command'", "'*:: :->words'"].join(' \\\n    ')}
  case $state in
    command)
      local -a commands=(
${listed.join('\n')}
      )
      _describe -t commands command commands
      ;;
    words)
      case $line[1] in
${calls.join('\n')}
      esac
      ;;
  esac
}`;
}

function optionSpec({ names, description, value, repeatable }: OptionDefinition): string {
  const explanation = `[${description.replace(/[[\]\\]/g, '\\$&')}]`;
  const takes = value === null ? '' : `:${value.name}:${action(value)}`;
  const before = repeatable ? '*' : names.length > 1 ? `(${names.join(' ')})` : '';
  const marked = names.map((name) => (value === null ? name : `${name}${name.startsWith('--') ? '=' : '+'}`));
  const word = marked.length > 1 ? `{${marked.join(',')}}` : marked[0]!;
  return `${before === '' ? '' : quoted(before)}${word}${quoted(`${explanation}${takes}`)}`;
}

function argumentSpec({ term, value }: ArgumentDefinition): string {
  const variadic = term.includes('...');
  return quoted(`${variadic ? '*' : ''}:${value.name}:${action(value)}`);
}

function action({ kind, choices }: ValueDefinition): string {
  if (kind === 'file') return '_files';
  if (kind === 'directory') return '_files -/';
  return kind === 'choice' ? `(${choices.join(' ')})` : ' ';
}
