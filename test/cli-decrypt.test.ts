/** `callseal decrypt`: names, passphrases, and one exit code for each way it can fail. */

import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CTRL_C, callseal, onTerminal, shell } from './helpers/cli.ts';
import { makeKeyPair, openssl } from './helpers/keys.ts';
import { tempDir } from './helpers/temp.ts';

const CONTENT = Buffer.from('a caller says something\n'.repeat(500));
const PASSPHRASE = 'correct horse';
let sealed: Buffer;
let cwd: string;

beforeAll(async () => {
  const directory = tempDir();
  makeKeyPair(directory, { name: 'mary' });
  makeKeyPair(directory, { name: 'fred', passphrase: PASSPHRASE });
  writeFileSync(join(directory, 'call'), CONTENT);
  const run = await callseal(['encrypt', '-r', 'mary_cert.crt', '-r', 'fred_cert.crt', 'call'], { cwd: directory });
  expect(run.status, run.stderr).toBe(0);
  sealed = readFileSync(join(directory, 'call.sealed'));
});

beforeEach(() => {
  cwd = tempDir();
  makeKeyPair(cwd, { name: 'mary' });
  makeKeyPair(cwd, { name: 'fred', passphrase: PASSPHRASE });
  makeKeyPair(cwd, { name: 'stranger' });
  writeFileSync(at('call.sealed'), sealed);
  writeFileSync(at('right'), `${PASSPHRASE}\n`);
  writeFileSync(at('wrong'), 'battery staple\n');
});

const at = (name: string): string => join(cwd, name);
const decrypt = (...args: string[]) => callseal(['decrypt', ...args], { cwd });
const expectNothing = (): void => expect(readdirSync(cwd).filter((name) => /^\.|^call$|^out/.test(name))).toEqual([]);

describe('outputs', () => {
  it('drops the suffix', async () => {
    const run = await decrypt('-k', 'mary_private.key', 'call.sealed');
    expect([run.status, run.stdout.toString(), run.stderr]).toEqual([0, '', '']);
    expect(readFileSync(at('call'))).toEqual(CONTENT);
    expect(statSync(at('call')).mode & 0o777).toBe(0o600);
  });

  it('takes what was encrypted in place from a directory, below an output directory', async () => {
    mkdirSync(at('calls/day'), { recursive: true });
    writeFileSync(at('calls/day/one'), sealed);
    writeFileSync(at('calls/two.sealed'), sealed);
    writeFileSync(at('calls/two'), 'not encrypted');
    const run = await decrypt('-k', 'mary_private.key', '-R', '--output-dir', 'out', 'calls');
    expect([run.status, run.stderr]).toEqual([0, expect.stringMatching(/2 files decrypted.*1 passed over/)]);
    for (const name of ['day/one', 'two']) expect(readFileSync(at(`out/${name}`))).toEqual(CONTENT);
    const beside = await decrypt('-k', 'mary_private.key', '-R', 'calls/day');
    expect(beside.stderr).toMatch(/decrypted only below --output-dir/);
  });

  it('needs a name for a file without the suffix', async () => {
    writeFileSync(at('plainname'), sealed);
    const run = await decrypt('-k', 'mary_private.key', 'plainname');
    expect(run.status).toBe(2);
    expect(run.stderr).toContain('give -o OUT or --output-dir DIR for the result');
    expect((await decrypt('-k', 'mary_private.key', '--output-dir', 'out', 'plainname')).status).toBe(0);
    expect((await decrypt('-k', 'mary_private.key', '-o', 'named', 'plainname')).status).toBe(0);
    for (const name of ['out/plainname', 'named']) expect(readFileSync(at(name))).toEqual(CONTENT);
    const onItself = await decrypt('-k', 'mary_private.key', '--output-dir', '.', '--force', 'plainname');
    expect([onItself.status, readFileSync(at('plainname')).equals(sealed)]).toEqual([2, true]);
  });

  it('replaces nothing without --force', async () => {
    writeFileSync(at('call'), 'precious');
    expect((await decrypt('-k', 'mary_private.key', 'call.sealed')).status).toBe(13);
    expect(readFileSync(at('call')).toString()).toBe('precious');
    expect((await decrypt('-k', 'mary_private.key', '--force', 'call.sealed')).status).toBe(0);
    expect(readFileSync(at('call'))).toEqual(CONTENT);
  });

  it('replaces no other input, even one that is encrypted, with --force', async () => {
    const again = await callseal(['encrypt', '-r', 'mary_cert.crt', '-o', '-', 'call.sealed'], { cwd });
    mkdirSync(at('calls'));
    writeFileSync(at('calls/call.sealed'), sealed);
    writeFileSync(at('calls/call.sealed.sealed'), again.stdout);
    const run = await decrypt('-k', 'mary_private.key', '--force', '--recursive', 'calls');
    expect(run.status).toBe(2);
    expect(run.stderr).toContain('call.sealed.sealed would be written over calls/call.sealed, which is an input too');
    expect(readdirSync(at('calls'))).toEqual(['call.sealed', 'call.sealed.sealed']);
    expect(readFileSync(at('calls/call.sealed')).equals(sealed)).toBe(true);
    const apart = await decrypt('-k', 'mary_private.key', '-R', 'calls', '--output-dir', 'out');
    expect(apart.status).toBe(0);
    expect(readFileSync(at('out/call'))).toEqual(CONTENT);
    expect(readFileSync(at('out/call.sealed')).equals(sealed)).toBe(true);
  });

  it('finds the key that fits among several', async () => {
    const run = await decrypt(
      '-k',
      'stranger_private.key',
      '-k',
      'fred_private.key',
      '-k',
      'mary_private.key',
      'call.sealed',
    );
    expect([run.status, run.stderr]).toEqual([0, '']);
  });
});

describe('exit codes', () => {
  const cut = (length: number) => (): Buffer => sealed.subarray(0, length);
  const flip = (index: number) => (): Buffer => {
    const copy = Buffer.from(sealed);
    const at = index < 0 ? copy.length + index : index;
    copy[at] = copy[at]! ^ 1;
    return copy;
  };
  const MARY = ['-k', 'mary_private.key'];
  const FRED = ['-k', 'fred_private.key'];

  it.each<[string, number, string[], (() => Buffer) | undefined]>([
    ['wrong key', 5, ['-k', 'stranger_private.key'], undefined],
    ['wrong passphrase', 6, [...FRED, '--passphrase-file', 'wrong'], undefined],
    ['no passphrase at hand', 6, FRED, undefined],
    ['variable not set', 6, [...FRED, '--passphrase-env', 'NOT_SET_ANYWHERE'], undefined],
    ['flipped bit in the body', 7, MARY, flip(-1)],
    ['flipped bit in the header', 7, MARY, flip(20)],
    ['bytes behind the end', 7, MARY, () => Buffer.concat([sealed, Buffer.from('x')])],
    ['last byte missing', 8, MARY, () => sealed.subarray(0, -1)],
    ['only a piece of the header', 8, MARY, cut(100)],
    ['not a Callseal file', 9, MARY, () => Buffer.from('something else entirely')],
    ['an empty file', 9, MARY, cut(0)],
    ['version 2', 10, MARY, flip(9)],
    ['no such key file', 14, ['-k', 'nobody.key'], undefined],
    ['a certificate as key', 14, ['-k', 'mary_cert.crt'], undefined],
  ])('%s: %i', async (_what, code, keys, content) => {
    if (content !== undefined) writeFileSync(at('call.sealed'), content());
    const run = await decrypt(...keys, 'call.sealed');
    expect([run.status, run.stdout.toString()]).toEqual([code, '']);
    expect(run.stderr).toMatch(/^callseal: decrypt: /);
    expect(run.stderr).not.toContain('unexpected');
    expectNothing();
  });

  it('a DER file that is no private key to decrypt with says what it is: 14', async () => {
    const key = at('mary_private.key');
    openssl('x509', '-in', at('mary_cert.crt'), '-outform', 'DER', '-out', at('certificate.der'));
    openssl('pkey', '-in', key, '-pubout', '-outform', 'DER', '-out', at('public.der'));
    openssl('rsa', '-in', key, '-RSAPublicKey_out', '-outform', 'DER', '-out', at('public-rsa.der'));
    // What OpenSSL writes of DSA keys is six integers, version 0 first; here the last is a NULL.
    const integers = [0, 23, 11, 2, 8].flatMap((number) => [0x02, 1, number]);
    writeFileSync(at('dsa.der'), Buffer.from([0x30, 17, ...integers, 0x05, 0]));
    const said = async (name: string) => {
      const { status, stderr } = await decrypt('-k', name, 'call.sealed');
      expect(status, stderr).toBe(14);
      return stderr;
    };
    const all = ['certificate.der', 'public.der', 'public-rsa.der', 'dsa.der'].map(said);
    const [certificate, publicKey, publicRsa, dsa] = await Promise.all(all);
    expect(certificate).toContain('certificate.der holds no private key: it holds certificate\n');
    expect(publicKey).toContain('public.der holds no private key: it holds public key\n');
    expect(publicRsa).toContain('public-rsa.der holds no private key: it holds PKCS#1 public key\n');
    expect(dsa).toMatch(/its traditional DSA structure .* is damaged or not supported/);
    expectNothing();
  });

  it('no such file: 13', async () => {
    const run = await decrypt('-k', 'mary_private.key', 'gone.sealed');
    expect([run.status, run.stderr]).toEqual([13, 'callseal: decrypt: gone.sealed: no such file\n']);
  });

  it('are the same through standard input and output', async () => {
    const run = (keys: string[], input: Buffer) => callseal(['decrypt', ...keys, '-'], { cwd, input });
    expect((await run(MARY, sealed)).stdout).toEqual(CONTENT);
    for (const [code, keys, input] of [
      [5, ['-k', 'stranger_private.key'], sealed],
      [6, [...FRED, '--passphrase-file', 'wrong'], sealed],
      [7, MARY, flip(-1)()],
      [8, MARY, sealed.subarray(0, -1)],
      [9, MARY, Buffer.from('something else')],
    ] as const) {
      const refused = await run([...keys], input);
      expect([code, refused.status, refused.stdout.length]).toEqual([code, code, 0]);
    }
  });

  it('remove what was begun when a stream to a file turns out damaged', async () => {
    const run = await callseal(['decrypt', ...MARY, '-o', 'out', '-'], { cwd, input: sealed.subarray(0, -1) });
    expect(run.status).toBe(8);
    expectNothing();
  });
});

describe('passphrases', () => {
  const FRED = ['-k', 'fred_private.key'];

  it('come from a file, a variable or a descriptor, each in turn', async () => {
    const env = { RIGHT: PASSPHRASE, WRONG: 'no' };
    const run = (line: string) => shell(`callseal decrypt -k fred_private.key ${line} -o - call.sealed`, { cwd, env });
    for (const line of [
      '--passphrase-file right',
      '--passphrase-env RIGHT',
      '--passphrase-fd 3 3<right',
      '--passphrase-env WRONG --passphrase-file wrong --passphrase-fd 3 --passphrase-env RIGHT 3<wrong',
    ]) {
      const done = await run(line);
      expect([done.status, done.stderr]).toEqual([0, '']);
      expect(done.stdout).toEqual(CONTENT);
    }
    expect((await run('--passphrase-env WRONG --passphrase-file wrong')).status).toBe(6);
  });

  it('are not asked for when another key opens the file', async () => {
    const { status, screen } = await onTerminal(['decrypt', ...FRED, '-k', 'mary_private.key', 'call.sealed'], { cwd });
    expect([status, screen]).toEqual([0, '']);
  });

  it('are typed unseen, and asked for again when wrong', async () => {
    const answers = [
      { after: /Passphrase for fred_private\.key: $/, type: 'battery staple\n' },
      { after: /That did not open it\. Passphrase for fred_private\.key: $/, type: `${PASSPHRASE}\n` },
    ];
    const { status, screen } = await onTerminal(['decrypt', ...FRED, 'call.sealed'], { cwd, answers });
    expect(status, screen).toBe(0);
    expect(screen).not.toContain('staple');
    expect(screen).not.toContain('horse');
    expect(readFileSync(at('call'))).toEqual(CONTENT);
  });

  it('are asked for three times', async () => {
    const answer = { after: /Passphrase for fred_private\.key: $/, type: 'no\n' };
    const answers = [answer, answer, answer];
    const { status, screen } = await onTerminal(['decrypt', ...FRED, 'call.sealed', '-o', 'out'], { cwd, answers });
    expect(status).toBe(6);
    expect(screen).toContain('none of 3 passphrases opens key fred_private.key');
    expectNothing();
  });

  it('are asked for once for many files', async () => {
    writeFileSync(at('second.sealed'), sealed);
    const answers = [{ after: /Passphrase for fred_private\.key: $/, type: `${PASSPHRASE}\n` }];
    const args = ['decrypt', ...FRED, 'call.sealed', 'second.sealed'];
    const { status, screen } = await onTerminal(args, { cwd, answers });
    expect([status, screen.match(/Passphrase for/g)?.length]).toEqual([0, 1]);
    expect(screen).toContain('2 files decrypted');
  });

  it('can be refused with Ctrl-C', async () => {
    const answers = [{ after: /: $/, type: CTRL_C }];
    const { status, screen } = await onTerminal(['decrypt', ...FRED, 'call.sealed'], { cwd, answers });
    expect(status).toBe(130);
    expect(screen).toContain('decrypt: interrupted');
    expect(screen).not.toContain('again');
    expect(existsSync(at('call'))).toBe(false);
  });

  it('without a terminal, say which options there are', async () => {
    const run = await decrypt(...FRED, 'call.sealed');
    expect(run.stderr).toContain('key fred_private.key: ');
    expect(run.stderr).toContain('--passphrase-file');
  });
});
