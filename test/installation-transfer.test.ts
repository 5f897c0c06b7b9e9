/** An installation key on its way to a second server. */

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

import {
  exportInstallation,
  importInstallation,
  installationPaths,
  installCertificate,
  openInstallation,
  requestInstallation,
  showInstallation,
} from '../lib/keys/installation/index.ts';
import { fipsMode } from '../lib/native/load.ts';
import { Passphrase } from '../lib/native/passphrase.ts';
import { Authority } from './helpers/authority.ts';
import { codeOf, refusalOf } from './helpers/errors.ts';
import { keyIdOf, makeKeyPair, openssl } from './helpers/keys.ts';
import { tempDir } from './helpers/temp.ts';

const secret = (text: string) => Passphrase.fromBytes(Buffer.from(text));
const HERE = 'passphrase of the first server';
const BETWEEN = 'passphrase of the way';
const THERE = 'passphrase of the second server';

let first: string;
let keyId: string;
let p12: string;

beforeAll(async () => {
  first = join(tempDir(), 'installation');
  ({
    facts: { keyId },
  } = await requestInstallation({ folder: first, subject: [['CN', 'ivr-1']], passphrase: secret(HERE) }));
  await installCertificate({ folder: first, certificate: new Authority().sign(installationPaths(first).request) });
  p12 = join(tempDir(), 'server2.p12');
  const exported = await exportInstallation({
    folder: first,
    passphrase: secret(HERE),
    out: p12,
    outPassphrase: secret(BETWEEN),
  });
  expect(exported.facts).toEqual(await showInstallation(first));
  if (fipsMode() === 'off') expect(exported.wrappedOutside).toBeNull();
  else expect(exported.wrappedOutside).toMatch(/PKCS12KDF.*outside the FIPS module/);
});

describe('an exported key', () => {
  it('is read by openssl, and is strongly protected', () => {
    expect(statSync(p12).mode & 0o777).toBe(0o600);
    const pass = join(tempDir(), 'pass');
    writeFileSync(pass, BETWEEN);
    const pem = openssl('pkcs12', '-in', p12, '-nodes', '-passin', `file:${pass}`);
    const path = join(tempDir(), 'all.pem');
    writeFileSync(path, pem, { mode: 0o600 });
    expect(keyIdOf(path)).toBe(keyId); // of the certificate
    const der = openssl('pkey', '-in', path, '-pubout');
    expect(der).toEqual(openssl('x509', '-in', path, '-noout', '-pubkey'));
    const info = spawnSync('openssl', ['pkcs12', '-in', p12, '-info', '-noout', '-passin', `file:${pass}`]).stderr;
    expect(info.toString()).toContain('MAC: sha256, Iteration 600000');
    expect(info.toString()).toContain('PBES2, PBKDF2, AES-256-CBC, Iteration 600000, PRF hmacWithSHA256');
  });

  it('is the same installation on the second server', async () => {
    const second = join(tempDir(), 'second');
    const facts = await importInstallation({
      folder: second,
      from: p12,
      fromPassphrase: secret(BETWEEN),
      passphrase: secret(THERE),
    });
    const { created, ...rest } = facts;
    const { created: original, ...expected } = await showInstallation(first);
    expect(rest).toEqual({ ...expected, place: { kind: 'file', path: installationPaths(second).key } });
    expect(created!.getTime()).toBeGreaterThanOrEqual(original!.getTime());

    const here = await openInstallation({ folder: first, passphrase: secret(HERE) });
    const there = await openInstallation({ folder: second, passphrase: secret(THERE) });
    const data = Buffer.from('one installation');
    const signature = await here.key.sign('pss-sha256', data);
    expect(await there.key.publicKey.verify('pss-sha256', data, signature)).toBe(true);
    expect(await codeOf(() => openInstallation({ folder: second, passphrase: secret(HERE) }))).toBe(
      'ERR_WRONG_PASSPHRASE',
    );
    here.destroy();
    there.destroy();
  });

  it('needs its passphrase, and says when that was wrong', async () => {
    const folder = join(tempDir(), 'second');
    const load = (fromPassphrase: Passphrase | ((path: string, attempt: number) => Passphrase | null)) => () =>
      importInstallation({ folder, from: p12, fromPassphrase, passphrase: secret(THERE) });
    const { code, message } = await refusalOf(load(secret('wrong')));
    expect(code).toBe('ERR_WRONG_PASSPHRASE');
    expect(message).toContain(p12);
    expect(await codeOf(load(() => null))).toBe('ERR_PASSPHRASE_REQUIRED');
    const asked: number[] = [];
    expect(
      await codeOf(
        load((_path, attempt) => {
          asked.push(attempt);
          return secret('wrong');
        }),
      ),
    ).toBe('ERR_WRONG_PASSPHRASE');
    expect(asked).toEqual([1, 2, 3]);
    expect(readdirSync(folder)).toEqual([]);
    await load((_path, attempt) => secret(attempt === 2 ? BETWEEN : 'wrong'))();
    expect(await codeOf(load(secret(BETWEEN)))).toBe('ERR_OUTPUT_EXISTS');
  });

  it('may be barred from a third server', async () => {
    const folder = join(tempDir(), 'second');
    const load = { folder, from: p12, fromPassphrase: secret(BETWEEN), passphrase: secret(THERE), exportable: false };
    expect((await importInstallation(load)).exportable).toBe(false);
    const out = join(tempDir(), 'out.p12');
    const again = () => exportInstallation({ folder, passphrase: secret(THERE), out, outPassphrase: secret(BETWEEN) });
    const { code, message } = await refusalOf(again);
    expect(code).toBe('ERR_NOT_EXPORTABLE');
    expect(message).toMatch(/made not to be exported/);
    expect(existsSync(out)).toBe(false);
  });
});

describe('an export', () => {
  it('replaces nothing', async () => {
    const before = readFileSync(p12);
    const again = { folder: first, passphrase: secret(HERE), out: p12, outPassphrase: secret(BETWEEN) };
    expect(await codeOf(() => exportInstallation(again))).toBe('ERR_OUTPUT_EXISTS');
    expect(readFileSync(p12)).toEqual(before);
  });

  it('needs the passphrase of the key', async () => {
    const out = join(tempDir(), 'out.p12');
    const wrong = { folder: first, passphrase: secret('wrong'), out, outPassphrase: secret(BETWEEN) };
    expect(await codeOf(() => exportInstallation(wrong))).toBe('ERR_WRONG_PASSPHRASE');
    expect(existsSync(out)).toBe(false);
  });
});

describe('an import', () => {
  it('takes what openssl made, and nothing but PKCS#12 with an RSA key', async () => {
    const dir = tempDir();
    const pair = makeKeyPair(dir, { bits: 3072 });
    const made = join(dir, 'made.p12');
    openssl(
      'pkcs12',
      '-export',
      '-in',
      pair.certificate,
      '-inkey',
      pair.privateKey,
      '-passout',
      'pass:x',
      '-out',
      made,
    );
    const load = (from: string) =>
      importInstallation({
        folder: join(tempDir(), 'i'),
        from,
        fromPassphrase: secret('x'),
        passphrase: secret(THERE),
      });
    const facts = await load(made);
    expect(facts.keyId).toBe(keyIdOf(pair.certificate));
    expect(facts.certificate?.subject).toMatch(/CN=my/);
    expect(await codeOf(() => load(pair.privateKey))).toBe('ERR_KEY_UNREADABLE');
    const planted = join(dir, 'planted.p12');
    const open = ['-nomac', '-keypbe', 'NONE', '-certpbe', 'NONE', '-passout', 'pass:'];
    openssl('pkcs12', '-export', '-in', pair.certificate, '-inkey', pair.privateKey, ...open, '-out', planted);
    expect((await refusalOf(() => load(planted))).message).toMatch(/neither encrypted nor under an integrity check/);

    const ec = makeKeyPair(dir, { bits: 'ec', name: 'ec' });
    openssl(
      'pkcs12',
      '-export',
      '-in',
      ec.certificate,
      '-inkey',
      ec.privateKey,
      '-passout',
      'pass:x',
      '-out',
      `${dir}/ec.p12`,
    );
    expect(await codeOf(() => load(`${dir}/ec.p12`))).toBe('ERR_NOT_APPROVED');
  });
});
