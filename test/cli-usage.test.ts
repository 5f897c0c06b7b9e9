/** The command line itself: help, version, wrong usage, and the table of exit codes. */

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { EXIT_CODES, exitCodeOf, exitCodesAsMarkdown } from '../lib/cli/exit-codes.ts';
import { exitCodeFor } from '../lib/cli/output.ts';
import { CallsealError, ERROR_CODES } from '../lib/errors.ts';
import { callseal, onTerminal, shell } from './helpers/cli.ts';
import { tempDir } from './helpers/temp.ts';

/** Commands, and those of groups. */
const COMMANDS: Record<string, readonly string[]> = {
  keygen: [],
  encrypt: [],
  decrypt: [],
  inspect: [],
  tail: [],
  verify: [],
  'export-cms': [],
  'import-cms': [],
  recipients: ['list', 'add', 'remove', 'replace'],
  rekey: [],
  worker: ['status'],
  config: ['check'],
  installation: ['request', 'install', 'show', 'export', 'import', 'verify-backup'],
  master: ['list', 'create', 'rotate', 'disable', 'enable', 'remove'],
  working: ['list', 'rotate', 'remove'],
  audit: ['list', 'verify'],
  store: ['accept-restore'],
  protect: [],
  unprotect: [],
  reencrypt: [],
  agent: [],
  'which-key': [],
  report: [],
  status: [],
  doctor: [],
  bench: [],
  fips: ['install'],
  completion: [],
};
const project = (path: string): URL => new URL(`../${path}`, import.meta.url);

describe('help and version', () => {
  it('prints the version of the package and nothing else', async () => {
    const { version } = JSON.parse(readFileSync(project('package.json'), 'utf8')) as { version: string };
    for (const option of ['--version', '-V']) {
      const run = await callseal([option]);
      expect([run.status, run.stdout.toString(), run.stderr]).toEqual([0, `${version}\n`, '']);
    }
  });

  it('lists every command', async () => {
    const run = await callseal(['--help']);
    expect(run.status).toBe(0);
    for (const command of Object.keys(COMMANDS))
      expect(run.stdout.toString()).toMatch(new RegExp(`^ {2}${command} `, 'm'));
  });

  const lines = Object.entries(COMMANDS).flatMap(([name, actions]) => [
    name,
    ...actions.map((action) => `${name} ${action}`),
  ]);

  it.each(lines)('has help for %s', async (line) => {
    const run = await callseal([...line.split(' '), '--help']);
    expect([run.status, run.stderr]).toEqual([0, '']);
    expect(run.stdout.toString()).toContain(`Usage: callseal ${line}`);
    // One empty line between paragraphs, one kind of apostrophe.
    expect(run.stdout.toString()).not.toMatch(/\n\n\n|[a-z]'s /);
    const isGroup = (COMMANDS[line] ?? []).length > 0;
    if (!isGroup) expect(run.stdout.toString()).toMatch(new RegExp(`Examples:\n {2}callseal ${line}`));
    for (const action of COMMANDS[line] ?? [])
      expect(run.stdout.toString()).toMatch(new RegExp(`^ {2}${action} `, 'm'));
  });

  it('lists commands in groups', async () => {
    const help = (await callseal(['--help'])).stdout.toString();
    const groups = ['Files', 'Recording hosts', 'Who can open files', 'Key hierarchy of a service', 'This command'];
    expect([...help.matchAll(/^([A-Z][^:\n]*):$/gm)].map(([, title]) => title)).toEqual([
      'Options',
      ...groups,
      'Examples',
    ]);
  });

  it('has the same help behind the word help', async () => {
    const [word, option] = [await callseal(['help', 'encrypt']), await callseal(['encrypt', '--help'])];
    expect(word.stdout.toString()).toBe(option.stdout.toString());
  });

  it('says that what help is wanted for is no command', async () => {
    const run = await callseal(['help', 'encrpyt']);
    expect([run.status, run.stdout.toString()]).toEqual([2, '']);
    expect(run.stderr).toMatch(/^Usage: callseal.*callseal: unknown command 'encrpyt'\n$/s);
  });

  it('shows help and ends with 2 when no command is given', async () => {
    const run = await callseal([]);
    expect([run.status, run.stdout.toString()]).toEqual([2, '']);
    expect(run.stderr).toContain('Usage: callseal');
  });
});

describe('wrong usage', () => {
  it.each([
    [['encrpt', 'x'], "callseal: unknown command 'encrpt' (Did you mean encrypt?)", 'callseal --help'],
    [
      ['inspect', '--josn', 'x'],
      "callseal: inspect: unknown option '--josn' (Did you mean --json?)",
      'callseal inspect --help',
    ],
    [['inspect'], "callseal: inspect: missing required argument 'file'", 'callseal inspect --help'],
    [
      ['decrypt', 'x.sealed'],
      "callseal: decrypt: required option '-k, --key <file>' not specified",
      'callseal decrypt --help',
    ],
    [
      ['encrypt', '-r', 'c', '--weak', 'maybe', 'x'],
      'Allowed choices are refuse, warn, skip',
      'callseal encrypt --help',
    ],
    [['config', 'chekc'], "callseal: config: unknown command 'chekc' (Did you mean check?)", 'callseal config --help'],
  ])('%j ends with 2 and a hint', async (args, message, hint) => {
    const run = await callseal(args);
    expect([run.status, run.stdout.toString()]).toEqual([2, '']);
    expect(run.stderr).toContain(message);
    expect(run.stderr).toContain(`callseal: hint: ${hint}`);
  });

  it.each([
    [['encrypt', 'a', 'b', '-r', 'c', '-o', 'd'], '-o names one output, but there are 2 files'],
    [['encrypt', 'a', '-r', 'c', '-o', 'd', '--in-place'], '-o and --in-place cannot be used together'],
    [['encrypt', 'a', '-r', 'c', '--in-place', '--no-sync'], '--in-place always syncs'],
    [['encrypt', 'a', '-r', 'c', '--suffix', ''], '--suffix takes at least one character'],
    [['desk', '--suffix', ''], '--suffix takes at least one character'],
    [['desk', '--suffix', '/x'], '--suffix takes at least one character'],
    [['report', '.', '--suffix', '.a\u001b[2J'], '--suffix takes at least one character'],
    [['encrypt', 'a', '-r', 'c', '--suffix', '/x'], 'without a slash'],
    [['encrypt', 'a', '-r', 'c', '--min-recipients', '0'], '--min-recipients takes a number from 1'],
    [['export-cms', '-k', 'k', 'x.sealed'], 'give the certificates to encrypt for: -r CERT or --config FILE'],
    [['recipients', 'remove', '-k', 'k', 'x'], 'give the recipients to remove: --cert FILE or --match MATCH'],
    [['recipients', 'replace', '-k', 'k', 'x'], 'give the recipients to replace: --old CERT or --match MATCH'],
    [['worker', '-k', 'k'], 'give the queue: --queue postgres://USER@HOST/DATABASE'],
    [['agent', '-r', 'c', '--no-recipients', 'spool'], 'give the certificate for --no-recipients spool: --escrow CERT'],
    [['encrypt', 'bin', '-r', 'c'], 'bin: is a directory; give --recursive'],
    [['inspect', '-'], '- (standard input) cannot be examined; give a file'],
    [['verify', '-k', 'k', '-'], '- (standard input) cannot be examined; give a file'],
    [['encrypt', '-', 'a', '-r', 'c'], 'cannot be given together with other files'],
    [['encrypt', '-', '-r', 'c', '--in-place'], 'has no name to derive one from'],
    [['encrypt', 'package.json', '-r', 'c', '--config', 'd'], '-r and --config cannot be used together'],
    [
      ['decrypt', '-k', 'k', 'package.json'],
      'package.json: does not end in .sealed; give -o OUT or --output-dir DIR for the result',
    ],
    [
      ['decrypt', '-k', 'k', '--passphrase-fd', 'three', 'x.sealed'],
      '--passphrase-fd takes the number of a descriptor',
    ],
  ])('%j is refused', async (args, message) => {
    const run = await callseal(args, { cwd: new URL('..', import.meta.url).pathname });
    expect(run.stderr).toContain(message);
    expect([run.status, run.stdout.toString()]).toEqual([2, '']);
  });

  it.each([[['--passphrase', 'hunter2']], [['--passphrase=hunter2']], [['--password', 'hunter2']]])(
    'never takes a passphrase as an argument: %j',
    async (words) => {
      for (const command of [
        ['decrypt', '-k', 'k', 'x.sealed'],
        ['verify', '-k', 'k', 'x.sealed'],
        ['keygen', '--subject', '/CN=a', '--key', 'k', '--cert', 'c'],
      ]) {
        const run = await callseal([command[0]!, ...words, ...command.slice(1)], { cwd: tempDir() });
        expect(run.status).toBe(2);
        expect(run.stderr).toContain('a passphrase is not taken from the command line');
        expect(run.stderr).toContain('--passphrase-file');
        expect(run.stderr).not.toContain('hunter2');
      }
    },
  );
});

describe('exit codes', () => {
  it('gives every error code one exit code', () => {
    const listed = EXIT_CODES.flatMap(({ errors }) => errors);
    expect([...listed].sort()).toEqual([...ERROR_CODES].sort());
    expect(new Set(EXIT_CODES.map(({ code }) => code)).size).toBe(EXIT_CODES.length);
  });

  it('tells the wrong key, the wrong passphrase, damaged and truncated apart', () => {
    const codes = ['ERR_NO_MATCHING_KEY', 'ERR_WRONG_PASSPHRASE', 'ERR_TAMPERED', 'ERR_TRUNCATED'] as const;
    expect(codes.map(exitCodeOf)).toEqual([5, 6, 7, 8]);
  });

  it('ends with 1 for what nobody expected', () => {
    expect(exitCodeFor(new TypeError('bug'))).toBe(1);
    expect(exitCodeFor(new CallsealError('ERR_CRYPTO', 'OpenSSL failed'))).toBe(1);
  });

  it('is the table in docs/cli.md', () => {
    expect(readFileSync(project('docs/cli.md'), 'utf8')).toContain(exitCodesAsMarkdown());
  });
});

describe('a reader that went away', () => {
  it.each(['callseal inspect --json nofile', 'callseal --help'])('%s ends with 141, quietly', async (command) => {
    const run = await shell(`(sleep 0.3; ${command}) | true; exit $PIPESTATUS`);
    expect([run.status, run.stderr]).toEqual([141, '']);
  });

  it('is told from a disk that is full', async () => {
    const run = await shell('callseal --help > /dev/full');
    expect([run.status, run.stderr]).toEqual([13, 'callseal: standard output cannot be written (ENOSPC)\n']);
  });
});

describe('colour', () => {
  const NO_SUCH_FILE = ['inspect', '/no/such/file'];
  const esc = String.fromCharCode(27);

  it('is used on a terminal', async () => {
    const { status, screen } = await onTerminal(NO_SUCH_FILE, { env: { NO_COLOR: '' } });
    expect(status).toBe(13);
    expect(screen).toContain(`${esc}[31mcallseal: inspect:${esc}[39m`);
  });

  it.each([{ NO_COLOR: '1' }, { TERM: 'dumb' }])('is not used with %j', async (env) => {
    const { screen } = await onTerminal(NO_SUCH_FILE, { env });
    expect(screen).toContain('callseal: inspect: /no/such/file: no such file');
    expect(screen).not.toContain(esc);
  });

  it('is not used without a terminal, even with FORCE_COLOR', async () => {
    const run = await callseal(NO_SUCH_FILE, { env: { FORCE_COLOR: '1' } });
    expect(run.stderr).toBe('callseal: inspect: /no/such/file: no such file\n');
  });
});

describe('stack traces', () => {
  it('are shown with CALLSEAL_DEBUG=1 only', async () => {
    const quiet = await callseal(['inspect', '/no/such/file']);
    expect(quiet.stderr).not.toContain('    at ');
    const loud = await callseal(['inspect', '/no/such/file'], { env: { CALLSEAL_DEBUG: '1' } });
    expect(loud.stderr).toMatch(/\n +at /);
    expect(loud.stderr).toContain('caused by');
  });
});
