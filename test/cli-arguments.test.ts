/**
 * Any command line, in any order, with any values: it ends with a documented exit code and a message, writes nowhere but
 * where it was told to, and leaves alone what is there unless it was told otherwise.
 */

import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, expect, it } from 'vitest';

import { commandNames } from '../lib/cli/commands.ts';
import { EXIT_CODES } from '../lib/cli/exit-codes.ts';
import { encryptFile, Recipients } from '../lib/index.ts';
import { listingOf } from './helpers/command-folder.ts';
import { type CommandLoop, type LoopRun, startCommandLoop } from './helpers/command-loop.ts';
import { makeKeyPair } from './helpers/keys.ts';
import { tempDir } from './helpers/temp.ts';

/** They take long, run for ever, or change the machine: only what they say to a wrong line is looked at. */
const NEVER_RUN: ReadonlySet<string> = new Set(['bench', 'fips', 'agent', 'desk']);
const REPLACES = ['--force', '--in-place', '-f'];
const PATIENCE = 30_000;
/** With CALLSEAL_RUNS, as many as somebody has time for. */
const RUNS = Number(process.env.CALLSEAL_RUNS ?? 150);
const DOCUMENTED = new Set(EXIT_CODES.map(({ code }) => code));

const sandbox = tempDir();
const work = join(sandbox, 'work');
let loop: CommandLoop;
let lines: Line[];

beforeAll(async () => {
  for (const name of ['work', 'work/dir', 'home', 'tmp', 'state']) mkdirSync(join(sandbox, name));
  const { certificate } = makeKeyPair(work);
  makeKeyPair(join(work, 'dir'), { name: 'other', passphrase: 'secret' });
  writeFileSync(join(work, 'call'), 'what the caller said');
  writeFileSync(join(work, 'dir/call'), 'what another said');
  const recipients = await Recipients.load([certificate]);
  await encryptFile(join(work, 'call'), join(work, 'call.sealed'), { recipients });
  const state = join(sandbox, 'state');
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('CALLSEAL_'));
  const own = { HOME: join(sandbox, 'home'), TMPDIR: join(sandbox, 'tmp'), CALLSEAL_STATE_DIR: state };
  const env = { ...Object.fromEntries(inherited), ...own };
  loop = await startCommandLoop(work, env, PATIENCE);
  lines = await vocabulary();
});

/** A command, its action if it has one, and what may follow. */
interface Line {
  start: string[];
  options: string[];
}

/** All lines there are, from the commands and their help: what is added later is tried, too. */
async function vocabulary(): Promise<Line[]> {
  const found: Line[] = [];
  for (const name of commandNames()) {
    const start = name.split(' ');
    const { stdout, status } = await loop.run([...start, '--help']);
    expect(status, name).toBe(0);
    const options = [...stdout.matchAll(/^ {2}(?:(-[a-zA-Z]), )?(--[a-z][a-z0-9-]*)/gm)];
    found.push({ start, options: options.flatMap(([, short, long]) => (short ? [short, long!] : [long!])) });
  }
  return found;
}

const values = fc.oneof(
  fc.constantFrom('call', 'call.sealed', 'dir', 'dir/call', 'my_cert.crt', 'my_private.key', 'dir/other_private.key'),
  fc.constantFrom(
    'missing',
    '-',
    '--',
    '',
    ' ',
    'CN=a',
    'C=US/CN=a',
    'sqlite:keys.db',
    'sqlite:',
    'postgres:',
    'file:x',
  ),
  fc.constantFrom('0', '1', '-1', '1.5', '1e9', 'NaN', '0x10', '99999999999999999999', '5-9', '9-5', '-5', 'refuse'),
  // No absolute path and no way up: what is written must stay where it can be seen. No descriptor that the test has open.
  fc.string({ unit: 'binary', maxLength: 12 }).map((text) => text.replace(/[/\0]/g, '_').replace(/^(\.\.?|\d)$/, '_')),
);

/** What many command lines need before they do anything. */
const useful: fc.Arbitrary<readonly string[]> = fc.constantFrom(
  ['-r', 'my_cert.crt'],
  ['-k', 'my_private.key'],
  ['-k', 'dir/other_private.key'],
  ['--passphrase-file', 'call'],
  ['-o', 'out'],
  ['--output-dir', 'new'],
  ['--store', 'sqlite:keys.db'],
  ['--recursive'],
  ['--force'],
  ['--json'],
);

function words(own: readonly string[]): fc.Arbitrary<readonly string[]> {
  const all = lines.flatMap(({ options }) => options);
  const option = fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...own) }, fc.constantFrom(...all));
  return fc.oneof(
    { weight: 4, arbitrary: useful },
    { weight: 2, arbitrary: option.map((name) => [name]) },
    { weight: 3, arbitrary: fc.tuple(option, values).map(([name, value]) => [name, value]) },
    { weight: 1, arbitrary: fc.tuple(option, values).map(([name, value]) => [`${name}=${value}`]) },
    { weight: 4, arbitrary: values.map((value) => [value]) },
  );
}

/** Made once the lines are known. */
function commandLine(): fc.Arbitrary<string[]> {
  const known = fc.constantFrom(...lines).chain(({ start, options }) => {
    const first = NEVER_RUN.has(start[0]!) ? [...start, '--no-such-option'] : start;
    return fc.array(words(options), { maxLength: 6 }).map((rest) => [...first, ...rest.flat()]);
  });
  const unknown = fc.array(values, { maxLength: 4 });
  return fc.oneof({ weight: 9, arbitrary: known }, { weight: 1, arbitrary: unknown });
}

function expectCivil({ status, stdout, stderr, crashes }: LoopRun): void {
  expect(crashes).toEqual([]);
  expect(stderr).not.toMatch(/^\s+at .*:\d+:\d+/m);
  expect(stderr).not.toContain('unexpected failure');
  expect(DOCUMENTED.has(status), `exit code ${status}: ${stderr}`).toBe(true);
  expect(status, stderr).not.toBe(1);
  if (status !== 0) expect(stdout + stderr).not.toBe('');
}

it(
  'ends with a documented code and a message, and touches nothing it was not told to',
  async () => {
    const before = listingOf(work);
    const originals = [...before.keys()];
    await fc.assert(
      fc.asyncProperty(commandLine(), async (args) => {
        expectCivil(await loop.run(args));
        const mayReplace = args.some((arg) => REPLACES.some((option) => arg.startsWith(option)));
        const after = listingOf(work);
        for (const name of originals) {
          if (mayReplace) before.set(name, after.get(name) ?? 'gone');
          else expect(after.get(name) ?? 'gone', name).toBe(before.get(name));
        }
      }),
      { numRuns: RUNS, interruptAfterTimeLimit: RUNS * 150 },
    );
    for (const name of ['home', 'tmp']) expect(readdirSync(join(sandbox, name)), name).toEqual([]);
    expect(readdirSync(sandbox).sort()).toEqual(['home', 'state', 'tmp', 'work']);
  },
  60_000 + RUNS * 200,
);
