/** RSA keys and certificates of the recipients, made once by openssl and kept. */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { KEYS } from './paths.mjs';

/**
 * @typedef {object} Identity
 * @property {string} name such as rsa2048-1
 * @property {number} bits
 * @property {string} certificate path, PEM
 * @property {string} publicKey path, PEM
 * @property {string} privateKey path, unencrypted PKCS#8 PEM
 */

/**
 * @param {number} bits 2048 or 4096
 * @param {number} count
 * @returns {Identity[]}
 */
export function identities(bits, count) {
  mkdirSync(KEYS, { recursive: true, mode: 0o700 });
  return Array.from({ length: count }, (_, index) => identity(bits, index + 1));
}

function identity(bits, number) {
  const name = `rsa${bits}-${number}`;
  const file = (suffix) => join(KEYS, `${name}.${suffix}`);
  const made = { name, bits, certificate: file('crt'), publicKey: file('pub'), privateKey: file('key') };
  if (existsSync(made.privateKey)) return made;
  const key = `${made.privateKey}.new`;
  const subject = `/O=Callseal benchmark/CN=${name}`;
  openssl(
    'req',
    '-x509',
    '-newkey',
    `rsa:${bits}`,
    '-nodes',
    '-keyout',
    key,
    '-out',
    made.certificate,
    '-days',
    '3650',
    '-subj',
    subject,
  );
  openssl('pkey', '-in', key, '-pubout', '-out', made.publicKey);
  // Last: an interrupted run is begun anew.
  renameSync(key, made.privateKey);
  return made;
}

function openssl(...args) {
  const { status, stderr } = spawnSync('openssl', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`openssl ${args[0]} failed: ${stderr}`);
}
