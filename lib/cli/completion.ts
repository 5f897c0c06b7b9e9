/** `callseal completion`: the script with which a shell completes commands, options and files. */

import { Argument, type Command } from 'commander';
import { bashCompletion } from './completion/bash.ts';
import { fishCompletion } from './completion/fish.ts';
import { zshCompletion } from './completion/zsh.ts';
import { type CommandDefinition, describeProgram } from './definition.ts';

const SHELLS: Readonly<Record<string, (program: CommandDefinition) => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
};

const HELP = `
The script knows the commands of this release; make it anew after an upgrade. It does not run callseal.

Examples:
  callseal completion bash > /usr/share/bash-completion/completions/callseal
  callseal completion zsh > /usr/local/share/zsh/site-functions/_callseal
  callseal completion fish > ~/.config/fish/completions/callseal.fish
  source <(callseal completion bash)                    for this shell only, also in zsh`;

export function define(command: Command, everyCommand: () => Promise<Command>): void {
  command
    .addArgument(new Argument('<shell>', 'whose script to print').choices(Object.keys(SHELLS)))
    .addHelpText('after', HELP)
    .action((shell: string) => completionCommand(shell, everyCommand));
}

async function completionCommand(shell: string, everyCommand: () => Promise<Command>): Promise<void> {
  const script = SHELLS[shell]!(describeProgram(await everyCommand()));
  process.stdout.write(script);
}
