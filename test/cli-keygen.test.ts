/** `callseal keygen`: files that openssl and callseal both take, never half of them, never over others. */

import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { CTRL_C, callseal, onTerminal, shell } from './helpers/cli.ts';
import { openssl } from './helpers/keys.ts';
import { tempDir } from './helpers/temp.ts';

const SUBJECT = '/C=US/ST=CA/L=San Diego/O=MyCompany/OU=MySoftware/CN=MyCompany/emailAddress=support@mycompany.com';
const NAMED = ['--subject', SUBJECT, '--key', 'my_private.key', '--cert', 'my_cert.crt', '--bits', '2048'];
let cwd: string;

beforeEach(() => {
  cwd = tempDir();
});

const at = (name: string): string => join(cwd, name);
const keygen = (...args: string[]) => callseal(['keygen', ...args], { cwd });

describe('keygen', () => {
  it('makes what the documented openssl command makes', async () => {
    const run = await keygen(...NAMED, '--no-passphrase', '--days', '30');
    expect([run.status, run.stdout.length]).toEqual([0, 0]);
    expect(statSync(at('my_private.key')).mode & 0o777).toBe(0o600);
    expect(statSync(at('my_cert.crt')).mode & 0o077).toBe(0o044 & ~process.umask());
    const text = openssl('x509', '-in', at('my_cert.crt'), '-noout', '-text').toString();
    expect(text).toContain(
      'Subject: C = US, ST = CA, L = San Diego, O = MyCompany, OU = MySoftware, CN = MyCompany, emailAddress',
    );
    expect(text).toContain('Signature Algorithm: sha256WithRSAEncryption');
    expect(text).toContain('Public-Key: (2048 bit)');
    openssl('verify', '-CAfile', at('my_cert.crt'), at('my_cert.crt'));
    const day = 86_400;
    openssl('x509', '-in', at('my_cert.crt'), '-noout', '-checkend', String(29 * day));
    expect(() => openssl('x509', '-in', at('my_cert.crt'), '-noout', '-checkend', String(31 * day))).toThrow();
    const [fromKey, fromCertificate] = [
      openssl('pkey', '-in', at('my_private.key'), '-pubout'),
      openssl('x509', '-in', at('my_cert.crt'), '-noout', '-pubkey'),
    ];
    expect(fromKey.equals(fromCertificate)).toBe(true);
    const fingerprint = openssl('x509', '-in', at('my_cert.crt'), '-noout', '-fingerprint', '-sha256').toString();
    expect(run.stderr).toContain(fingerprint.trim().split('=')[1]!.replaceAll(':', '').toLowerCase());
    expect(run.stderr).toContain('not encrypted: whoever has the file has the key');
  });

  it('makes 3072 bits unless told', async () => {
    const run = await keygen('--subject', '/CN=a', '--key', 'k', '--cert', 'c', '--no-passphrase', '--quiet');
    expect([run.status, run.stderr]).toEqual([0, '']);
    expect(openssl('x509', '-in', at('c'), '-noout', '-text').toString()).toContain('Public-Key: (3072 bit)');
  });

  it('encrypts the key with a passphrase from a file, a variable or a descriptor', async () => {
    writeFileSync(at('pass'), 'mypass\n');
    const command = (n: number, option: string) =>
      `callseal keygen -q --subject /CN=a --bits 2048 --key k${n} --cert c${n} ${option}`;
    const env = { KEY_PASSPHRASE: 'mypass' };
    for (const [n, option] of [
      '--passphrase-file pass',
      '--passphrase-env KEY_PASSPHRASE',
      '--passphrase-fd 4 4<pass',
    ].entries()) {
      const run = await shell(command(n, option), { cwd, env });
      expect([run.status, run.stderr]).toEqual([0, '']);
      expect(readFileSync(at(`k${n}`), 'utf8')).toContain('BEGIN ENCRYPTED PRIVATE KEY');
      openssl('pkey', '-in', at(`k${n}`), '-passin', 'pass:mypass', '-noout');
      expect(() => openssl('pkey', '-in', at(`k${n}`), '-passin', 'pass:wrong', '-noout')).toThrow();
    }
  });

  it('asks twice on a terminal, unseen', async () => {
    const answers = [
      { after: /Passphrase for the new key my_private\.key: $/, type: 'open sesame\n' },
      { after: /: $/, type: 'open sesame\n' },
    ];
    const { status, screen } = await onTerminal(['keygen', ...NAMED], { cwd, answers });
    expect(status, screen).toBe(0);
    expect(screen).not.toContain('sesame');
    openssl('pkey', '-in', at('my_private.key'), '-passin', 'pass:open sesame', '-noout');
  });

  it.each([
    ['two different passphrases', ['open sesame\n', 'open simsim\n'], 2, 'not the same'],
    ['no passphrase', ['\n', '\n'], 2, 'is empty'],
    ['Ctrl-C', [CTRL_C], 130, 'interrupted'],
    ['Ctrl-C at the second prompt', ['open sesame\n', CTRL_C], 130, 'interrupted'],
  ] as const)('makes nothing after %s', async (_what, typed, code, word) => {
    const answers = typed.map((type) => ({ after: /: $/, type }));
    const { status, screen } = await onTerminal(['keygen', ...NAMED], { cwd, answers });
    expect([status, screen]).toEqual([code, expect.stringContaining(word)]);
    expect(readdirSync(cwd)).toEqual([]);
  });

  it('refuses without a terminal unless told where the passphrase is', async () => {
    const run = await keygen(...NAMED);
    expect(run.status).toBe(6);
    expect(run.stderr).toContain('key my_private.key: ');
    expect(run.stderr).toContain('hint: --no-passphrase');
    expect(readdirSync(cwd)).toEqual([]);
  });

  it.each(['my_private.key', 'my_cert.crt'])('never overwrites %s', async (name) => {
    writeFileSync(at(name), 'precious');
    const run = await keygen(...NAMED, '--no-passphrase');
    expect([run.status, readdirSync(cwd), readFileSync(at(name), 'utf8')]).toEqual([13, [name], 'precious']);
    expect(run.stderr).toContain(`${name} exists already; keys and certificates are never overwritten`);
  });

  it('leaves no key when the certificate cannot be written', async () => {
    mkdirSync(at('here'));
    const files = ['--key', 'here/k', '--cert', 'not/here/c'];
    const run = await keygen('--subject', '/CN=a', '--bits', '2048', '--no-passphrase', ...files);
    expect([run.status, readdirSync(at('here'))]).toEqual([13, []]);
    expect(existsSync(at('not'))).toBe(false);
  });

  it.each([
    [['--subject', 'CN=a'], '--subject: it must begin with a slash'],
    [['--subject', '/CN=a+OU=b'], 'several values'],
    [['--subject', '/XYZZY=a'], 'XYZZY'],
    [['--days', '0'], '--days takes a number from 1'],
    [['--bits', '1024'], 'Allowed choices are 2048, 3072, 4096'],
    [['--cert', './my_private.key'], 'name the same file'],
    [['--passphrase-env', 'HOME'], '--no-passphrase and a passphrase option cannot be used together'],
  ])('refuses %j', async (args, message) => {
    const run = await keygen(...NAMED, '--no-passphrase', ...args);
    expect([run.status, run.stderr]).toEqual([2, expect.stringContaining(message)]);
    expect(readdirSync(cwd)).toEqual([]);
  });
});
