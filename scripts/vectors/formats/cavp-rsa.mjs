/** NIST CAVP files of RSA signatures, and BoringSSL's of RSA-OAEP with a label. */

import { hex, hexNumber, utf8 } from '../bytes.mjs';
import { checkOaep, checkPkcs1, checkPss } from '../checks/rsa.mjs';
import { bitLength, spkiOfNumbers } from '../der.mjs';
import { digestName } from '../digests.mjs';
import { NotApplicable } from '../verdict.mjs';
import { readRecords } from './records.mjs';

const SIGNATURE_FILE = /^# "Sig(?:Gen|Ver) (PKCS#1 Ver 1\.5|PKCS#1 RSASSA-PSS|RSA \(X9\.31\))/m;

/** The suite in a file, or null when it is none of these. */
export function readCavpRsa({ text }) {
  const kind = SIGNATURE_FILE.exec(text)?.[1];
  if (kind !== undefined) return signatureSuite(kind, text);
  if (/^RSAPadding = OAEP/m.test(text)) {
    const records = readRecords(text).filter(({ fields }) => 'rsapadding' in fields);
    const cases = records.map(({ line, fields }) => ({ name: `line ${line}`, run: (module) => oaep(module, fields) }));
    return { format: 'BoringSSL', algorithm: 'RSA-OAEP', cases };
  }
  return null;
}

/** A record may give numbers of the key for those that follow; one with a message is a case. */
function signatureSuite(kind, text) {
  const announcedSalt = /^# Salt len: (\d+)/m.exec(text)?.[1];
  const cases = [];
  let key = {};
  for (const { line, fields } of readRecords(text)) {
    key = { n: fields.n ?? key.n, e: fields.e ?? key.e };
    const vector = { ...fields, ...key };
    if ('msg' in fields)
      cases.push({ name: `line ${line}`, run: (module) => signature(module, kind, vector, announcedSalt) });
  }
  return { format: 'CAVP', algorithm: kind, cases };
}

function signature(module, kind, fields, announcedSalt) {
  if (kind.startsWith('RSA')) throw new NotApplicable('Callseal does not use X9.31 signatures');
  const [modulus, exponent] = [hexNumber(fields.n), hexNumber(fields.e)];
  const vector = {
    result: resultOf(fields),
    spki: spkiOnce(fields.n, fields.e, modulus, exponent),
    bits: bitLength(modulus),
    digest: digestName(fields.shaalg),
    message: hex(fields.msg),
    signature: hex(fields.s),
  };
  if (kind.endsWith('1.5')) return checkPkcs1(module, vector);
  const saltLength = announcedSalt === undefined ? hex(fields.saltval).length : Number(announcedSalt);
  return checkPss(module, { ...vector, mgf1Digest: vector.digest, saltLength });
}

/** What is generated has no result field: it is right. */
function resultOf({ result = 'P' }) {
  return { P: 'valid', F: 'invalid' }[result[0]];
}

/** One array a key, so that what is remembered of it is found again. */
const spkis = new Map();

function spkiOnce(n, e, modulus, exponent) {
  const id = `${n}:${e}`;
  if (!spkis.has(id)) spkis.set(id, spkiOfNumbers(modulus, exponent));
  return spkis.get(id);
}

function oaep(module, { key, oaepdigest, mgf1digest = oaepdigest, oaeplabel = '', input, output }) {
  const quoted = /^"(.*)"$/.exec(output);
  return checkOaep(module, {
    result: 'valid',
    pkcs8: hex(key),
    digest: digestName(oaepdigest),
    mgf1Digest: digestName(mgf1digest),
    label: hex(oaeplabel),
    plaintext: quoted === null ? hex(output) : utf8(quoted[1]),
    ciphertext: hex(input),
  });
}
