/** An installation key from its request to the installed certificate, with a real authority. */

import { chmodSync, existsSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

import {
  type InstallationRequest,
  installationPaths,
  installCertificate,
  openInstallation,
  requestInstallation,
  showInstallation,
} from '../lib/keys/installation/index.ts';
import { Passphrase } from '../lib/native/passphrase.ts';
import { Authority } from './helpers/authority.ts';
import { codeOf, refusalOf } from './helpers/errors.ts';
import { bundle, derCertificate, keyIdOf, makeKeyPair, openssl } from './helpers/keys.ts';
import { tempDir } from './helpers/temp.ts';

const SECRET = 'an installation passphrase';
const passphrase = () => Passphrase.fromBytes(Buffer.from(SECRET));
const SUBJECT = [
  ['C', 'US'],
  ['O', 'MyCompany'],
  ['CN', 'ivr-1'],
] as const;

let authority: Authority;
let folder: string;
let made: InstallationRequest;
let license: string;

beforeAll(async () => {
  authority = new Authority();
  folder = join(tempDir(), 'a', 'installation');
  made = await requestInstallation({ folder, subject: SUBJECT, passphrase: passphrase() });
  license = authority.sign(installationPaths(folder).request);
});

describe('a request', () => {
  it('is signed by a new RSA-4096 key, as openssl finds', () => {
    const { request } = installationPaths(folder);
    expect(readFileSync(request, 'utf8')).toBe(made.request);
    const text = openssl('req', '-in', request, '-noout', '-text', '-verify').toString();
    expect(text).toMatch(/Subject: C = US, O = MyCompany, CN = ivr-1/);
    expect(text).toMatch(/Public-Key: \(4096 bit\)/);
    expect(text).toMatch(/Signature Algorithm: sha256WithRSAEncryption/);
    // `req -verify` of OpenSSL 3.0 exits 0 whatever it finds; `x509 -req`, which made the license, does not.
    expect(authority.verifies(license)).toBe(true);
    expect(keyIdOf(license)).toBe(made.facts.keyId);
  });

  it('leaves a private folder: the key encrypted, and nothing that others may read', () => {
    const { key } = installationPaths(folder);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(statSync(key).mode & 0o777).toBe(0o600);
    expect(readFileSync(key, 'utf8')).toMatch(/^-----BEGIN ENCRYPTED PRIVATE KEY-----/);
    expect(readdirSync(folder).sort()).toEqual(['installation.csr', 'installation.json', 'installation.key']);
    expect(made.facts).toEqual({
      keyId: expect.stringMatching(/^[0-9a-f]{64}$/),
      place: { kind: 'file', path: key },
      exportable: true,
      created: expect.any(Date),
      certificate: null,
    });
  });

  it('is never made where a key is, or a part of one', async () => {
    const { key, description } = installationPaths(folder);
    const before = [key, description].map((path) => readFileSync(path, 'utf8'));
    const again = () => requestInstallation({ folder, subject: SUBJECT, passphrase: passphrase() });
    const { code, message } = await refusalOf(again);
    expect(code).toBe('ERR_OUTPUT_EXISTS');
    expect(message).toContain(made.facts.keyId);
    expect([key, description].map((path) => readFileSync(path, 'utf8'))).toEqual(before);

    for (const name of ['installation.key', 'installation.crt', 'installation.csr']) {
      const interrupted = tempDir();
      symlinkSync('nowhere', join(interrupted, name));
      const refusal = await refusalOf(() =>
        requestInstallation({ folder: interrupted, subject: SUBJECT, passphrase: passphrase() }),
      );
      expect(refusal.code).toBe('ERR_OUTPUT_EXISTS');
      expect(refusal.message).toMatch(/interrupted/);
      expect(readdirSync(interrupted)).toEqual([name]);
    }
  });

  it('leaves nothing behind when it fails', async () => {
    const empty = tempDir();
    const wrong = () => requestInstallation({ folder: empty, subject: [['NOSUCH', 'x']], passphrase: passphrase() });
    expect(await codeOf(wrong)).toBe('ERR_INVALID_ARGUMENT');
    const gone = passphrase();
    gone.destroy();
    expect(await codeOf(() => requestInstallation({ folder: empty, subject: SUBJECT, passphrase: gone }))).toBe(
      'ERR_KEY_USE',
    );
    expect(readdirSync(empty)).toEqual([]);
  });

  it('is made once when two are made at the same time', async () => {
    const shared = tempDir();
    const request = () => requestInstallation({ folder: shared, subject: SUBJECT, passphrase: passphrase() });
    const outcomes = await Promise.allSettled([request(), request()]);
    const [winner] = outcomes.filter((outcome) => outcome.status === 'fulfilled');
    const [loser] = outcomes.filter((outcome) => outcome.status === 'rejected');
    expect(loser?.reason).toMatchObject({ code: 'ERR_OUTPUT_EXISTS' });
    const opened = await openInstallation({ folder: shared, passphrase: passphrase() });
    expect(opened.facts.keyId).toBe(winner?.value.facts.keyId);
    opened.destroy();
  });
});

describe('a certificate', () => {
  it('is installed when it is for the key, and shown', async () => {
    const facts = await installCertificate({ folder, certificate: license });
    expect(facts.certificate).toMatchObject({ subject: 'CN=ivr-1,O=MyCompany,C=US', issuer: 'CN=Licensing,O=Vendor' });
    const fingerprint = openssl('x509', '-in', license, '-noout', '-fingerprint', '-sha256').toString();
    expect(facts.certificate?.sha256).toBe(fingerprint.split('=')[1]?.trim().replaceAll(':', '').toLowerCase());
    expect(await showInstallation(folder)).toEqual(facts);
    expect(authority.verifies(installationPaths(folder).certificate)).toBe(true);
  });

  it('may be DER, stand in a chain, or replace an older one; private keys beside it are left behind', async () => {
    const der = join(tempDir(), 'license.der');
    writeFileSync(der, derCertificate(license));
    await installCertificate({ folder, certificate: der });
    expect(authority.verifies(installationPaths(folder).certificate)).toBe(true);

    const other = makeKeyPair(tempDir());
    const chain = bundle(join(tempDir(), 'chain.pem'), other.privateKey, authority.certificate, license);
    await installCertificate({ folder, certificate: chain });
    const installed = readFileSync(installationPaths(folder).certificate, 'utf8');
    expect(installed.match(/-----BEGIN [A-Z ]+-----/g)).toEqual(Array(2).fill('-----BEGIN CERTIFICATE-----'));
    expect(keyIdOf(installationPaths(folder).certificate)).toBe(made.facts.keyId);
  });

  it('for another key, an expired one, one that is not valid yet, or none at all is refused', async () => {
    const before = readFileSync(installationPaths(folder).certificate);
    const other = makeKeyPair(tempDir());
    const refused = (certificate: string, now = new Date()) =>
      refusalOf(() => installCertificate({ folder, certificate, now }));
    const foreign = await refused(other.certificate);
    expect(foreign.code).toBe('ERR_WRONG_INSTALLATION');
    expect(foreign.message).toContain(made.facts.keyId);
    expect((await refused(authority.sign(installationPaths(folder).request, -1))).code).toBe('ERR_CERTIFICATE_EXPIRED');
    expect((await refused(license, new Date(0))).code).toBe('ERR_CERTIFICATE_NOT_YET_VALID');
    expect((await refused(other.privateKey)).code).toBe('ERR_CERTIFICATE_UNREADABLE');
    expect((await refused(join(folder, 'missing.crt'))).code).toBe('ERR_IO');
    expect(await codeOf(() => installCertificate({ folder, certificate: license, now: new Date('x') }))).toBe(
      'ERR_INVALID_ARGUMENT',
    );
    expect(readFileSync(installationPaths(folder).certificate)).toEqual(before);
  });
});

describe('the key', () => {
  it('opens with its passphrase, and opens what was wrapped for it', async () => {
    const installation = await openInstallation({ folder, passphrase: passphrase() });
    expect(Buffer.from(installation.id).toString('hex')).toBe(made.facts.keyId);
    expect(installation.key.bits).toBe(4096);
    expect(installation.key.unwrappedOutside).toBeNull();
    const data = Buffer.from('a manifest');
    const signature = await installation.key.sign('pss-sha256', data);
    expect(await installation.key.publicKey.verify('pss-sha256', data, signature)).toBe(true);
    installation.destroy();
    expect(await codeOf(() => installation.key.sign('pss-sha256', data))).toBe('ERR_KEY_USE');
  });

  it('is asked for three times, and does not open with another passphrase', async () => {
    const attempts: [string, number][] = [];
    const answers = ['wrong', 'wrong again', SECRET];
    const ask = (path: string, attempt: number) => {
      attempts.push([path, attempt]);
      return Passphrase.fromBytes(Buffer.from(answers[attempt - 1]!));
    };
    (await openInstallation({ folder, passphrase: ask })).destroy();
    const { key } = installationPaths(folder);
    expect(attempts).toEqual([1, 2, 3].map((attempt) => [key, attempt]));
    const wrong = Passphrase.fromBytes(Buffer.from('wrong'));
    expect(await codeOf(() => openInstallation({ folder, passphrase: wrong }))).toBe('ERR_WRONG_PASSPHRASE');
    expect(await codeOf(() => openInstallation({ folder }))).toBe('ERR_PASSPHRASE_REQUIRED');
    expect(await codeOf(() => openInstallation({ key, passphrase: wrong }))).toBe('ERR_WRONG_PASSPHRASE');
  });

  it('opens from its file alone', async () => {
    const { key } = installationPaths(folder);
    const installation = await openInstallation({ key, passphrase: passphrase() });
    expect(installation.facts).toEqual({
      keyId: made.facts.keyId,
      place: { kind: 'file', path: key },
      exportable: null,
      created: null,
      certificate: null,
    });
    installation.destroy();
  });

  it('does not open where others could read it', async () => {
    const { key } = installationPaths(folder);
    for (const [path, mode, right] of [
      [folder, 0o750, '0700'],
      [folder, 0o701, '0700'],
      [key, 0o640, '0600'],
    ] as const) {
      chmodSync(path, mode);
      const { code, message } = await refusalOf(() => openInstallation({ folder, passphrase: passphrase() }));
      expect(code).toBe('ERR_NOT_APPROVED');
      expect(message).toContain(`Run: chmod ${right} ${path}`);
      chmodSync(path, path === folder ? 0o700 : 0o600);
    }
    expect(existsSync(key)).toBe(true);
    (await openInstallation({ folder, passphrase: passphrase() })).destroy();
  });

  it('of another installation in the folder is noticed', async () => {
    const other = makeKeyPair(tempDir());
    const { key, description } = installationPaths(tempDir());
    const mixed = join(key, '..');
    chmodSync(mixed, 0o700);
    writeFileSync(key, readFileSync(other.privateKey), { mode: 0o600 });
    writeFileSync(description, readFileSync(installationPaths(folder).description));
    const { code, message } = await refusalOf(() => openInstallation({ folder: mixed }));
    expect(code).toBe('ERR_WRONG_INSTALLATION');
    expect(message).toContain(keyIdOf(other.certificate));
  });
});
