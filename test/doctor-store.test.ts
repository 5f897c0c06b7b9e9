/** What the doctor says of key stores, and that it changes nothing in them. */

import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import Libsql from 'libsql';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Patient } from '../lib/doctor/check.ts';
import { store } from '../lib/doctor/checks/store.ts';
import { KeyHierarchy } from '../lib/keys/index.ts';
import { openStore } from '../lib/keys/stores/open-store.ts';
import { Passphrase } from '../lib/native/passphrase.ts';
import { Authority } from './helpers/authority.ts';
import { filesBelow } from './helpers/below.ts';
import { makeSite, PASSPHRASE, type Site, siteAt, withKey } from './helpers/keys-cli.ts';
import { ailments, finding, patient } from './helpers/patient.ts';
import { tempDir } from './helpers/temp.ts';

let site: Site;

beforeAll(async () => {
  site = await makeSite();
  await site.ok('master create --suite aes/aes/sha256');
  await site.run(withKey(['protect', 'models', '--type', 'a', '--id', '1']), { input: 'secret' });
  process.env.DOCTOR_PASSPHRASE = PASSPHRASE;
});

/** A copy of the site, as the doctor is told of it. */
function host(change: Partial<Patient> = {}): Patient & { cwd: string } {
  const cwd = tempDir();
  cpSync(site.cwd, cwd, { recursive: true, preserveTimestamps: true });
  const place = patient({
    store: `sqlite:${join(cwd, 'keys.db')}`,
    stateDirectory: join(cwd, 'state'),
    installationFolder: join(cwd, 'installation'),
    passphrase: (_path, attempt) => (attempt > 1 ? null : Passphrase.fromEnvironment('DOCTOR_PASSPHRASE')),
    ...change,
  });
  return { ...place, cwd };
}

function tamper({ cwd }: { cwd: string }, sql: string): void {
  const database = new Libsql(join(cwd, 'keys.db'));
  database.exec(sql);
  database.close();
}

/** Names, times and contents of everything below a directory, without what SQLite makes for every reader. */
function contents(dir: string): string[] {
  return filesBelow(dir, /-(shm|wal)$/).map((path) => {
    const digest = createHash('sha256').update(readFileSync(path)).digest('hex');
    return `${path} ${statSync(path).mtimeMs} ${digest}`;
  });
}

describe('the key store', () => {
  it('is verified, and nothing is changed', async () => {
    const healthy = host();
    const before = contents(healthy.cwd);
    expect(await ailments(store, healthy)).toEqual(['note no-certificate']);
    const { message } = await finding(store, healthy, 'verified');
    expect(message).toMatch(/^verified: 1 master key, \d+ audit entries, .*every row is as it was written$/);
    expect(contents(healthy.cwd)).toEqual(before);
  });

  it('is verified where the state directory is a symbolic link', async () => {
    const linked = host();
    const elsewhere = join(tempDir(), 'elsewhere');
    renameSync(linked.stateDirectory, elsewhere);
    symlinkSync(elsewhere, linked.stateDirectory);
    expect(await ailments(store, linked)).toEqual(['note no-certificate']);
    const restored = host({ stateDirectory: linked.stateDirectory });
    tamper(restored, 'update callseal_working_keys set reserved = 0');
    expect(await ailments(store, restored)).toContain('error altered');
  });

  it('is not verified where what the host remembers cannot be listed', async () => {
    const odd = host({ stateDirectory: join(tempDir(), 'file') });
    writeFileSync(odd.stateDirectory, 'no directory');
    await expect(store.examine(odd)).rejects.toThrow('ENOTDIR');
  });

  it('is not verified where what the host remembers cannot be copied; only the scratch directory then holds a copy', async () => {
    const odd = host();
    mkdirSync(join(odd.stateDirectory, 'odd.json'));
    await expect(store.examine(odd)).rejects.toThrow('odd.json');
    expect(readdirSync(odd.scratch!)).toHaveLength(1);
  });

  it('is reachable, and not verified without the passphrase', async () => {
    const { passphrase: _, ...closed } = host();
    expect(await ailments(store, closed)).toEqual(['note not-verified']);
    expect((await finding(store, closed, 'reachable')).message).toContain('1 master key');
  });

  it('was altered, or put back to an earlier copy', async () => {
    const altered = host();
    tamper(altered, 'update callseal_working_keys set reserved = 0');
    expect(await ailments(store, altered)).toContain('error altered');
    const earlier = host();
    const back = host();
    await site.ok('master rotate');
    cpSync(join(site.cwd, 'state'), earlier.stateDirectory, { recursive: true });
    expect(await ailments(store, { ...earlier, store: back.store })).toContain('error altered');
  });

  it('is not there, or empty', async () => {
    const gone = host({ store: `sqlite:${join(tempDir(), 'keys.db')}` });
    expect(await ailments(store, gone)).toContain('error unreachable');
    const dead = host({ store: 'postgres://nobody@127.0.0.1:9/none?sslmode=disable' });
    expect(await ailments(store, dead)).toContain('error unreachable');
  });

  it('is begun and has no keys yet, with and without the passphrase', async () => {
    const url = `sqlite:${join(tempDir(), 'keys.db')}`;
    await (await openStore(url)).close();
    const stateDirectory = join(tempDir(), 'state');
    const { passphrase: _, ...closed } = host({ store: url, stateDirectory });
    expect(await ailments(store, closed)).toEqual(['note not-verified', 'warning empty']);
    const { remedy } = await finding(store, closed, 'empty');
    expect(remedy).toBe('callseal master create');
    expect(await ailments(store, host({ store: url, stateDirectory }))).toEqual([
      'note no-certificate',
      'warning empty',
    ]);
    const gone = { ...closed, store: `sqlite:${join(tempDir(), 'keys.db')}` };
    expect(await ailments(store, gone)).toEqual(['note not-verified', 'error unreachable']);
  });

  it('has something to remark on: a suite that is not approved, a key that is nearly used up', async () => {
    const found = host({ store: `sqlite:${join(tempDir(), 'keys.db')}`, stateDirectory: join(tempDir(), 'state') });
    const installation = { folder: found.installationFolder, passphrase: found.passphrase! };
    const options = { store: found.store!, stateDirectory: found.stateDirectory, installation, suite: 'lumenvox' };
    const keys = await KeyHierarchy.open(options);
    await keys.protect('models', { type: 'a', id: '1' }, new Uint8Array(7.9 * 2 ** 20));
    await keys.close();
    expect(await ailments(store, found)).toContain('warning remark');
    const { message, remedy, severity } = await finding(store, found, 'budget');
    expect([severity, message, remedy]).toEqual([
      'note',
      '98 % of what the newest key of area models may encrypt is used; another follows by itself',
      'callseal working rotate models',
    ]);
  });

  it('has an installation key whose certificate ends soon, or has ended', async () => {
    const certified = host();
    const folder = siteAt(certified.cwd, certified.store!);
    const license = new Authority().sign(join(certified.installationFolder, 'installation.csr'), 20);
    expect(await folder.run(['installation', 'install', '--cert', license])).toMatchObject({ status: 0 });
    const inDays = (days: number) => ({ ...certified, now: new Date(Date.now() + days * 86_400_000) });
    expect(await ailments(store, { ...certified, warnDays: 10 })).not.toContain('warning certificate');
    expect(await ailments(store, certified)).toContain('warning certificate');
    const { message, remedy } = await finding(store, certified, 'certificate');
    expect(message).toMatch(/^the certificate of the installation key expires in (19|20) days$/);
    expect(remedy).toContain('callseal installation install');
    expect((await finding(store, inDays(23), 'certificate')).message).toMatch(/expired [234] days ago$/);
  });

  it('is not judged by an installation key that is damaged: that is an error of its own', async () => {
    const damaged = host();
    const key = readdirSync(damaged.installationFolder).find((name) => name.endsWith('.key'))!;
    writeFileSync(join(damaged.installationFolder, key), 'no key', { mode: 0o600 });
    await expect(store.examine(damaged)).rejects.toThrow(`${key} holds no private key`);
  });

  it('has no installation key, or a folder that is open to others', async () => {
    expect(await ailments(store, host({ installationFolder: join(tempDir(), 'none') }))).toContain(
      'error no-installation',
    );
    const open = host();
    chmodSync(open.installationFolder, 0o755);
    expect(await ailments(store, open)).toContain('error installation');
  });

  it('is under another installation key', async () => {
    const other = await makeSite({ ownKey: true });
    await other.run([
      'installation',
      'request',
      '--subject',
      '/CN=other',
      '--out',
      'x.csr',
      '--passphrase-env',
      'SITE_PASSPHRASE',
    ]);
    const mixed = host({ installationFolder: join(other.cwd, 'installation') });
    expect(await ailments(store, mixed)).toContain('error other-installation');
  });

  it('is not used here', async () => {
    expect(await ailments(store, patient())).toEqual(['note none']);
  });
});
