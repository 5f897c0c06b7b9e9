/** What Tab completes, in the real shells. */

import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildProgram, COMMANDS, EVERY_COMMAND } from '../lib/cli/commands.ts';
import { bashCompletion } from '../lib/cli/completion/bash.ts';
import { fishCompletion } from '../lib/cli/completion/fish.ts';
import { zshCompletion } from '../lib/cli/completion/zsh.ts';
import { type CommandDefinition, describeProgram, everyCommand } from '../lib/cli/definition.ts';
import { callseal } from './helpers/cli.ts';
import { COMPLETERS } from './helpers/shells.ts';
import { tempDir } from './helpers/temp.ts';

const program = describeProgram(await buildProgram(EVERY_COMMAND));

/** A directory with a file and a directory whose names begin alike. */
function place(): string {
  const dir = tempDir();
  writeFileSync(join(dir, 'call.callsre'), 'x');
  mkdirSync(join(dir, 'calls'));
  return dir;
}

const isThere = (name: string): boolean => {
  try {
    execFileSync(name, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};

/** What is typed, and what it may become. */
const CASES: Record<string, string[]> = {
  'callseal enc': ['encrypt'],
  'callseal recipients ': ['add', 'list', 'remove', 'replace'],
  'callseal installation ver': ['verify-backup'],
  'callseal encrypt --we': ['--weak'],
  'callseal recipients add --not': ['--not-yet-valid'],
  'callseal encrypt --weak ': ['refuse', 'skip', 'warn'],
  'callseal encrypt --weak=s': ['skip'],
  'callseal agent --log-level w': ['warn'],
  // The value of an option is no command.
  'callseal worker --root calls st': ['status'],
  'callseal encrypt ca': ['call.callsre', 'calls'],
  'callseal decrypt -k ca': ['call.callsre', 'calls'],
  'callseal report ca': ['calls'],
  'callseal encrypt --output-dir ca': ['calls'],
  'callseal completion f': ['fish'],
  'callseal help reen': ['reencrypt'],
};

const SCRIPTS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const;

describe.each(['bash', 'zsh', 'fish'] as const)('in %s', (shell) => {
  const there = isThere(shell);

  it.runIf(there)(
    `${there ? '' : `(${shell} is not installed) `}completes as the help has it`,
    () => {
      const dir = place();
      const script = join(dir, '_callseal');
      writeFileSync(script, SCRIPTS[shell](program));
      const lines = Object.keys(CASES);
      const found = COMPLETERS[shell](script, lines, dir);
      expect(Object.fromEntries(lines.map((line, index) => [line, found[index]]))).toEqual(CASES);
    },
    180_000,
  );

  it('has every command and every option', () => {
    const script = SCRIPTS[shell](program);
    for (const command of everyCommand(program)) {
      for (const name of [...command.path, ...command.options.flatMap(({ names }) => names)]) {
        // fish writes options without their dashes.
        expect(script).toContain(shell === 'fish' ? name.replace(/^--?/, '') : name);
      }
    }
  });

  it('is printed, the same for every user and host', async () => {
    const env = { HOME: '/nowhere', TMPDIR: '/nowhere', XDG_DATA_HOME: '/nowhere', CALLSEAL_STORE: 'sqlite:/nowhere' };
    const { status, stdout } = await callseal(['completion', shell], { env });
    expect([status, stdout.toString()]).toEqual([0, SCRIPTS[shell](program)]);
  });
});

it('names of files are completed whole in bash, whatever is in them', () => {
  const dir = tempDir();
  const files = ['odd name', 'odd\nname', "odd'name", 'odd"$name', 'odd*name'];
  for (const name of files) writeFileSync(join(dir, name), 'x');
  mkdirSync(join(dir, 'odd dir\nhere'));
  const script = join(dir, '_callseal');
  writeFileSync(script, bashCompletion(program));
  const cases: Record<string, string[]> = {
    'callseal encrypt odd': [...files, 'odd dir\nhere'].sort(),
    'callseal decrypt -k odd\\ n': ['odd name'],
    'callseal decrypt --key=odd\\ n': ['odd name'],
    'callseal report odd': ['odd dir\nhere'],
    'callseal encrypt --output-dir odd': ['odd dir\nhere'],
  };
  const found = COMPLETERS.bash(script, Object.keys(cases), dir);
  expect(Object.fromEntries(Object.keys(cases).map((line, index) => [line, found[index]]))).toEqual(cases);
});

describe('the definitions', () => {
  const find = (...path: string[]): CommandDefinition =>
    everyCommand(program).find((command) => command.path.join(' ') === path.join(' '))!;

  it('are of all commands, and of all of theirs', () => {
    const paths = everyCommand(program).map(({ path }) => path.join(' '));
    const listed = COMMANDS.flatMap(({ name, actions = [] }) => [
      name,
      ...actions.map((action) => `${name} ${action}`),
    ]);
    expect(paths.sort()).toEqual(['', 'help', ...listed].sort());
  });

  it('know what an option takes, and leave out what the help hides', () => {
    const option = (name: string) => find('encrypt').options.find(({ names }) => names.includes(name));
    expect(option('-r')).toMatchObject({ repeatable: true, value: { kind: 'file' } });
    expect(option('--weak')?.value).toMatchObject({ kind: 'choice', choices: ['refuse', 'warn', 'skip'] });
    expect(option('--in-place')?.value).toBeNull();
    expect(find('decrypt').options.flatMap(({ names }) => names)).not.toContain('--password');
  });
});

describe('callseal completion', () => {
  it('refuses a shell that it has no script for', async () => {
    const { status, stderr } = await callseal(['completion', 'tcsh']);
    expect([status, stderr]).toEqual([2, expect.stringContaining('Allowed choices are bash, zsh, fish')]);
  });
});
