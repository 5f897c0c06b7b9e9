/** What the doctor says of key stores, and that it changes nothing in them. */

import { createHash } from 'node:crypto';
import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import Libsql from 'libsql';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Patient } from '../lib/doctor/check.ts';
import { store } from '../lib/doctor/checks/store.ts';
import { Passphrase } from '../lib/native/passphrase.ts';
import { filesBelow } from './helpers/below.ts';
import { makeSite, PASSPHRASE, type Site, withKey } from './helpers/keys-cli.ts';
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
