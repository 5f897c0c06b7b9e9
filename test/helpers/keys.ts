/** Key pairs made by the real `openssl`, with the commands of the vendor's article on encrypting call files. */

import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { tempDir } from './temp.ts';

export interface KeyPair {
  /** my_cert.crt */
  certificate: string;
  /** my_private.key */
  privateKey: string;
}

export interface KeyPairOptions {
  /** `rsa:2048` by default; also `ec`, `ed25519`. */
  bits?: number | 'ec' | 'ed25519';
  passphrase?: string;
  days?: number;
  /** First part of both file names, and the common name. */
  name?: string;
}

/** Runs openssl; what it prints on stderr is shown only when it fails. */
export function openssl(...args: string[]): Buffer {
  return execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'pipe'] });
}

function subject(name: string): string {
  const organisation = '/C=US/ST=CA/L=San Diego/O=MyCompany/OU=MySoftware';
  return `${organisation}/CN=${name}/emailAddress=support@mycompany.com`;
}

function newKeyArguments(bits: KeyPairOptions['bits']): string[] {
  if (bits === 'ec') return ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
  if (bits === 'ed25519') return ['-newkey', 'ed25519'];
  return ['-newkey', `rsa:${bits ?? 2048}`];
}

const cache = new Map<string, KeyPair>();

/** Makes `<name>_cert.crt` and `<name>_private.key` in `dir`. The same options give the same pair within a test file. */
export function makeKeyPair(dir: string, options: KeyPairOptions = {}): KeyPair {
  const { bits = 2048, passphrase, days = 365, name = 'my' } = options;
  const id = JSON.stringify([bits, passphrase, days, name]);
  let made = cache.get(id);
  if (made === undefined) {
    made = pairIn(tempDir(), name);
    const protection = passphrase === undefined ? ['-nodes'] : ['-passout', `pass:${passphrase}`];
    const key = [...newKeyArguments(bits), '-subj', subject(name), '-keyout', made.privateKey];
    openssl('req', '-x509', ...protection, '-days', String(days), ...key, '-out', made.certificate);
    cache.set(id, made);
  }
  const pair = pairIn(dir, name);
  copyFileSync(made.certificate, pair.certificate);
  copyFileSync(made.privateKey, pair.privateKey);
  return pair;
}

function pairIn(dir: string, name: string): KeyPair {
  return { certificate: join(dir, `${name}_cert.crt`), privateKey: join(dir, `${name}_private.key`) };
}

/** A self-signed certificate of an existing key that is valid between two dates, such as `20200101000000Z`. */
export function certify(dir: string, privateKey: string, options: CertifyOptions): string {
  const { from, to, name = 'my', file = 'dated.crt' } = options;
  const work = tempDir();
  const request = join(work, 'request.csr');
  openssl('req', '-new', '-key', privateKey, '-subj', subject(name), '-out', request);
  const path = join(dir, file);
  const validity = ['-startdate', from, '-enddate', to];
  openssl(
    'ca',
    '-config',
    authority(work),
    '-selfsign',
    '-batch',
    '-notext',
    '-keyfile',
    privateKey,
    '-in',
    request,
    ...validity,
    '-out',
    path,
  );
  return path;
}

export interface CertifyOptions {
  from: string;
  to: string;
  name?: string;
  file?: string;
}

/** `openssl req` of OpenSSL 3.0 cannot name a validity in the past; `openssl ca` can. */
function authority(work: string): string {
  const config = join(work, 'ca.cnf');
  writeFileSync(join(work, 'index.txt'), '');
  writeFileSync(join(work, 'serial'), '01');
  mkdirSync(join(work, 'issued'));
  const lines = [
    '[ca]',
    'default_ca = test',
    '[test]',
    `database = ${join(work, 'index.txt')}`,
    `serial = ${join(work, 'serial')}`,
    `new_certs_dir = ${join(work, 'issued')}`,
    'default_md = sha256',
    'policy = any',
    'unique_subject = no',
    '[any]',
    ...['countryName', 'stateOrProvinceName', 'localityName', 'organizationName'].map((field) => `${field} = optional`),
    ...['organizationalUnitName', 'commonName', 'emailAddress'].map((field) => `${field} = optional`),
  ];
  writeFileSync(config, `${lines.join('\n')}\n`);
  return config;
}

/** Every form of a private-key file that people have (the key in it stays the same). */
export const KEY_FORMS = {
  'PKCS#8 PEM': ['pkcs8', '-topk8', '-nocrypt'],
  'PKCS#8 DER': ['pkcs8', '-topk8', '-nocrypt', '-outform', 'DER'],
  'PKCS#1 PEM': ['rsa', '-traditional'],
  'PKCS#1 DER': ['rsa', '-traditional', '-outform', 'DER'],
  'PBES2 3DES PEM': ['pkcs8', '-topk8', '-v2', 'des3', '-passout', 'PASS'],
  'PBES2 AES-256 PEM': ['pkcs8', '-topk8', '-v2', 'aes-256-cbc', '-passout', 'PASS'],
  'PBES2 AES-256 DER': ['pkcs8', '-topk8', '-v2', 'aes-256-cbc', '-outform', 'DER', '-passout', 'PASS'],
  'scrypt PEM': ['pkcs8', '-topk8', '-scrypt', '-passout', 'PASS'],
  'PBES1 SHA1-3DES PEM': ['pkcs8', '-topk8', '-v1', 'PBE-SHA1-3DES', '-passout', 'PASS'],
  'PBES1 MD5-DES PEM': [
    'pkcs8',
    '-topk8',
    '-v1',
    'PBE-MD5-DES',
    '-provider',
    'legacy',
    '-provider',
    'default',
    '-passout',
    'PASS',
  ],
  'traditional DEK-Info PEM': ['rsa', '-aes256', '-traditional', '-passout', 'PASS'],
  'PKCS#12': ['pkcs12', '-export', '-passout', 'PASS'],
  'PKCS#12 legacy': ['pkcs12', '-export', '-legacy', '-passout', 'PASS'],
} as const satisfies Record<string, readonly string[]>;

export type KeyForm = keyof typeof KEY_FORMS;

/** Whether a form is encrypted, with the passphrase given to {@link convertKey}. */
export function isEncryptedForm(form: KeyForm): boolean {
  return (KEY_FORMS[form] as readonly string[]).includes('PASS');
}

/** Writes the (unencrypted) key of a pair to `path` in another form. */
export function convertKey(pair: KeyPair, form: KeyForm, path: string, passphrase: string): void {
  const args = KEY_FORMS[form].map((word) => (word === 'PASS' ? `pass:${passphrase}` : word));
  const isPkcs12 = args[0] === 'pkcs12';
  openssl(
    ...args,
    isPkcs12 ? '-inkey' : '-in',
    pair.privateKey,
    ...(isPkcs12 ? ['-in', pair.certificate] : []),
    '-out',
    path,
  );
}

/** The RSA public key of a certificate as PEM, in SubjectPublicKeyInfo or PKCS#1 form. */
export function barePublicKey(certificate: string, form: 'spki' | 'pkcs1'): Buffer {
  const spki = openssl('x509', '-in', certificate, '-noout', '-pubkey');
  if (form === 'spki') return spki;
  const path = join(tempDir(), 'public.pem');
  writeFileSync(path, spki);
  return openssl('rsa', '-pubin', '-in', path, '-RSAPublicKey_out');
}

/** A certificate as DER. */
export function derCertificate(certificate: string): Buffer {
  return openssl('x509', '-in', certificate, '-outform', 'DER');
}

/** Several PEM files in one. */
export function bundle(path: string, ...parts: string[]): string {
  writeFileSync(path, Buffer.concat(parts.map((part) => readFileSync(part))));
  return path;
}

/** SHA-256 of the SubjectPublicKeyInfo, as openssl computes it. */
export function keyIdOf(certificate: string): string {
  const pem = join(tempDir(), 'public.pem');
  writeFileSync(pem, openssl('x509', '-in', certificate, '-noout', '-pubkey'));
  const der = join(tempDir(), 'public.der');
  openssl('pkey', '-pubin', '-in', pem, '-outform', 'DER', '-out', der);
  if (!existsSync(der)) throw new Error('openssl wrote no key');
  return openssl('dgst', '-sha256', '-r', der).toString().slice(0, 64);
}
