/** Completion for bash. Needs nothing of the package bash-completion, which loads it by its file name. */

import { type CommandDefinition, everyCommand, type ValueDefinition } from '../definition.ts';
import { pathText, quoted } from './words.ts';

/** @returns the script; `\n` at its end. */
export function bashCompletion(program: CommandDefinition): string {
  const commands = everyCommand(program);
  return `${HEAD}
# What may follow a command: sets commands, options and arguments.
_callseal_command() {
  commands= options= arguments=
  case $1 in
${commands.map(commandCase).join('\n')}
  esac
}

# What an option of a command takes: sets value; empty for a switch.
_callseal_value() {
  value=
  case "$1 $2" in
${commands.flatMap(valueCases).join('\n')}
  esac
}
${TAIL}`;
}

function commandCase(command: CommandDefinition): string {
  const commands = command.commands.map(({ path }) => path.at(-1)!).join(' ');
  const options = command.options.flatMap(({ names }) => names).join(' ');
  const kinds = command.arguments.map(({ value }) => kindText(value));
  const parts = [
    ...(commands === '' ? [] : [`commands=${quoted(commands)}`]),
    `options=${quoted(options)}`,
    ...(kinds.length === 0 ? [] : [`arguments=${quoted(kinds[0]!)}`]),
  ];
  return `    ${quoted(pathText(command))}) ${parts.join(' ')} ;;`;
}

function valueCases(command: CommandDefinition): string[] {
  return command.options.flatMap(({ names, value }) => {
    if (value === null) return [];
    const patterns = names.map((name) => quoted(`${pathText(command)} ${name}`)).join(' | ');
    return [`    ${patterns}) value=${quoted(kindText(value))} ;;`];
  });
}

function kindText({ kind, choices }: ValueDefinition): string {
  return kind === 'choice' ? `choice ${choices.join(' ')}` : kind;
}

const HEAD = `# bash completion for callseal, made by: callseal completion bash
`;

const TAIL = `
# Files are left to readline: it alone knows names with spaces and line breaks, and quotes.
_callseal_offer() {
  case $1 in
    file) compopt -o default ;;
    directory) compopt -o dirnames ;;
    'choice '*) mapfile -t COMPREPLY < <(compgen -W "\${1#choice }" -- "$2") ;;
  esac
}

_callseal() {
  local cur=\${COMP_WORDS[COMP_CWORD]} path= commands options arguments value pending= only_files= word i
  COMPREPLY=()
  _callseal_command ''
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if [[ -n $pending ]]; then
      # --option=value comes as three words.
      [[ $word == '=' ]] || pending=
    elif [[ $word == '--' ]]; then
      only_files=1
    elif [[ -z $only_files && $word == -* ]]; then
      _callseal_value "$path" "$word"
      pending=$value
    elif [[ -z $only_files && " $commands " == *" $word "* ]]; then
      path=\${path:+$path }$word
      _callseal_command "$path"
    fi
  done
  if [[ -n $pending ]]; then
    [[ $cur == '=' ]] && cur=
    _callseal_offer "$pending" "$cur"
  elif [[ -z $only_files && $cur == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
  elif [[ -n $commands ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$cur")
  else
    _callseal_offer "$arguments" "$cur"
  fi
}

complete -F _callseal callseal
`;
