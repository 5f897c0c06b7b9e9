/** NIST CAVP files of AES-GCM, CBC and AES key wrap. */

import { concat, hex } from '../bytes.mjs';
import { checkMonteCarlo } from '../checks/monte-carlo.mjs';
import { checkCbc, checkGcm, checkKeyWrap } from '../checks/symmetric.mjs';
import { NotApplicable } from '../verdict.mjs';
import { readRecords } from './records.mjs';

const AES_FILE = /^# AESVS (\S+) test data for (\w+)/m;
const DES_FILE = /^# (.*) for (T?(?:CBC|ECB|CFB|OFB)\w*)\r?$/m;
const GCM_FILE = /^# GCM (?:Encrypt|Decrypt)/m;
const WRAP_FILE = /SP ?800-38F (\w+)-A[ED] with (?:AES-(\d+)|TDEA) (inverse )?cipher/;

/** The suite in a file, or null when it is none of these. */
export function readCavpSymmetric({ text }) {
  if (GCM_FILE.test(text)) return suite('AES-GCM', text, gcm);
  const aes = AES_FILE.exec(text);
  if (aes !== null) return blockCipherSuite('AES', aes[2], aes[1] === 'MCT', text);
  const des = text.includes('"tdes_values"') ? DES_FILE.exec(text) : null;
  if (des !== null) return blockCipherSuite('3DES', des[2], des[1].includes('Monte Carlo'), text);
  const wrap = WRAP_FILE.exec(text);
  if (wrap !== null) return wrapSuite(text, wrap);
  if (/^\[KWP\]\s*$/m.test(text)) return suite('AES-KWP', text, keyWrap('WRAP-PAD'));
  return null;
}

function suite(algorithm, text, check) {
  const cases = readRecords(text).map((record) => ({
    name: `line ${record.line}`,
    run: (module) => check(module, record),
  }));
  return { format: 'CAVP', algorithm, cases };
}

/** Files of modes that are not used say so for each of their cases. */
function unusedSuite(algorithm, text) {
  return suite(algorithm, text, () => {
    throw new NotApplicable(`Callseal does not use ${algorithm}`);
  });
}

function gcm(module, { fields }) {
  const { key, iv, aad, pt, ct, tag } = fields;
  const result = 'fail' in fields ? 'invalid' : 'valid';
  const plaintext = pt === undefined ? undefined : hex(pt);
  const vector = { key: hex(key), iv: hex(iv), aad: hex(aad), plaintext, ciphertext: hex(ct), tag: hex(tag) };
  return checkGcm(module, { result, ...vector });
}

function blockCipherSuite(family, mode, monteCarlo, text) {
  if (mode !== 'CBC') return unusedSuite(`${family}-${mode}`, text);
  return suite(`${family}-CBC${monteCarlo ? ' (Monte Carlo)' : ''}`, text, (module, { sections, fields }) => {
    const key = family === 'AES' ? hex(fields.key) : tripleDesKey(fields);
    const cipher = family === 'AES' ? `AES-${key.length * 8}-CBC` : 'DES-EDE3-CBC';
    const vector = {
      cipher,
      key,
      iv: hex(fields.iv),
      plaintext: hex(fields.plaintext),
      ciphertext: hex(fields.ciphertext),
    };
    if (monteCarlo) return checkMonteCarlo(module, { ...vector, encrypt: 'encrypt' in sections });
    return checkCbc(module, { result: 'valid', padding: false, ...vector });
  });
}

/** `KEYs` stands for three equal keys. */
function tripleDesKey({ keys, key1 = keys, key2 = keys, key3 = keys }) {
  return concat(hex(key1), hex(key2), hex(key3));
}

function wrapSuite(text, [, kind, bits, inverse]) {
  if (bits === undefined) return unusedSuite('3DES key wrap', text);
  const variant = `${kind === 'KWP' ? 'WRAP-PAD' : 'WRAP'}${inverse === undefined ? '' : '-INV'}`;
  return suite(`AES-${kind}${inverse === undefined ? '' : ' (inverse cipher)'}`, text, keyWrap(variant));
}

function keyWrap(variant) {
  return (module, { fields }) => {
    const [key, plaintext] = [fields.k ?? fields.key, fields.p ?? fields.input];
    const vector = { key: hex(key), ciphertext: hex(fields.c ?? fields.output) };
    const result = 'fail' in fields ? 'invalid' : 'valid';
    return checkKeyWrap(module, { result, variant, ...vector, ...(plaintext && { plaintext: hex(plaintext) }) });
  };
}
