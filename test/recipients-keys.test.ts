/** Private keys in every form people have, and those that Callseal makes, from the file to a decrypted call. */

import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

import {
  createCertificate,
  decrypt,
  encrypt,
  generatePrivateKey,
  KeyRing,
  loadPrivateKey,
  Passphrase,
  Recipients,
  status,
} from '../lib/index.ts';
import { codeOf, refusalOf } from './helpers/errors.ts';
import {
  convertKey,
  isEncryptedForm,
  KEY_FORMS,
  type KeyForm,
  type KeyPair,
  makeKeyPair,
  openssl,
} from './helpers/keys.ts';
import { tempDir } from './helpers/temp.ts';
import { decodeCallFile } from './independent-decoder.ts';

const SECRET = 'correct horse';
const FORMS = Object.keys(KEY_FORMS) as KeyForm[];
const dir = tempDir();
let pair: KeyPair;
let sealed: Uint8Array;

beforeAll(async () => {
  pair = makeKeyPair(dir);
  sealed = await encrypt(Buffer.from('hello'), { recipients: await Recipients.load([pair.certificate]) });
});

function inForm(form: KeyForm): string {
  const path = join(tempDir(), 'converted.key');
  convertKey(pair, form, path, SECRET);
  return path;
}

async function expectOpens(keys: KeyRing): Promise<void> {
  expect(Buffer.from(await decrypt(sealed, { keys })).toString()).toBe('hello');
}

const secret = (text: string): Passphrase => Passphrase.fromBytes(Buffer.from(text));

/** Forms that the FIPS module decodes and decrypts itself (measured with 3.5.7; older ones do less). */
const INSIDE: ReadonlySet<KeyForm> = new Set([
  'PKCS#8 PEM',
  'PKCS#8 DER',
  'PKCS#1 PEM',
  'PKCS#1 DER',
  'PBES2 AES-256 PEM',
  'PBES2 AES-256 DER',
]);

describe.each(FORMS)('a private key in %s', (form) => {
  it('opens a file, and leaves a note only when the module did not unwrap it', async () => {
    const path = inForm(form);
    const keys = new KeyRing([path], { passphrases: [secret(SECRET)] });
    await expectOpens(keys);
    const outside = keys.opened()[0]!.unwrappedOutside;
    expect(keys.notes).toEqual(outside === null ? [] : [`${path}: ${outside}`]);
    if (INSIDE.has(form)) expect(outside).toBeNull();
    keys.destroy();
  });

  if (!isEncryptedForm(form)) return;

  it('does not open with a wrong passphrase, or none', async () => {
    const path = inForm(form);
    const wrong = new KeyRing([path], { passphrases: [secret('wrong horse')] });
    expect(await refusalOf(() => decrypt(sealed, { keys: wrong }))).toMatchObject({
      code: 'ERR_WRONG_PASSPHRASE',
      path,
    });
    expect(await codeOf(() => decrypt(sealed, { keys: new KeyRing([path]) }))).toBe('ERR_PASSPHRASE_REQUIRED');
    expect(await codeOf(() => loadPrivateKey(path, secret('wrong horse')))).toBe('ERR_WRONG_PASSPHRASE');
    expect(await codeOf(() => loadPrivateKey(path))).toBe('ERR_PASSPHRASE_REQUIRED');
  });
});

describe('forms that the module cannot unwrap', () => {
  it.for<KeyForm>(['scrypt PEM', 'PBES1 SHA1-3DES PEM', 'traditional DEK-Info PEM', 'PKCS#12'])(
    '%s leave a note',
    async (form, context) => {
      if (status().mode === 'off') return context.skip('not tested, notes on key files: there is no FIPS module here');
      const keys = new KeyRing([inForm(form)], { passphrases: [secret(SECRET)] });
      await expectOpens(keys);
      expect(keys.notes).toHaveLength(1);
      keys.destroy();
    },
  );
});

describe('the documented commands', () => {
  it('make a key without a passphrase that opens a file', async () => {
    await expectOpens(new KeyRing([pair.privateKey]));
  });

  it('make a key with a passphrase that opens a file', async () => {
    const locked = makeKeyPair(tempDir(), { passphrase: 'mypass' });
    const bytes = await encrypt(Buffer.from('hello'), { recipients: await Recipients.load([locked.certificate]) });
    const keys = new KeyRing([locked.privateKey], { passphrases: [secret('mypass')] });
    expect(Buffer.from(await decrypt(bytes, { keys })).toString()).toBe('hello');
  });
});

describe('a key that Callseal makes', () => {
  it.each([2048, 3072, 4096])(
    'of %i bits is certified, saved, loaded, and opens files here and elsewhere',
    async (bits) => {
      const home = tempDir();
      const key = await generatePrivateKey(bits);
      expect(key).toMatchObject({ algorithm: 'RSA', bits });
      const certificate = join(home, 'my_cert.crt');
      writeFileSync(
        certificate,
        await createCertificate(
          key,
          [
            ['C', 'US'],
            ['CN', 'MyCompany'],
          ],
          365,
        ),
      );
      const locked = join(home, 'locked.key');
      const open = join(home, 'open.key');
      await key.save(locked, secret(SECRET));
      await key.save(open, null);
      expect(statSync(locked).mode & 0o777).toBe(0o600);
      expect(await codeOf(() => key.save(locked, null))).toBe('ERR_OUTPUT_EXISTS');
      key.destroy();

      expect(openssl('x509', '-in', certificate, '-noout', '-subject', '-nameopt', 'RFC2253').toString()).toContain(
        'CN=MyCompany,C=US',
      );
      const bytes = await encrypt(Buffer.from('hello'), { recipients: await Recipients.load([certificate]) });
      const loaded = await loadPrivateKey(locked, secret(SECRET));
      expect(loaded.unwrappedOutside).toBeNull();
      expect(Buffer.from(await decrypt(bytes, { keys: KeyRing.of(loaded) })).toString()).toBe('hello');
      expect(decodeCallFile(Buffer.from(bytes), readFileSync(open, 'utf8')).plaintext.toString()).toBe('hello');
    },
  );

  it.each([
    ['512 bits', () => generatePrivateKey(512)],
    ['2049 bits', () => generatePrivateKey(2049)],
    ['no subject', async () => createCertificate(await loadPrivateKey(pair.privateKey), [], 365)],
    ['no days', async () => createCertificate(await loadPrivateKey(pair.privateKey), [['CN', 'x']], 0)],
    ['half a day', async () => createCertificate(await loadPrivateKey(pair.privateKey), [['CN', 'x']], 0.5)],
  ])('is not made with %s', async (_what, call) => {
    expect(await codeOf(call)).toBe('ERR_INVALID_ARGUMENT');
  });
});

describe('KeyRing.of', () => {
  it('opens files with keys that are open, and destroys them', async () => {
    const key = await loadPrivateKey(pair.privateKey);
    const keys = KeyRing.of(key);
    await expectOpens(keys);
    keys.destroy();
    expect(await codeOf(() => key.unwrap(new Uint8Array(256)))).toBe('ERR_KEY_USE');
  });
});
