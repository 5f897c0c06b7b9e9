/** Completes command lines in the real shells. */

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { tempDir } from './temp.ts';

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

/**
 * An interactive bash, as only readline completes files: M-* puts all candidates into the line, and the line then calls a
 * function that writes down its words.
 */
function bash(script: string, lines: readonly string[], cwd: string): string[][] {
  const heard = join(tempDir(), 'heard');
  const begin = `source '${script}'; callseal() { printf '%s\\0' "$@" $'\\n' >> '${heard}'; }; `;
  const typed = [`${begin}bind '"\\x18": insert-completions'`, ...lines.map((line) => `${line}\x18`), 'exit', ''];
  execFileSync('script', ['-qec', 'bash --norc --noprofile -i', '/dev/null'], {
    cwd,
    input: typed.join('\r'),
    timeout: 55_000,
    env: { ...process.env, LC_ALL: 'C.UTF-8', TERM: 'dumb', HISTFILE: '/dev/null' },
  });
  const calls = readFileSync(heard, 'utf8').split('\0\n\0').slice(0, -1);
  if (calls.length !== lines.length) throw new Error(`bash heard ${calls.length} of ${lines.length} lines`);
  // The words before the last were typed.
  return calls.map((call, index) =>
    call
      .split('\0')
      .slice(lines[index]!.split(/(?<!\\) /).length - 2)
      .map(plain)
      .sort(),
  );
}

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
  bash,
  zsh: (script, lines, cwd) =>
    lines.flatMap((line) => run('zsh', ['-f', join(import.meta.dirname, 'complete.zsh'), script, line], cwd)),
  fish: (script, lines, cwd) =>
    run('fish', ['--no-config', '-c', FISH, script, ...lines], cwd).map((candidates) => candidates.map(plain)),
};
