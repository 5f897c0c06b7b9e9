/** Completion for fish. */

import { type CommandDefinition, everyCommand, type OptionDefinition, type ValueDefinition } from '../definition.ts';
import { pathText } from './words.ts';

/** @returns the script; `\n` at its end. */
export function fishCompletion(program: CommandDefinition): string {
  const groups = program.commands.filter(({ commands }) => commands.length > 0);
  const lines = everyCommand(program).flatMap(commandLines);
  return `${HEAD}
    switch "$path"
${groups.map(groupCase).join('\n')}
    end
    echo $path
end

complete -c callseal -f
${lines.join('\n')}
`;
}

/** The second word of a command that has commands of its own. */
function groupCase({ path, commands }: CommandDefinition): string {
  const names = commands.map((command) => command.path.at(-1)!).join(' ');
  return `        case ${path[0]}
            for word in $words[2..-1]
                if contains -- $word ${names}
                    echo $path $word
                    return
                end
            end`;
}

function commandLines(command: CommandDefinition): string[] {
  const condition = `__callseal_path_is ${quoted(pathText(command))}`;
  const line = (rest: string): string => `complete -c callseal -n ${quoted(condition)} ${rest}`;
  return [
    ...command.commands.map((child) => line(`-a ${child.path.at(-1)} -d ${quoted(child.summary)}`)),
    ...command.arguments.slice(0, 1).flatMap(({ value }) => (value.kind === 'other' ? [] : [line(candidates(value))])),
    ...command.options.map((option) => line(optionPart(option))),
  ];
}

function optionPart({ names, description, value }: OptionDefinition): string {
  const words = names.map((name) => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`));
  const takes = value === null ? '' : ` -r ${candidates(value)}`;
  return `${words.join(' ')}${takes} -d ${quoted(description)}`;
}

function candidates({ kind, choices }: ValueDefinition): string {
  if (kind === 'file') return '-F';
  if (kind === 'directory') return '-f -a "(__fish_complete_directories (commandline -ct))"';
  return kind === 'choice' ? `-f -a ${quoted(choices.join(' '))}` : '-f';
}

/** Only these two have a meaning within fish's single quotes. */
function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

const HEAD = `# fish completion for callseal, made by: callseal completion fish

function __callseal_path_is
    set -l path (__callseal_path)
    test "$path" = "$argv[1]"
end

# The command that was typed: "", "encrypt", "recipients add".
function __callseal_path
    set -l tokens (commandline -opc)
    set -l words
    for token in $tokens[2..-1]
        string match -q -- '-*' $token; or set -a words $token
    end
    set -l path $words[1]`;
