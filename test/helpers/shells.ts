/** Completes command lines in the real shells. */

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/** How a shell completes lines with a script: the candidates of each, sorted, each once. */
export type Completer = (script: string, lines: readonly string[], cwd: string) => string[][];

/** Programs print `== LINE`, then its candidates, a line each. */
function run(program: string, args: readonly string[], cwd: string): string[][] {
  const env = { ...process.env, LC_ALL: 'C.UTF-8' };
  const printed = execFileSync(program, args, { cwd, encoding: 'utf8', timeout: 55_000, env });
  return printed
    .split(/^== .*\n/m)
    .slice(1)
    .map((candidates) => [...new Set(candidates.split('\n').filter((line) => line !== ''))].sort());
}

/** What bash does with the words of a line when Tab is pressed behind it; `=` is a word of its own, as there. */
const BASH = `
source "$1"
complete -p callseal | grep -q _callseal || exit 1
compopt() { :; } # it works only where completion was begun by a key
for line in "\${@:2}"; do
  IFS=' ' read -ra COMP_WORDS <<< "\${line//=/ = }"
  [[ $line == *' ' || $line == *'=' ]] && COMP_WORDS+=('')
  COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
  _callseal
  echo "== $line"
  printf '%s\\n' "\${COMPREPLY[@]}"
done`;

const FISH = `
source $argv[1]
for line in $argv[2..-1]
  echo "== $line"
  complete -C$line
end`;

/** Behind a tab is what a candidate means; what follows = comes with what is before it; directories with a slash. */
function plain(candidate: string): string {
  return candidate
    .replace(/\t.*/, '')
    .replace(/^--.*=/, '')
    .replace(/\/$/, '');
}

export const COMPLETERS: Readonly<Record<'bash' | 'zsh' | 'fish', Completer>> = {
  bash: (script, lines, cwd) => run('bash', ['--norc', '-c', BASH, 'bash', script, ...lines], cwd),
  zsh: (script, lines, cwd) =>
    lines.flatMap((line) => run('zsh', ['-f', join(import.meta.dirname, 'complete.zsh'), script, line], cwd)),
  fish: (script, lines, cwd) =>
    run('fish', ['--no-config', '-c', FISH, script, ...lines], cwd).map((candidates) => candidates.map(plain)),
};
