/** Many files: failures in between, directory trees, thousands, and signals in the middle. */

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { CTRL_C, callseal, finish, onTerminal, start } from './helpers/cli.ts';
import { unnamedFiles } from './helpers/files.ts';
import { makeKeyPair } from './helpers/keys.ts';
import { tempDir } from './helpers/temp.ts';

let cwd: string;

beforeEach(() => {
  cwd = tempDir();
  makeKeyPair(cwd, { name: 'mary' });
});

const at = (name: string): string => join(cwd, name);
const encrypt = (...args: string[]) => callseal(['encrypt', '--no-sync', '-r', 'mary_cert.crt', ...args], { cwd });
const decrypt = (...args: string[]) => callseal(['decrypt', '--no-sync', '-k', 'mary_private.key', ...args], { cwd });
const namesIn = (name: string): string[] => readdirSync(at(name), { recursive: true }).map(String).sort();

function makeFiles(directory: string, number: number): string[] {
  mkdirSync(at(directory), { recursive: true });
  const names = Array.from({ length: number }, (_, index) => `call-${String(index).padStart(5, '0')}`);
  for (const name of names) writeFileSync(at(join(directory, name)), `what ${name} said`);
  return names;
}

describe('a batch', () => {
  it('goes on after a bad file, lists failures in order at the end, and ends with 20', async () => {
    makeFiles('calls', 6);
    await encrypt('-R', 'calls');
    const sealed = (index: number): string => `calls/call-0000${index}.sealed`;
    truncateSync(at(sealed(1)), 400);
    writeFileSync(at(sealed(3)), 'not one of ours');
    const run = await decrypt('--output-dir', 'out', sealed(0), sealed(1), 'gone.sealed', sealed(3), sealed(5));
    expect([run.status, run.stdout.length]).toEqual([20, 0]);
    const lines = run.stderr.trimEnd().split('\n');
    expect(lines[0]).toMatch(/^callseal: decrypt: .*call-00001\.sealed/);
    expect(lines[1]).toBe('callseal: decrypt: gone.sealed: no such file');
    expect(lines[2]).toMatch(/^callseal: decrypt: .*call-00003\.sealed/);
    expect(lines.at(-1)).toBe('callseal: decrypt: 2 files decrypted (1.5 kB), 3 failed');
    expect(namesIn('out')).toEqual(['call-00000', 'call-00005']);
  });

  it('says each hint once', async () => {
    makeFiles('calls', 3);
    await encrypt('-R', 'calls');
    const run = await encrypt('calls/call-00000', 'calls/call-00001', 'calls/call-00002');
    expect([run.status, run.stderr.match(/hint:/g)?.length]).toEqual([20, 1]);
  });

  it('is one line, or none with --quiet, or one a file with --verbose', async () => {
    makeFiles('calls', 3);
    const [plain, quiet, verbose] = [
      await encrypt('-R', 'calls'),
      await encrypt('-fqR', 'calls'),
      await encrypt('-fvR', 'calls'),
    ];
    expect(plain.stderr).toBe('callseal: encrypt: 3 files encrypted for 1 recipient (60 bytes)\n');
    expect(quiet.stderr).toBe('');
    const lines = verbose.stderr.trimEnd().split('\n');
    expect(lines.pop()).toMatch(/3 files encrypted .*, 3 left alone: encrypted already$/);
    expect(lines).toEqual(
      [0, 1, 2].flatMap((i) => [
        `callseal: encrypt: calls/call-0000${i}: 20 bytes encrypted to calls/call-0000${i}.sealed`,
        `callseal: encrypt: calls/call-0000${i}.sealed: encrypted already`,
      ]),
    );
  });

  it('of 2,000 files works and stays quiet', async () => {
    const names = makeFiles('calls', 2000);
    const run = await encrypt('-R', 'calls', '--output-dir', 'sealed');
    expect([run.status, run.stdout.length]).toEqual([0, 0]);
    expect(run.stderr).toBe('callseal: encrypt: 2,000 files encrypted for 1 recipient (40.0 kB)\n');
    expect(namesIn('sealed')).toEqual(names.map((name) => `${name}.sealed`));
    const back = await decrypt('-R', 'sealed', '--output-dir', 'out');
    expect([back.status, back.stderr.split('\n').length]).toEqual([0, 2]);
    for (const name of names) expect(readFileSync(at(`out/${name}`), 'utf8')).toBe(`what ${name} said`);
    const listed = await callseal(['inspect', '--json', '-R', 'sealed'], { cwd });
    expect(JSON.parse(listed.stdout.toString()).files).toHaveLength(2000);
  });
});

describe('directories', () => {
  it('need --recursive', async () => {
    makeFiles('calls', 1);
    for (const run of [await encrypt('calls'), await decrypt('calls'), await callseal(['inspect', 'calls'], { cwd })]) {
      expect([run.status, run.stderr]).toEqual([2, expect.stringContaining('calls: is a directory; give --recursive')]);
    }
    expect(namesIn('calls')).toEqual(['call-00000']);
  });

  it('are walked without following links, and without unfinished outputs', async () => {
    makeFiles('calls/deep/er', 1);
    makeFiles('elsewhere', 1);
    symlinkSync(at('elsewhere'), at('calls/link'));
    symlinkSync(at('elsewhere/call-00000'), at('calls/file-link'));
    const unfinished = '.call-00000.sealed.0123456789abcdef.callseal-tmp';
    writeFileSync(at(`calls/${unfinished}`), '');
    const run = await encrypt('-R', 'calls', '--output-dir', 'out');
    expect(run.stderr).toBe('callseal: encrypt: 1 file encrypted for 1 recipient (20 bytes), 3 passed over\n');
    expect(namesIn('out').filter((name) => name.includes('call-'))).toEqual(['deep/er/call-00000.sealed']);
  });

  it('are decrypted by suffix only', async () => {
    makeFiles('calls', 2);
    await encrypt('-R', 'calls');
    const run = await decrypt('-R', 'calls', '--output-dir', 'out');
    expect([run.status, namesIn('out')]).toEqual([0, ['call-00000', 'call-00001']]);
    expect(run.stderr).toContain('2 passed over');
  });

  it('that cannot be read are failures, and the rest is done', async () => {
    makeFiles('calls', 1);
    mkdirSync(at('calls/closed'));
    chmodSync(at('calls/closed'), 0);
    for (const name of ['.', 'calls']) chmodSync(at(name), 0o777);
    // Root may read everything: then somebody else encrypts.
    const nobody = process.getuid?.() === 0 ? { uid: 65_534 } : {};
    const run = await callseal(['encrypt', '-r', 'mary_cert.crt', '-R', 'calls'], { cwd, ...nobody });
    expect([run.status, existsSync(at('calls/call-00000.sealed'))]).toEqual([20, true]);
    expect(run.stderr).toContain('calls/closed: this user may not read it');
  });
});

/** Waits until `condition` holds while the command runs. */
async function until(child: ChildProcessWithoutNullStreams, condition: () => boolean): Promise<void> {
  while (!condition()) {
    if (child.exitCode !== null) throw new Error('it ended before the signal could be sent');
    await pause(2);
  }
}

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

const temporaries = (directory: string): string[] =>
  readdirSync(at(directory)).filter((name) => name.endsWith('.callseal-tmp'));

describe('signals', () => {
  it.each([
    ['SIGINT', 130, 'interrupted'],
    ['SIGTERM', 143, 'terminated'],
    ['SIGHUP', 129, 'hung up'],
  ] as const)(
    '%s in a batch ends it with %i, says what was finished and leaves nothing partial',
    async (signal, code, word) => {
      makeFiles('calls', 4000);
      mkdirSync(at('out'));
      const child = start(['encrypt', '-r', 'mary_cert.crt', '-R', 'calls', '--output-dir', 'out'], { cwd });
      const ended = finish(child);
      await until(child, () => readdirSync(at('out')).length > 20);
      child.kill(signal);
      const run = await ended;
      expect(run.status).toBe(code);
      expect(run.stderr).toContain(`callseal: encrypt: ${word}\n`);
      const done = namesIn('out');
      expect(temporaries('out')).toEqual([]);
      expect(done.length).toBeLessThan(4000);
      const said = /([\d,]+) files encrypted .*; ([\d,]+) files not finished, nothing partial is left/.exec(run.stderr);
      expect(Number(said?.[1]?.replace(',', ''))).toBe(done.length);
      const check = await callseal(['verify', '-k', 'mary_private.key', '-R', 'out'], { cwd });
      expect([check.status, check.stderr]).toEqual([0, expect.stringContaining('authentic and complete')]);
    },
  );

  it.each([
    ['SIGINT', 130, 'callseal: encrypt: interrupted\n'],
    ['SIGKILL', null, ''],
  ] as const)(
    '%s in the middle of one large file leaves neither output nor temporary file',
    async (signal, code, said) => {
      writeFileSync(at('huge'), '');
      truncateSync(at('huge'), 8 * 2 ** 30);
      const child = start(['encrypt', '-r', 'mary_cert.crt', 'huge'], { cwd });
      const ended = finish(child);
      await until(child, () => unnamedFiles(cwd, child.pid).some((path) => sizeOf(path) > 1e6));
      child.kill(signal);
      const run = await ended;
      expect([run.status, run.stderr]).toEqual([code, said]);
      expect([existsSync(at('huge.sealed')), temporaries('.'), statSync(at('huge')).size]).toEqual([
        false,
        [],
        8 * 2 ** 30,
      ]);
    },
  );

  it('while standard input is awaited removes the output begun', async () => {
    const child = start(['encrypt', '-r', 'mary_cert.crt', '-o', 'out', '-'], { cwd });
    const ended = finish(child);
    child.stdin.write('the beginning');
    await until(child, () => temporaries('.').length > 0);
    child.kill('SIGINT');
    const run = await ended;
    expect([run.status, run.stderr]).toEqual([130, 'callseal: encrypt: interrupted\n']);
    expect([existsSync(at('out')), temporaries('.')]).toEqual([false, []]);
  });

  it('twice ends at once, even what does not listen', async () => {
    const module = new URL('../dist/cli/interrupt.js', import.meta.url).href;
    const program = `const { interruptSignal } = await import('${module}');
      interruptSignal().addEventListener('abort', () => console.log('first'));
      setInterval(() => {}, 1000);
      console.log('ready');`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program]);
    let output = '';
    child.stdout.on('data', (text) => {
      output += text;
    });
    const ended = new Promise((resolve) => child.once('close', (_code, signal) => resolve(signal)));
    await until(child, () => output.includes('ready'));
    child.kill('SIGINT');
    await until(child, () => output.includes('first'));
    child.kill('SIGINT');
    // By the signal itself, which shells show as 130: to exit would be to wait for the thread pool.
    expect(await ended).toBe('SIGINT');
  });
});

describe('progress', () => {
  const BAR = /[█░]{28}/;

  it('is drawn on a terminal, above it the messages, and taken away', async () => {
    makeFiles('calls', 3);
    writeFileSync(at('calls/huge'), '');
    truncateSync(at('calls/huge'), 2 ** 30);
    const args = ['encrypt', '--no-sync', '-vR', '-r', 'mary_cert.crt', 'calls'];
    const { status, screen } = await onTerminal(args, { cwd });
    expect(status).toBe(0);
    expect(screen).toMatch(BAR);
    expect(screen).toMatch(/of 4 files/);
    expect(screen).toMatch(/callseal: encrypt: 4 files encrypted for 1 recipient \(1\.1 GB\)\r\n$/);
    const quiet = await onTerminal([...args, '--quiet', '--force'], { cwd });
    expect([quiet.status, quiet.screen]).toEqual([0, '']);
  });

  it('goes away with Ctrl-C', async () => {
    writeFileSync(at('huge'), '');
    truncateSync(at('huge'), 8 * 2 ** 30);
    const answers = [{ after: BAR, type: CTRL_C }];
    const { status, screen } = await onTerminal(['encrypt', '-r', 'mary_cert.crt', 'huge'], { cwd, answers });
    expect(status).toBe(130);
    expect(screen).toContain('callseal: encrypt: interrupted');
    const lastShown = screen.lastIndexOf('\u001b[?25h');
    expect(screen.indexOf('\u001b[?25l', lastShown)).toBe(-1);
    expect([existsSync(at('huge.sealed')), temporaries('.')]).toEqual([false, []]);
  });

  it('is not drawn without a terminal', async () => {
    writeFileSync(at('large'), '');
    truncateSync(at('large'), 2 ** 30);
    expect((await encrypt('large')).stderr).toBe('');
  });
});
