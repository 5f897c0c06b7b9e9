/** `callseal installation …`: from the request to a second server, and what is refused. */

import { cpSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { CTRL_C, onTerminal } from './helpers/cli.ts';
import { openssl } from './helpers/keys.ts';
import { makeSite, PASSPHRASE, type Site, siteAt, withKey } from './helpers/keys-cli.ts';
import { tempDir } from './helpers/temp.ts';

let site: Site;

beforeEach(async () => {
  site = await makeSite();
});

const at = (name: string): string => join(site.cwd, name);

/** What an authority makes of a request. */
function grant(request: string, certificate: string, days = '30'): void {
  const dir = tempDir();
  const [key, root] = [join(dir, 'ca.key'), join(dir, 'ca.crt')];
  openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', root, '-subj', '/CN=authority');
  const serial = ['-CAcreateserial', '-days', days];
  openssl('x509', '-req', '-in', request, '-CA', root, '-CAkey', key, ...serial, '-out', certificate);
}

describe('installation request', () => {
  it('makes an encrypted key of 4096 bits and a request that openssl verifies', async () => {
    const fresh = await makeSite({ ownKey: true });
    const facts = await fresh.json([
      'installation',
      'request',
      '--subject',
      '/O=MyCompany/CN=voice',
      '--out',
      'license.csr',
    ]);
    const text = openssl('req', '-in', join(fresh.cwd, 'license.csr'), '-noout', '-verify', '-text').toString();
    expect(text).toContain('Subject: O = MyCompany, CN = voice');
    expect(text).toContain('Public-Key: (4096 bit)');
    const key = join(fresh.cwd, 'installation/installation.key');
    expect(statSync(key).mode & 0o777).toBe(0o600);
    expect(readFileSync(key, 'utf8')).toContain('BEGIN ENCRYPTED PRIVATE KEY');
    openssl('pkey', '-in', key, '-passin', `pass:${PASSPHRASE}`, '-noout');
    expect(facts).toMatchObject({ exportable: true, certificate: null, place: { kind: 'file', path: key } });
    const shown = JSON.parse((await fresh.run('installation show --json')).stdout.toString());
    expect(shown.keyId).toBe(facts.keyId);
  });

  it('never replaces a key, nor the request', async () => {
    const before = readFileSync(at('installation/installation.key'));
    const again = await site.run(withKey(['installation', 'request', '--subject', '/CN=other']));
    expect([again.status, again.stderr]).toEqual([13, expect.stringContaining('nothing ever replaces one')]);
    expect(again.stderr).not.toContain('--force');
    expect(readFileSync(at('installation/installation.key')).equals(before)).toBe(true);
    writeFileSync(at('license.csr'), 'mine');
    const options = ['--installation', at('another'), '--out', 'license.csr'];
    const other = await site.run(withKey(['installation', 'request', '--subject', '/CN=a', ...options]));
    expect([other.status, existsSync(at('another'))]).toEqual([13, false]);
  });

  it.each([
    [['--subject', 'CN=a'], 'it must begin with a slash'],
    [['--subject', '/CN=a', '--passphrase', 'secret'], 'a passphrase is not taken from the command line'],
    [['--subject', '/CN=a', '--pkcs11', 'pkcs11:token=a?module-path=/lib/none.so'], 'gives the new key no label'],
    [['--subject', '/CN=a', '--pkcs11', 'pkcs11:object=a?pin-value=1234'], 'pin-source=file:'],
  ])('%j is wrong usage', async (options, message) => {
    const run = await site.run(['installation', 'request', '--installation', at('new'), ...options]);
    expect([run.status, run.stderr]).toEqual([2, expect.stringContaining(message)]);
    expect(run.stderr).not.toContain('1234');
  });

  it('asks twice on a terminal, unseen', async () => {
    const answers = [
      { after: /Passphrase for the new key .*: $/, type: 'open sesame\n' },
      { after: /: $/, type: 'open sesame\n' },
    ];
    const args = ['installation', 'request', '--subject', '/CN=a', '--installation', at('typed')];
    const { status, screen } = await onTerminal(args, { cwd: site.cwd, env: site.env, answers });
    expect(status, screen).toBe(0);
    expect(screen).not.toContain('sesame');
    openssl('pkey', '-in', at('typed/installation.key'), '-passin', 'pass:open sesame', '-noout');
  });
});

describe('installation install', () => {
  it('takes the certificate of its own key only', async () => {
    grant(at('installation/installation.csr'), at('license.crt'));
    const run = await site.run('installation install --cert license.crt');
    expect([run.status, run.stderr]).toEqual([0, expect.stringContaining('certificate of CN=voice installed')]);
    expect((await site.run('installation show')).stdout.toString()).toMatch(/issued by CN=authority/);

    const stranger = await makeSite({ ownKey: true });
    await stranger.ok(['installation', 'request', '--subject', '/CN=stranger', '--out', 'license.csr']);
    grant(join(stranger.cwd, 'license.csr'), at('stranger.crt'));
    const wrong = await site.run('installation install --cert stranger.crt');
    expect([wrong.status, wrong.stderr]).toEqual([19, expect.stringContaining('a certificate for another key')]);
    expect((await site.run('installation show')).stdout.toString()).toContain('CN=voice');
  });

  it('says what is missing', async () => {
    const none = await site.run('installation install --cert none.crt');
    expect([none.status, none.stderr]).toEqual([13, expect.stringContaining('none.crt')]);
    const empty = siteAt(tempDir(), 'sqlite:keys.db');
    const show = await empty.run('installation show');
    expect(show.status).toBe(13);
  });
});

describe('a second server', () => {
  const EXPORT = ['installation', 'export', '--out', 'server2.p12', '--p12-passphrase-env', 'MOVE'];

  it('opens what the first has protected, from a copy of the store', async () => {
    const env = { MOVE: 'on the road' };
    const entity = ['models', '--type', 'claimant', '--id', 'c-41'];
    const sealed = await site.run(withKey(['protect', ...entity]), { input: 'a voice model' });
    await site.ok(EXPORT, { env });
    expect(statSync(at('server2.p12')).mode & 0o777).toBe(0o600);
    openssl('pkcs12', '-in', at('server2.p12'), '-passin', 'pass:on the road', '-nodes', '-info');

    const machine = tempDir();
    cpSync(at('keys.db'), join(machine, 'keys.db'));
    const second = siteAt(machine, `sqlite:${join(machine, 'keys.db')}`);
    const file = ['installation', 'import', at('server2.p12'), '--p12-passphrase-env', 'MOVE'];
    await second.ok(file, { env });
    const opened = await second.run(withKey(['unprotect', ...entity]), { input: sealed.stdout });
    expect(opened.stdout.toString()).toBe('a voice model');
    const again = await second.run(withKey(file), { env });
    expect([again.status, again.stderr]).toEqual([13, expect.stringContaining('nothing ever replaces one')]);
  });

  it('is refused a key that does not leave', async () => {
    const kept = await makeSite({ ownKey: true });
    await kept.ok(['installation', 'request', '--subject', '/CN=a', '--non-exportable']);
    const run = await kept.run(withKey(EXPORT), { env: { MOVE: 'x' } });
    expect([run.status, run.stderr]).toEqual([14, expect.stringContaining('made not to be exported')]);
    expect(existsSync(join(kept.cwd, 'server2.p12'))).toBe(false);
  });

  it('is told a wrong passphrase from a broken file', async () => {
    await site.ok(EXPORT, { env: { MOVE: 'right' } });
    const second = siteAt(tempDir(), 'sqlite:keys.db');
    const wrong = await second.run(
      withKey(['installation', 'import', at('server2.p12'), '--p12-passphrase-env', 'MOVE']),
      {
        env: { MOVE: 'wrong' },
      },
    );
    expect(wrong.status).toBe(6);
    expect(existsSync(join(second.cwd, 'installation/installation.key'))).toBe(false);
  });
});

describe('installation verify-backup', () => {
  beforeEach(async () => {
    const args = ['installation', 'export', '--out', 'backup.p12', '--p12-passphrase-env', 'SITE_PASSPHRASE'];
    await site.ok(args);
  });

  it('opens every master key and changes nothing', async () => {
    await site.ok('master create');
    await site.ok('master rotate');
    const before = readFileSync(at('keys.db'));
    const result = await siteAt(tempDir(), String(site.env.CALLSEAL_STORE)).json([
      'installation',
      'verify-backup',
      at('backup.p12'),
    ]);
    expect(result.masterKeys).toBe(2);
    expect(readFileSync(at('keys.db')).equals(before)).toBe(true);
  });

  it('refuses the backup of another key', async () => {
    const other = await makeSite({ ownKey: true });
    await other.ok(['installation', 'request', '--subject', '/CN=other']);
    await other.ok('master create');
    const run = await other.run(withKey(['installation', 'verify-backup', at('backup.p12')]));
    expect([run.status, run.stderr]).toEqual([19, expect.stringContaining('belongs to installation key')]);
  });
});

describe('a passphrase', () => {
  it('is taken from the service manager', async () => {
    const credentials = tempDir();
    writeFileSync(join(credentials, 'callseal-installation'), `${PASSPHRASE}\n`, { mode: 0o400 });
    const run = await site.run('master create', { env: { CREDENTIALS_DIRECTORY: credentials } });
    expect([run.status, run.stderr]).toEqual([0, expect.stringContaining('first master key')]);
  });

  it('is asked for on a terminal, three times at most', async () => {
    const wrong = { after: /Passphrase for .*installation\.key: $/, type: 'wrong\n' };
    const right = { after: /did not open it.*: $/, type: `${PASSPHRASE}\n` };
    const opened = await onTerminal(['master', 'create'], { ...site, answers: [wrong, right] });
    expect(opened.status, opened.screen).toBe(0);
    const ended = await onTerminal(['master', 'list'], { ...site, answers: [{ ...wrong, type: CTRL_C }] });
    expect(ended.status).toBe(130);
  });

  it('that is missing or wrong ends with 6', async () => {
    expect((await site.run('master list')).status).toBe(6);
    expect((await site.run('master list --passphrase-env OTHER', { env: { OTHER: 'x' } })).status).toBe(6);
  });
});
