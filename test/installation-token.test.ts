/** An installation key in a PKCS#11 token (SoftHSM): made there, used there, never out of it. */

import { constants, createPublicKey, verify } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { KeyHierarchy } from '../lib/keys/index.ts';
import {
  exportInstallation,
  type InstallationRequest,
  installationPaths,
  installCertificate,
  openInstallation,
  parsePkcs11Uri,
  requestInstallation,
} from '../lib/keys/installation/index.ts';
import type { NativePrivateKey } from '../lib/native/binding.ts';
import { native } from '../lib/native/load.ts';
import { Passphrase } from '../lib/native/passphrase.ts';
import { Authority } from './helpers/authority.ts';
import { codeOf, refusalOf } from './helpers/errors.ts';
import { makeKeyPair, openssl } from './helpers/keys.ts';
import { PIN, SOFTHSM_MODULE, SoftHsm } from './helpers/softhsm.ts';
import { tempDir } from './helpers/temp.ts';

const n = native();
const pin = (text = PIN) => Passphrase.fromBytes(Buffer.from(text));
const content = (key: NativePrivateKey) => key.publicKey.wrap(n.SecretKey.generate('content'));

describe.runIf(SOFTHSM_MODULE !== null)('a key in a token (missed without SoftHSM)', () => {
  let hsm: SoftHsm;
  let folder: string;
  let uri: string;
  let made: InstallationRequest;
  let key: NativePrivateKey;

  beforeAll(async () => {
    hsm = new SoftHsm();
    for (const label of ['callseal', 'other', 'twin', 'twin']) hsm.addToken(label);
    const pair = makeKeyPair(tempDir());
    hsm.importKey('other', 'imported', 'a1', pair.privateKey);
    hsm.importKey('other', 'double', 'b1', makeKeyPair(tempDir(), { name: 'b' }).privateKey);
    hsm.importKey('other', 'double', 'b2', makeKeyPair(tempDir(), { name: 'c' }).privateKey);
    hsm.importKey('other', 'curve', 'c1', makeKeyPair(tempDir(), { bits: 'ec', name: 'd' }).privateKey);
    hsm.importKey('other', 'weak', 'd1', makeKeyPair(tempDir(), { bits: 1024, name: 'e' }).privateKey);
    folder = join(tempDir(), 'installation');
    uri = hsm.uri('callseal', 'installation');
    made = await requestInstallation({ folder, subject: [['CN', 'hsm-1']], pkcs11: uri, pin: pin() });
    key = (await openInstallation({ folder, passphrase: pin() })).key;
  });

  const open = (changed: string, given = pin()) => n.Token.open(parsePkcs11Uri(changed).address, given);

  it('signs its request, which openssl verifies, and takes the certificate', async () => {
    const { request, certificate } = installationPaths(folder);
    expect(readdirSync(folder).sort()).toEqual(['installation.csr', 'installation.json']);
    expect(openssl('req', '-in', request, '-noout', '-text').toString()).toMatch(/Public-Key: \(4096 bit\)/);
    const authority = new Authority();
    await installCertificate({ folder, certificate: authority.sign(request) });
    expect(authority.verifies(certificate)).toBe(true);
    expect(made.facts).toMatchObject({ exportable: false, place: { kind: 'token', uri } });
  });

  it('certifies itself, too', async () => {
    const path = join(tempDir(), 'self.crt');
    writeFileSync(path, await n.createCertificate(key, [['CN', 'hsm-1']], 30));
    expect(openssl('verify', '-CAfile', path, path).toString()).toContain('OK');
  });

  it('signs: the public key, and node, find the signatures right', async () => {
    const data = Buffer.from('a manifest');
    const publicKey = createPublicKey(key.publicKey.toPem());
    for (const scheme of ['pss-sha256', 'pkcs1-sha256', 'pkcs1-sha1'] as const) {
      const signature = await key.sign(scheme, data);
      expect(await key.publicKey.verify(scheme, data, signature)).toBe(true);
      expect(await key.publicKey.verify(scheme, Buffer.from('another'), signature)).toBe(false);
      const [padding, digest] = scheme.split('-') as [string, string];
      const options = padding === 'pss' ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 } : {};
      expect(verify(digest, data, { key: publicKey, ...options }, signature)).toBe(true);
    }
  });

  it('signs and opens from many calls at once', async () => {
    const data = Array.from({ length: 12 }, (_, i) => Buffer.from(`manifest ${i}`));
    const wrapped = await content(key);
    const work = data.map(async (each, i) => {
      const signature = await key.sign('pss-sha256', each);
      if (i % 3 === 0) await key.unwrap(wrapped);
      return key.publicKey.verify('pss-sha256', each, signature);
    });
    expect(await Promise.all(work)).toEqual(data.map(() => true));
  });

  it('opens content keys and master keys wrapped for it, and says who did what', async () => {
    const original = n.SecretKey.generate('content');
    const opened = await key.unwrap(await key.publicKey.wrap(original));
    const label = Buffer.from('label');
    const tag = original.derive('mac', label, label).mac(label);
    expect(opened.derive('mac', label, label).verifyMac(label, tag)).toBe(true);

    const context = new Uint8Array(32);
    const master = n.MasterKey.generate('aes', context);
    const again = await key.unwrapMaster(await key.publicKey.wrapMaster(master), 'aes', context);
    expect(again.verifyRow(label, master.macRow(label))).toBe(true);
    expect(key.unwrappedOutside).toMatch(
      /used in the token \(SoftHSM v2 of SoftHSM project\), outside the FIPS module/,
    );
    expect(key.unwrappedOutside).toMatch(/does not offer OAEP with SHA-256.*libcrypto takes the OAEP padding off/);
  });

  it('is at the root of a hierarchy, which says that it is used outside the module', async () => {
    const installation = { folder, passphrase: pin() };
    const store = `sqlite:${join(tempDir(), 'keys.db')}`;
    await using keys = await KeyHierarchy.open({ store, stateDirectory: null, installation });
    const { installation: shown, remarks } = await keys.overview();
    expect(shown.outside).toMatch(/used in the token .*, outside the FIPS module/);
    expect(remarks).toContain(shown.outside);
  });

  it('gives one answer to whatever does not open', async () => {
    const wrapped = await content(key);
    const messages = new Set<string>();
    for (const change of [
      (bytes: Buffer) => bytes.writeUInt8(bytes.readUInt8(100) ^ 1, 100),
      (bytes: Buffer) => bytes.fill(0),
      (bytes: Buffer) => bytes.fill(0xff),
      (bytes: Buffer) => bytes.fill(0, 0, 511).writeUInt8(1, 511),
    ]) {
      const altered = Buffer.from(wrapped);
      change(altered);
      const { code, message } = await refusalOf(() => key.unwrap(altered));
      expect(code).toBe('ERR_TAMPERED');
      messages.add(message);
    }
    for (const length of [0, 256, 511, 513]) {
      messages.add((await refusalOf(() => key.unwrap(new Uint8Array(length)))).message);
    }
    messages.add((await refusalOf(async () => key.unwrap(await content(await n.PrivateKey.generate(4096))))).message);
    expect(messages.size).toBe(1);
  });

  it('does not leave the token', async () => {
    const out = join(tempDir(), 'key');
    expect(await codeOf(() => key.save(out, pin()))).toBe('ERR_NOT_EXPORTABLE');
    expect(await codeOf(() => key.savePkcs12(out, null, 'x', pin()))).toBe('ERR_NOT_EXPORTABLE');
    const exported = () => exportInstallation({ folder, passphrase: pin(), out, outPassphrase: pin('x') });
    const { code, message } = await refusalOf(exported);
    expect(code).toBe('ERR_NOT_EXPORTABLE');
    expect(message).toMatch(/in a token/);
    expect(existsSync(out)).toBe(false);
  });

  it('is never made twice under one label, nor without one', async () => {
    const again = (pkcs11: string) =>
      requestInstallation({ folder: join(tempDir(), 'i'), subject: [['CN', 'x']], pkcs11, pin: pin() });
    const taken = await refusalOf(() => again(uri));
    expect(taken.code).toBe('ERR_OUTPUT_EXISTS');
    expect(taken.message).toMatch(/never replaced/);
    expect(await codeOf(() => again(`pkcs11:token=callseal?module-path=${hsm.module}`))).toBe('ERR_INVALID_ARGUMENT');
    const id = `pkcs11:token=other;object=new;id=%A1?module-path=${hsm.module}`;
    expect(await codeOf(() => again(id))).toBe('ERR_OUTPUT_EXISTS');
  });

  it('is not made for a subject that no request can have', async () => {
    const pkcs11 = hsm.uri('callseal', 'unused');
    const folder = join(tempDir(), 'i');
    const wrong = () => requestInstallation({ folder, subject: [['C', 'Germany']], pkcs11, pin: pin() });
    expect(await codeOf(wrong)).toBe('ERR_INVALID_ARGUMENT');
    expect(await codeOf(() => open(pkcs11))).toBe('ERR_NO_MATCHING_KEY');
  });

  it('opens by its URI alone, with the PIN from a file that the URI names', async () => {
    const path = join(tempDir(), 'pin');
    writeFileSync(path, `${PIN}\n`);
    const installation = await openInstallation({ pkcs11: `${uri}&pin-source=file:${path}` });
    expect(installation.facts).toMatchObject({ keyId: made.facts.keyId, exportable: null });
    installation.destroy();
  });

  it('opens with the credential of a service', async () => {
    const directory = tempDir();
    writeFileSync(join(directory, 'callseal-installation'), PIN, { mode: 0o400 });
    process.env.CREDENTIALS_DIRECTORY = directory;
    try {
      (await openInstallation({ folder })).destroy();
    } finally {
      delete process.env.CREDENTIALS_DIRECTORY;
    }
    expect(await codeOf(() => openInstallation({ folder }))).toBe('ERR_PASSPHRASE_REQUIRED');
  });

  it('does not open with a wrong PIN, which is tried once, with a warning', async () => {
    const attempts: number[] = [];
    const ask = (_uri: string, attempt: number) => {
      attempts.push(attempt);
      return pin('wrong-pin');
    };
    const elsewhere = hsm.uri('other', 'imported'); // where this process is not logged in
    const { code, message } = await refusalOf(() => openInstallation({ pkcs11: elsewhere, pin: ask }));
    expect(code).toBe('ERR_WRONG_PASSPHRASE');
    expect(message).toMatch(/a token locks itself/);
    expect(message).not.toContain('wrong-pin');
    expect(attempts).toEqual([1]);
    expect(await codeOf(() => open(elsewhere, pin('1')))).toBe('ERR_WRONG_PASSPHRASE');
  });

  it('does not open with a wrong PIN where this process is logged in already', async () => {
    const { code, message } = await refusalOf(() => open(uri, pin('wrong-pin')));
    expect(code).toBe('ERR_WRONG_PASSPHRASE');
    expect(message).toMatch(/logged in/);
  });

  it('is looked for in vain with a list of what is there', async () => {
    const missing = await refusalOf(() => open(hsm.uri('nowhere', 'installation')));
    expect(missing.code).toBe('ERR_KEY_UNREADABLE');
    expect(missing.message).toMatch(/has no token "nowhere"; it has .*token "callseal" \(serial [0-9a-f]+\)/);
    expect(await codeOf(() => open(hsm.uri('callseal', 'nothing')))).toBe('ERR_NO_MATCHING_KEY');
    const twins = await refusalOf(() => open(hsm.uri('twin', 'installation')));
    expect(twins.code).toBe('ERR_INVALID_ARGUMENT');
    expect(twins.message).toMatch(/name one by its serial: token "twin"/);
    const serial = /serial ([0-9a-f]+)/.exec(twins.message)![1];
    const one = `pkcs11:serial=${serial};object=x?module-path=${hsm.module}`;
    expect(await codeOf(() => open(one))).toBe('ERR_NO_MATCHING_KEY');
  });

  it('that was made elsewhere is used when it is RSA, of some strength, and the only one', async () => {
    const imported = await open(hsm.uri('other', 'imported'));
    expect(imported.bits).toBe(2048);
    imported.destroy();
    const double = await refusalOf(() => open(hsm.uri('other', 'double')));
    expect(double.code).toBe('ERR_INVALID_ARGUMENT');
    expect(double.message).toMatch(/id=/);
    (await open(`pkcs11:token=other;object=double;id=%B2?module-path=${hsm.module}`)).destroy();
    expect(await codeOf(() => open(hsm.uri('other', 'curve')))).toBe('ERR_KEY_UNREADABLE');
    expect(await codeOf(() => open(hsm.uri('other', 'weak')))).toBe('ERR_NOT_APPROVED');
  });

  it('needs a PKCS#11 module', async () => {
    const address = parsePkcs11Uri(uri).address;
    const at = (modulePath: string) => refusalOf(() => n.Token.open({ ...address, modulePath }, pin()));
    expect(await at('/nonexistent.so')).toMatchObject({ code: 'ERR_KEY_UNREADABLE', path: '/nonexistent.so' });
    const text = join(tempDir(), 'module.so');
    writeFileSync(text, 'not a library');
    expect((await at(text)).code).toBe('ERR_KEY_UNREADABLE');
    expect((await at('libsofthsm2.so')).code).toBe('ERR_INVALID_ARGUMENT');
    expect(readFileSync(text, 'utf8')).toBe('not a library');
  });
});
