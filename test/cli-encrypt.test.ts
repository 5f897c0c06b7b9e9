/** `callseal encrypt`: where outputs go, for whom, through which streams. */

import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { callseal, onTerminal, shell } from './helpers/cli.ts';
import { certify, makeKeyPair } from './helpers/keys.ts';
import { tempDir } from './helpers/temp.ts';

const CONTENT = Buffer.from('a caller says something\n'.repeat(500));
let cwd: string;

beforeEach(() => {
  cwd = tempDir();
  makeKeyPair(cwd, { name: 'mary' });
  makeKeyPair(cwd, { name: 'fred' });
  writeFileSync(join(cwd, 'call'), CONTENT);
});

const at = (name: string): string => join(cwd, name);
const read = (name: string): Buffer => readFileSync(at(name));
const encrypt = (...args: string[]) => callseal(['encrypt', '-r', 'mary_cert.crt', ...args], { cwd });
const opened = async (name: string, key = 'mary'): Promise<Buffer> => {
  const run = await callseal(['decrypt', '-k', `${key}_private.key`, '-o', '-', name], { cwd });
  expect([run.status, run.stderr]).toEqual([0, '']);
  return run.stdout;
};

describe('outputs', () => {
  it('puts FILE.sealed beside FILE, private and silent', async () => {
    const run = await encrypt('call');
    expect([run.status, run.stdout.toString(), run.stderr]).toEqual([0, '', '']);
    expect(read('call').equals(CONTENT)).toBe(true);
    expect(statSync(at('call.sealed')).mode & 0o777).toBe(0o600);
    expect(await opened('call.sealed')).toEqual(CONTENT);
  });

  it('takes another suffix, an output name, an output directory that it makes', async () => {
    expect((await encrypt('--suffix', '.enc', 'call')).status).toBe(0);
    expect((await encrypt('-o', 'named', 'call')).status).toBe(0);
    expect((await encrypt('--output-dir', 'new/dir', 'call')).status).toBe(0);
    for (const name of ['call.enc', 'named', 'new/dir/call.sealed']) expect(await opened(name)).toEqual(CONTENT);
    expect(statSync(at('new')).mode & 0o777).toBe(0o700);
  });

  it('encrypts in place', async () => {
    expect((await encrypt('--in-place', 'call')).status).toBe(0);
    expect(read('call').subarray(0, 8).toString()).toBe('CALLSEAL');
    expect(await opened('call')).toEqual(CONTENT);
    expect(readdirSync(cwd).filter((name) => name.includes('tmp'))).toEqual([]);
  });

  it('does not take a second certificate for a recording', async () => {
    const certificate = read('fred_cert.crt');
    writeFileSync(at('bare'), certificate);
    for (const name of ['fred_cert.crt', 'bare', 'mary_private.key']) {
      const run = await encrypt('--in-place', name, 'call');
      expect([run.status, run.stderr]).toEqual([2, expect.stringContaining(`-r ${name}`)]);
    }
    expect(read('fred_cert.crt')).toEqual(certificate);
    expect(read('call')).toEqual(CONTENT);
    expect((await shell('callseal encrypt -r mary_cert.crt - < bare > bare.sealed', { cwd })).status).toBe(0);
    expect(await opened('bare.sealed')).toEqual(certificate);
  });

  it('replaces nothing without --force, and never what is not a file', async () => {
    writeFileSync(at('call.sealed'), 'precious');
    const refused = await encrypt('call');
    expect([refused.status, read('call.sealed').toString()]).toEqual([13, 'precious']);
    expect(refused.stderr).toContain('call.sealed exists already');
    expect(refused.stderr).toContain('hint: --force');
    expect((await encrypt('--force', 'call')).status).toBe(0);
    expect(await opened('call.sealed')).toEqual(CONTENT);
    mkdirSync(at('folder'));
    expect((await encrypt('--force', '-o', 'folder', 'call')).status).toBe(13);
  });

  it('keeps the tree below an output directory', async () => {
    mkdirSync(at('calls/2026/11'), { recursive: true });
    writeFileSync(at('calls/2026/11/a'), 'a');
    writeFileSync(at('calls/b'), 'b');
    const run = await encrypt('-R', 'calls', '--output-dir', 'out');
    expect([run.status, run.stderr]).toEqual([0, 'callseal: encrypt: 2 files encrypted for 1 recipient (2 bytes)\n']);
    expect((await opened('out/2026/11/a.sealed')).toString()).toBe('a');
    expect((await opened('out/b.sealed')).toString()).toBe('b');
  });

  it('says that a directory cannot be made', async () => {
    const run = await encrypt('--output-dir', 'call/dir', 'call');
    expect([run.status, run.stderr]).toEqual([
      13,
      'callseal: encrypt: call: cannot make the directory call/dir (ENOTDIR)\n',
    ]);
  });

  it('refuses two inputs for one output, before anything is written', async () => {
    mkdirSync(at('one'));
    mkdirSync(at('two'));
    for (const path of ['one/a', 'two/a', 'first']) writeFileSync(at(path), path);
    const run = await encrypt('--output-dir', 'out', 'first', 'one/a', 'two/a');
    expect(run.status).toBe(2);
    expect(run.stderr).toContain('one/a and two/a would both be written to out/a.sealed');
    expect(existsSync(at('out'))).toBe(false);
    const twice = await encrypt('call', './call');
    expect([twice.status, existsSync(at('call.sealed'))]).toEqual([2, false]);
  });

  it('sees through links that two spellings of one directory are one', async () => {
    mkdirSync(at('real'));
    symlinkSync('real', at('link'));
    mkdirSync(at('one'));
    writeFileSync(at('real/a'), '1');
    const run = await encrypt('real/a', 'link/a');
    expect([run.status, readdirSync(at('real'))]).toEqual([2, ['a']]);
  });

  it('does not write over a file that is still to be encrypted', async () => {
    writeFileSync(at('call.sealed'), 'plain in spite of its name');
    const run = await encrypt('--force', 'call', 'call.sealed');
    expect(run.status).toBe(2);
    expect(run.stderr).toContain('call would be written over call.sealed, which is an input too');
    expect(read('call.sealed').toString()).toBe('plain in spite of its name');
  });
});

describe('what is encrypted already', () => {
  it('is left alone, counted, and no failure', async () => {
    await encrypt('call');
    const before = read('call.sealed');
    const single = await encrypt('call.sealed');
    expect([single.status, single.stderr]).toEqual([
      0,
      'callseal: encrypt: call.sealed: encrypted already; left alone\n',
    ]);
    writeFileSync(at('other'), 'x');
    const batch = await encrypt('--in-place', 'call.sealed', 'other');
    expect([batch.status, batch.stderr]).toEqual([
      0,
      'callseal: encrypt: 1 file encrypted for 1 recipient (1 byte), 1 left alone: encrypted already\n',
    ]);
    expect(read('call.sealed').equals(before)).toBe(true);
  });

  it('may be encrypted again beside its original with --force', async () => {
    await encrypt('call');
    expect((await encrypt('--force', 'call', 'call.sealed')).status).toBe(0);
    expect(readdirSync(cwd)).not.toContain('call.sealed.sealed');
  });

  it('is an error where an output was named', async () => {
    await encrypt('call');
    const run = await encrypt('-o', 'out', 'call.sealed');
    expect([run.status, existsSync(at('out'))]).toEqual([9, false]);
  });
});

describe('names', () => {
  it.each(['with space', 'new\nline', '-dash', 'ünï—✓', "it's", '*'])('%j works', async (name) => {
    writeFileSync(at(name), name);
    const run = await callseal(['encrypt', '-r', 'mary_cert.crt', '--', name], { cwd });
    expect([run.status, run.stderr]).toEqual([0, '']);
    const back = await callseal(['decrypt', '-k', 'mary_private.key', '-o', '-', '--', `${name}.sealed`], { cwd });
    expect(back.stdout.toString()).toBe(name);
  });

  it('cannot forge a message', async () => {
    const run = await encrypt('no\ncallseal: all is well\u001b[2J\u202e');
    expect(run.status).toBe(13);
    expect(run.stderr.split('\n')).toHaveLength(3);
    expect(run.stderr).not.toMatch(/^callseal: all/m);
    expect(run.stderr).toContain('\\u{1b}[2J\\u{202e}');
  });

  it('must be UTF-8, and says so', async () => {
    const run = await shell("printf x > $'bad\\xff'; callseal encrypt -r mary_cert.crt $'bad\\xff'", { cwd });
    expect(run.status).toBe(13);
    expect(run.stderr).toContain('the name is not UTF-8; rename the file, or pass its content through -');
    const inside = await encrypt('-R', '.', '--output-dir', 'out');
    expect(inside.status).toBe(20);
    expect(inside.stderr).toContain('the name is not UTF-8');
  });
});

describe('standard input and output', () => {
  it('encrypts one into the other', async () => {
    const run = await callseal(['encrypt', '-r', 'mary_cert.crt', '-'], { cwd, input: CONTENT });
    expect([run.status, run.stderr]).toEqual([0, '']);
    writeFileSync(at('piped'), run.stdout);
    expect(await opened('piped')).toEqual(CONTENT);
    const back = await callseal(['decrypt', '-k', 'mary_private.key', '-'], { cwd, input: run.stdout });
    expect([back.status, back.stdout]).toEqual([0, CONTENT]);
  });

  it('mixes with files', async () => {
    const toFile = await callseal(['encrypt', '-r', 'mary_cert.crt', '-o', 'out', '-'], { cwd, input: CONTENT });
    expect([toFile.status, toFile.stdout.length, statSync(at('out')).mode & 0o777]).toEqual([0, 0, 0o600]);
    expect(await opened('out')).toEqual(CONTENT);
    const again = await callseal(['encrypt', '-r', 'mary_cert.crt', '-o', 'out', '-'], { cwd, input: 'x' });
    expect([again.status, await opened('out')]).toEqual([13, CONTENT]);
    expect(
      (await callseal(['encrypt', '-r', 'mary_cert.crt', '-f', '-o', 'out', '-'], { cwd, input: 'x' })).status,
    ).toBe(0);
    expect((await opened('out')).toString()).toBe('x');
    const toPipe = await encrypt('-o', '-', 'call');
    writeFileSync(at('piped'), toPipe.stdout);
    expect(await opened('piped')).toEqual(CONTENT);
  });

  it('works on empty input', async () => {
    const run = await callseal(['encrypt', '-r', 'mary_cert.crt', '-'], { cwd, input: '' });
    const back = await callseal(['decrypt', '-k', 'mary_private.key', '-'], { cwd, input: run.stdout });
    expect([run.status, back.status, back.stdout.length]).toEqual([0, 0, 0]);
  });

  it('writes nothing binary to a terminal unless -o - is given', async () => {
    const args = ['encrypt', '-r', 'mary_cert.crt'];
    const refused = await onTerminal([...args, '-'], { cwd });
    expect(refused.status).toBe(2);
    expect(refused.screen).toContain('is not written to a terminal');
    const told = await onTerminal([...args, '-o', '-', 'call'], { cwd });
    expect([told.status, told.screen.startsWith('CALLSEAL')]).toEqual([0, true]);
  });

  it('says what could not be read or written', async () => {
    const missing = await encrypt('-o', '-', 'gone');
    expect([missing.status, missing.stderr]).toEqual([13, 'callseal: encrypt: gone: cannot be read (ENOENT)\n']);
    const nowhere = await callseal(['encrypt', '-r', 'mary_cert.crt', '-o', 'no/such/out', '-'], { cwd, input: 'x' });
    expect(nowhere.status).toBe(13);
    expect(nowhere.stderr).toContain('cannot create a file in no/such (ENOENT)');
    const full = await shell('callseal encrypt -r mary_cert.crt -o - call > /dev/full', { cwd });
    expect([full.status, full.stderr]).toEqual([13, 'callseal: standard output cannot be written (ENOSPC)\n']);
  });

  it('ends with 141 when the reader goes away', async () => {
    writeFileSync(at('big'), Buffer.alloc(3_000_000));
    const run = await shell('callseal encrypt -r mary_cert.crt -o - big | head -c 1 >/dev/null; exit $PIPESTATUS', {
      cwd,
    });
    expect([run.status, run.stderr]).toEqual([141, '']);
  });

  it('takes a FIFO through -, and only so', async () => {
    const direct = await shell('mkfifo pipe; callseal encrypt -r mary_cert.crt pipe', { cwd });
    expect([direct.status, existsSync(at('pipe.sealed'))]).toEqual([2, false]);
    const through = await shell('(cat call > pipe &) ; callseal encrypt -r mary_cert.crt -o out - < pipe', { cwd });
    expect([through.status, await opened('out')]).toEqual([0, CONTENT]);
  });
});

describe('recipients', () => {
  it('may be several: each opens the file alone', async () => {
    expect((await encrypt('-r', 'fred_cert.crt', 'call')).status).toBe(0);
    for (const key of ['mary', 'fred']) expect(await opened('call.sealed', key)).toEqual(CONTENT);
  });

  it('come from a configuration file, whose warnings are said', async () => {
    const [mary, fred] = [at('mary_cert.crt'), at('fred_cert.crt')];
    writeFileSync(
      at('conf'),
      `LOGGING_ENCRYPTION_KEY = /nowhere\n[GLOBAL]\nLOGGING_ENCRYPTION_KEY = ${mary},${fred}\n`,
    );
    const run = await callseal(['encrypt', '--config', 'conf', 'call'], { cwd });
    expect(run.status).toBe(0);
    expect(run.stderr).toMatch(/^callseal: encrypt: warning: conf:1: .*line 3/);
    expect(await opened('call.sealed', 'fred')).toEqual(CONTENT);
    const quiet = await callseal(['encrypt', '--quiet', '--force', '--config', 'conf', 'call'], { cwd });
    expect([quiet.status, quiet.stderr]).toEqual([0, '']);
  });

  it('are wrong in the configuration: 3, with file and line', async () => {
    writeFileSync(at('conf'), `[GLOBAL]\nLOGGING_ENCRYPTION_KEY = C:\\certs\\customer.crt\n`);
    const run = await callseal(['encrypt', '--config', 'conf', 'call'], { cwd });
    expect(run.status).toBe(3);
    expect(run.stderr).toContain('callseal: encrypt: conf:2: ');
    expect(run.stderr).toContain('hint: callseal config check');
    expect((await callseal(['encrypt', '--config', 'missing', 'call'], { cwd })).status).toBe(3);
  });

  it('are refused with 4 when a certificate is not as it should be, and nothing is written', async () => {
    certify(cwd, at('mary_private.key'), { from: '20200101000000Z', to: '20210101000000Z', file: 'expired.crt' });
    for (const [args, word] of [
      [['-r', 'expired.crt'], 'expired'],
      [['-r', 'missing.crt'], 'missing.crt'],
      [['-r', 'mary_cert.crt', '-r', 'mary_cert.crt'], 'listed twice'],
    ] as const) {
      const run = await callseal(['encrypt', ...args, 'call'], { cwd });
      expect([run.status, existsSync(at('call.sealed'))]).toEqual([4, false]);
      expect(run.stderr).toContain(word);
      expect(run.stderr).toContain('callseal: hint: --');
    }
  });

  it('are used or left out as the policy says', async () => {
    certify(cwd, at('fred_private.key'), { from: '20200101000000Z', to: '20210101000000Z', file: 'expired.crt' });
    const warned = await encrypt('-r', 'expired.crt', '--expired', 'warn', 'call');
    expect(warned.status).toBe(0);
    expect(warned.stderr).toMatch(/^callseal: encrypt: warning: certificate expired\.crt .*used all the same/);
    expect(await opened('call.sealed', 'fred')).toEqual(CONTENT);
    const skipped = await encrypt(
      '-r',
      'expired.crt',
      '-r',
      'gone.crt',
      '--expired',
      'skip',
      '--unreadable',
      'skip',
      '-f',
      'call',
    );
    expect(skipped.status).toBe(0);
    expect(skipped.stderr.match(/warning: /g)).toHaveLength(2);
    expect((await callseal(['decrypt', '-k', 'fred_private.key', '-o', '-', 'call.sealed'], { cwd })).status).toBe(5);
    const few = await encrypt('-r', 'expired.crt', '--expired', 'skip', '--min-recipients', '2', '-o', 'few', 'call');
    expect([few.status, existsSync(at('few'))]).toEqual([4, false]);
  });

  it('must be named somewhere', async () => {
    const run = await callseal(['encrypt', 'call'], { cwd });
    if (existsSync('/etc/lumenvox/client_property.conf')) return; // then that file is used
    expect(run.status).toBe(2);
    expect(run.stderr).toContain('give the certificates to encrypt for: -r CERT or --config FILE');
  });
});

describe('CALLSEAL_FIPS=off', () => {
  it('is said once, unless quiet', async () => {
    const options = { cwd, env: { CALLSEAL_FIPS: 'off' } };
    const run = await callseal(['encrypt', '-r', 'mary_cert.crt', 'call'], options);
    expect(run.status).toBe(0);
    expect(run.stderr.match(/CALLSEAL_FIPS=off/g)).toHaveLength(1);
    const quiet = await callseal(['encrypt', '-q', '-f', '-r', 'mary_cert.crt', 'call'], options);
    expect([quiet.status, quiet.stderr]).toEqual([0, '']);
  });
});
