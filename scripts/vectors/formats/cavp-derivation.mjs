/** Files of HMAC (CAVP and RFC 2202, RFC 4231), HKDF (RFC 5869) and KBKDF (CAVP). */

import { concat, hex } from '../bytes.mjs';
import { checkHkdf, checkHmac, checkKbkdf } from '../checks/derivation.mjs';
import { digestName } from '../digests.mjs';
import { NotApplicable } from '../verdict.mjs';
import { readRecords } from './records.mjs';

const RFC_HMAC_FILE = /^# .*Test Cases for HMAC-([\w-]+)/m;
const CAVP_HMAC_HASH = { 20: 'SHA-1', 28: 'SHA-224', 32: 'SHA-256', 48: 'SHA-384', 64: 'SHA-512' };

/** The suite in a file, or null when it is none of these. */
export function readCavpDerivation({ text }) {
  if (/^\[CTRLOCATION\s*=/m.test(text)) return suite('CAVP', 'KBKDF in counter mode', text, 'ko', kbkdf);
  if (/^IKM\s*=/m.test(text)) return suite('RFC 5869', 'HKDF', text, 'okm', hkdf);
  const rfc = RFC_HMAC_FILE.exec(text);
  if (rfc !== null) return suite('RFC', `HMAC-${rfc[1]}`, text, 'md', rfcHmac(rfc[1]));
  if (/^\[L\s*=\s*\d+\]/m.test(text) && /^Mac\s*=/m.test(text)) return suite('CAVP', 'HMAC', text, 'mac', cavpHmac);
  return null;
}

/** A case is a record with the field that holds the answer; other records only tell the reader something. */
function suite(format, algorithm, text, answer, check) {
  const cases = joined(readRecords(text))
    .filter(({ fields }) => answer in fields)
    .map((record) => ({ name: `line ${record.line}`, run: (module) => check(module, record) }));
  return { format, algorithm, cases };
}

/** Some files put empty lines inside a record; what begins it, COUNT, then tells. */
function joined(records) {
  if (!records.some(({ fields }) => 'count' in fields && Object.keys(fields).length === 1)) return records;
  const whole = [];
  for (const record of records) {
    if ('count' in record.fields) whole.push(record);
    else Object.assign(whole.at(-1)?.fields ?? {}, record.fields);
  }
  return whole;
}

function rfcHmac(hash) {
  return (module, { fields }) => {
    const message = Number(fields.len) === 0 ? hex('') : hex(fields.msg);
    return checkHmac(module, {
      result: 'valid',
      digest: digestName(hash),
      key: hex(fields.key),
      message,
      tag: hex(fields.md),
    });
  };
}

/** CAVP names the hash by its length alone. */
function cavpHmac(module, { sections, fields }) {
  const digest = digestName(CAVP_HMAC_HASH[Number(sections.l)]);
  const vector = { digest, key: hex(fields.key), message: hex(fields.msg), tag: hex(fields.mac) };
  return checkHmac(module, { result: 'valid', ...vector });
}

function hkdf(module, { fields }) {
  return checkHkdf(module, {
    result: 'valid',
    digest: digestName(fields.hash),
    key: hex(fields.ikm),
    salt: hex(fields.salt),
    info: hex(fields.info),
    length: Number(fields.l),
    output: hex(fields.okm),
  });
}

function kbkdf(module, { sections, fields }) {
  if (sections.ctrlocation !== 'BEFORE_FIXED') {
    throw new NotApplicable('OpenSSL puts the KBKDF counter before the fixed input, not after or into it');
  }
  return checkKbkdf(module, {
    ...prf(sections.prf, hex(fields.ki)),
    fixedInput: hex(fields.fixedinputdata),
    counterBits: Number(/^(\d+)_BITS$/.exec(sections.rlen)[1]),
    output: hex(fields.ko),
  });
}

function prf(name, key) {
  const [mac, base] = name.split('_');
  if (mac === 'HMAC') return { mac, algorithm: digestName(base), key };
  if (base.startsWith('AES')) return { mac, algorithm: `AES-${base.slice(3)}-CBC`, key };
  // Two-key 3DES is three-key 3DES with the first key again as the third.
  return { mac, algorithm: 'DES-EDE3-CBC', key: key.length === 16 ? concat(key, key.subarray(0, 8)) : key };
}
