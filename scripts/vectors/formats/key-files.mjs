/**
 * Private-key files, opened by the product's own reader. Which key they hold is said by another OpenSSL, the one in the
 * node executable, where that one reads the form.
 */

import { createHash, createPrivateKey, createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename, dirname, extname } from 'node:path';
import { equal, utf8 } from '../bytes.mjs';
import { expect, Mismatch, NotApplicable } from '../verdict.mjs';

const EXTENSIONS = new Set(['.pem', '.der', '.key', '.pk8', '.p8', '.p12', '.pfx']);

/**
 * Passphrases of the files in python3-cryptography-vectors (from the documentation of pyca/cryptography), by a pattern
 * for folder and name. The first that matches counts; a file without one is opened without a passphrase.
 */
const PASSPHRASES = [
  [/(PKCS8|DER_Serialization)\/enc-rsa-pkcs8/, 'foobar'],
  [/(PKCS8|DER_Serialization)\/enc2-rsa-pkcs8/, 'baz'],
  [/PKCS8\/(ec_private_key_encrypted|pkcs12_s2k_pem)/, '123456'],
  [/(PEM|DER)_Serialization\/(ec_private_key_encrypted|[dr]sa_private_key)/, '123456'],
  [/Traditional_OpenSSL_Serialization\/key1/, '123456'],
  [/Traditional_OpenSSL_Serialization\/key2/, 'a123456'],
  [/Traditional_OpenSSL_Serialization\/testrsa-encrypted/, 'password'],
  [/PKCS8\/bad-encryption-oid/, 'any'],
  [/pkcs12\/(no-cert-)?(no-)?name.*(?<!-no)-pwd/, 'password'],
  [/pkcs12\/(no-cert-key|cert-)/, 'cryptography'],
];

/** Files that hold no usable key: of an unknown kind, of numbers that do not fit, of curve parameters spelt out, or none. */
const UNREADABLE = [/PKCS8\/(bad-|withdompar)/, /\/rsa-bad-/, /pkcs12\/(no-cert-(no-)?name|cert-aes256cbc-no-key)/];

/** The suite of a file, or null when it holds no private key. */
export function readKeyFile({ path, module }) {
  if (!EXTENSIONS.has(extname(path))) return null;
  if (module.binding.PrivateKey.probe(path).privateKeys.length === 0) return null;
  const name = `${basename(dirname(path))}/${basename(path)}`;
  const passphrase = PASSPHRASES.find(([pattern]) => pattern.test(name))?.[1] ?? null;
  return { format: 'key file', algorithm: extname(path).slice(1), cases: casesOf(path, name, passphrase) };
}

function casesOf(path, name, passphrase) {
  if (UNREADABLE.some((pattern) => pattern.test(name))) {
    return [{ name: 'holds no usable key', run: (module) => fails(module, path, passphrase, 'ERR_KEY_UNREADABLE') }];
  }
  const opens = { name: 'opens as the key it holds', run: (module) => isTheKey(module, path, passphrase) };
  if (passphrase === null) return [opens];
  return [
    opens,
    { name: 'asks for its passphrase', run: (module) => fails(module, path, null, 'ERR_PASSPHRASE_REQUIRED') },
    { name: 'refuses another', run: (module) => fails(module, path, `${passphrase}.`, 'ERR_WRONG_PASSPHRASE') },
  ];
}

async function isTheKey(module, path, passphrase) {
  const expected = readElsewhere(path, passphrase);
  let key;
  try {
    key = await load(module, path, passphrase);
  } catch (error) {
    if (passphrase === null && error.code === 'ERR_PASSPHRASE_REQUIRED') {
      throw new NotApplicable('no passphrase is known for this file');
    }
    if (expected?.rsa === false && error.code === 'ERR_KEY_UNREADABLE') {
      throw new NotApplicable('Callseal uses RSA keys; the module reads some others, but not this one');
    }
    if (expected === null && !isPkcs12(path) && error.code === 'ERR_KEY_UNREADABLE') {
      throw new NotApplicable('the OpenSSL in node does not read this file either');
    }
    throw new Mismatch(`does not open: ${error.message}`, { cause: error });
  }
  if (expected !== null) expect('opens as another key than it holds', equal(key.spkiSha256, expected.spkiSha256));
  return true;
}

async function fails(module, path, passphrase, code) {
  const outcome = await load(module, path, passphrase).then(
    () => 'opens',
    (error) => error.code ?? error.message,
  );
  expect(`expected ${code}, got: ${outcome}`, outcome === code);
  return true;
}

function load({ binding }, path, passphrase) {
  const handle = passphrase === null ? null : binding.Passphrase.fromBytes(utf8(passphrase));
  return binding.PrivateKey.load(path, handle);
}

const isPkcs12 = (path) => ['.p12', '.pfx'].includes(extname(path));

/** `{ rsa, spkiSha256 }` as Node reads the file, or null when it does not. */
function readElsewhere(path, passphrase) {
  const key = readFileSync(path);
  const forms = key.includes('-----BEGIN')
    ? [{ format: 'pem' }]
    : ['pkcs8', 'pkcs1', 'sec1'].map((type) => ({ format: 'der', type }));
  for (const form of forms) {
    try {
      const found = createPrivateKey({ key, ...form, ...(passphrase !== null && { passphrase }) });
      const spki = createPublicKey(found).export({ type: 'spki', format: 'der' });
      const rsa = found.asymmetricKeyType?.startsWith('rsa') ?? false;
      return { rsa, spkiSha256: createHash('sha256').update(spki).digest() };
    } catch {
      // Another form, or one that Node does not read.
    }
  }
  return null;
}
