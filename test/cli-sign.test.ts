/** Signed files on the command line: made, required, shown, and refused with exit codes of their own. */

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { callseal, onTerminal } from './helpers/cli.ts';
import { certify, makeKeyPair, openssl } from './helpers/keys.ts';
import { tempDir } from './helpers/temp.ts';

const CONTENT = Buffer.from('a caller says something\n'.repeat(50));
const PASSPHRASE = 'correct horse';
let made: string;
let cwd: string;

const at = (name: string): string => join(cwd, name);
const run = (...args: string[]) => callseal(args, { cwd });
const SIGNED = ['-r', 'mary_cert.crt', '--sign-key', 'host.key', '--sign-cert', 'host.crt'];

beforeAll(async () => {
  made = tempDir();
  const keygen = (name: string, ...more: string[]) =>
    callseal(
      ['keygen', '--subject', `/O=MyCompany/CN=${name}`, '--key', `${name}.key`, '--cert', `${name}.crt`, ...more],
      {
        cwd: made,
      },
    );
  writeFileSync(join(made, 'pass'), `${PASSPHRASE}\n`);
  const first = await keygen('host', '--algorithm', 'ec-p256', '--passphrase-file', 'pass');
  expect([first.status, first.stdout.length]).toEqual([0, 0]);
  expect(first.stderr).toContain('host.key: private key, P-256, for signing, encrypted with the passphrase');
  expect((await keygen('other', '--algorithm', 'ec-p384', '--no-passphrase', '-q')).status).toBe(0);
});

beforeEach(() => {
  cwd = tempDir();
  makeKeyPair(cwd, { name: 'mary' });
  for (const name of ['pass', 'host.key', 'host.crt', 'other.key', 'other.crt']) {
    writeFileSync(at(name), readFileSync(join(made, name)));
  }
  writeFileSync(at('call'), CONTENT);
});

describe('keygen --algorithm', () => {
  it('makes certificates for signing, which openssl takes', () => {
    for (const [name, curve] of [
      ['host', 'prime256v1'],
      ['other', 'secp384r1'],
    ]) {
      const text = `${openssl('x509', '-in', at(`${name}.crt`), '-noout', '-text')}`;
      expect(text).toContain(`ASN1 OID: ${curve}`);
      expect(text).toMatch(/Key Usage: critical\s+Digital Signature\n/);
      openssl('verify', '-CAfile', at(`${name}.crt`), at(`${name}.crt`));
    }
  });

  it('takes no --bits, and no other algorithm', async () => {
    const common = ['keygen', '--subject', '/CN=a', '--key', 'k', '--cert', 'c', '--no-passphrase'];
    const bits = await run(...common, '--algorithm', 'ec-p256', '--bits', '2048');
    expect([bits.status, bits.stderr]).toEqual([2, expect.stringContaining('--bits is for RSA keys')]);
    expect((await run(...common, '--algorithm', 'dsa')).status).toBe(2);
    expect(existsSync(at('k'))).toBe(false);
  });
});

describe('encrypt --sign-key', () => {
  it('signs, with the passphrase of the key from its own options', async () => {
    const sealed = await run('encrypt', ...SIGNED, '--sign-passphrase-file', 'pass', 'call');
    expect([sealed.status, sealed.stderr]).toEqual([0, '']);
    const opened = await run(
      'decrypt',
      '-k',
      'mary_private.key',
      '--require-signer',
      'host.crt',
      '-o',
      'out',
      'call.sealed',
    );
    expect([opened.status, opened.stderr]).toEqual([0, '']);
    expect(readFileSync(at('out'))).toEqual(CONTENT);
  });

  it('asks for the passphrase on the terminal, and takes none from the command line', async () => {
    const answers = [{ after: /Passphrase for/, type: `${PASSPHRASE}\n` }];
    const asked = await onTerminal(['encrypt', ...SIGNED, 'call'], { cwd, answers });
    expect(asked.status, asked.screen).toBe(0);
    expect((await run('encrypt', ...SIGNED, 'call')).status).toBe(6);
    expect((await run('encrypt', ...SIGNED, '--sign-passphrase', 'secret', 'call')).status).toBe(2);
    for (const useless of [
      ['--sign-cert', 'host.crt'],
      ['--sign-passphrase-file', 'pass'],
    ]) {
      const refused = await run('encrypt', '-r', 'mary_cert.crt', ...useless, 'call');
      expect([refused.status, refused.stderr]).toEqual([2, expect.stringContaining('with --sign-key only')]);
    }
  });

  it('signs what goes through standard input, and many files', async () => {
    const key = ['-r', 'mary_cert.crt', '--sign-key', 'other.key', '--sign-cert', 'other.crt'];
    const piped = await callseal(['encrypt', ...key, '-'], { cwd, input: CONTENT });
    expect(piped.status, piped.stderr).toBe(0);
    const mine = ['-k', 'mary_private.key', '--require-signer', 'other.crt'];
    const back = await callseal(['decrypt', ...mine, '-'], { cwd, input: piped.stdout });
    expect([back.status, back.stdout.equals(CONTENT)]).toEqual([0, true]);
    writeFileSync(at('call2'), CONTENT);
    const several = await run('encrypt', ...key, 'call', 'call2');
    expect([several.status, several.stderr]).toEqual([
      0,
      expect.stringContaining('2 files signed and encrypted for 1'),
    ]);
    expect((await run('verify', ...mine, 'call.sealed', 'call2.sealed')).status).toBe(0);
  });

  it('refuses the key of a recipient, and a certificate of another key', async () => {
    const mary = ['--sign-key', 'mary_private.key', '--sign-cert', 'mary_cert.crt'];
    const shared = await run('encrypt', '-r', 'mary_cert.crt', ...mary, 'call');
    expect([shared.status, shared.stderr]).toEqual([2, expect.stringContaining('a key has one purpose')]);
    const mixed = await run(
      'encrypt',
      '-r',
      'mary_cert.crt',
      '--sign-key',
      'other.key',
      '--sign-cert',
      'host.crt',
      'call',
    );
    expect([mixed.status, mixed.stderr]).toEqual([2, expect.stringContaining('holds no certificate of the key')]);
    expect(existsSync(at('call.sealed'))).toBe(false);
  });

  it('remarks that the certificate has expired, and signs', async () => {
    const expired = certify(cwd, at('other.key'), { from: '20200101000000Z', to: '20210101000000Z' });
    const sealed = await run(
      'encrypt',
      '-r',
      'mary_cert.crt',
      '--sign-key',
      'other.key',
      '--sign-cert',
      expired,
      'call',
    );
    expect([sealed.status, sealed.stderr]).toEqual([
      0,
      expect.stringMatching(/expired.*files are signed all the same/),
    ]);
    expect((await run('verify', '-k', 'mary_private.key', '--require-signer', expired, 'call.sealed')).status).toBe(0);
  });
});

describe('--require-signer', () => {
  beforeEach(async () => {
    await run('encrypt', ...SIGNED, '--sign-passphrase-file', 'pass', 'call');
  });

  it('refuses other signers and files without a signature, with an exit code of its own', async () => {
    await run('encrypt', '-r', 'mary_cert.crt', '-o', 'unsigned.sealed', 'call');
    for (const [name, code] of [
      ['call.sealed', 'was signed by what calls itself CN=host,O=MyCompany'],
      ['unsigned.sealed', 'bears no signature'],
    ] as const) {
      const others = ['-k', 'mary_private.key', '--require-signer', 'other.crt'];
      const decrypted = await run('decrypt', ...others, '-o', 'out', name);
      expect([decrypted.status, decrypted.stderr]).toEqual([21, expect.stringContaining(code)]);
      expect(existsSync(at('out'))).toBe(false);
      expect((await run('verify', ...others, name)).status).toBe(21);
      const piped = await callseal(['decrypt', ...others, '-'], { cwd, input: readFileSync(at(name)) });
      expect([piped.status, piped.stdout.length]).toEqual([21, 0]);
    }
  });

  it('takes several certificates, and says which files it cannot read', async () => {
    const both = ['--require-signer', 'other.crt', '--require-signer', 'host.crt'];
    const verified = await run('verify', '-k', 'mary_private.key', ...both, 'call.sealed');
    expect([verified.status, verified.stderr]).toEqual([0, expect.stringMatching(/signed by CN=host,O=MyCompany,/)]);
    const missing = await run('verify', '-k', 'mary_private.key', '--require-signer', 'missing.crt', 'call.sealed');
    expect([missing.status, missing.stderr]).toEqual([4, expect.stringContaining('missing.crt')]);
  });

  it('left out, shows the signer as what the file claims', async () => {
    const verified = await run('verify', '-k', 'mary_private.key', 'call.sealed');
    expect([verified.status, verified.stderr]).toEqual([
      0,
      expect.stringContaining('signed by whom it names as CN=host,O=MyCompany, not required'),
    ]);
    const json = JSON.parse(`${(await run('verify', '-k', 'mary_private.key', '--json', 'call.sealed')).stdout}`);
    expect(json.files[0].signer).toMatchObject({ algorithm: 'ECDSA-P256-SHA256', trusted: false });
    expect(json.files[0].signer.certificate.subject).toBe('CN=host,O=MyCompany');
  });
});

describe('inspect', () => {
  it('names the signer as a claim', async () => {
    await run('encrypt', ...SIGNED, '--sign-passphrase-file', 'pass', 'call');
    const shown = `${(await run('inspect', 'call.sealed')).stdout}`;
    expect(shown).toContain('claims to be signed by CN=host,O=MyCompany');
    expect(shown).toContain('not verified here');
    const json = JSON.parse(`${(await run('inspect', '--json', 'call.sealed')).stdout}`);
    expect(json.files[0]).toMatchObject({ state: 'complete', signer: { algorithm: 'ECDSA-P256-SHA256' } });
    await run('encrypt', '-r', 'mary_cert.crt', '-o', 'unsigned.sealed', 'call');
    expect(`${(await run('inspect', 'unsigned.sealed')).stdout}`).not.toContain('claims');
  });
});
