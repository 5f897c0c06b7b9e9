/** C2SP Wycheproof files: JSON with an algorithm, a schema and groups of cases. */

import { derOfPem, hex, hexNumber } from '../bytes.mjs';
import { checkHkdf, checkHmac } from '../checks/derivation.mjs';
import { checkOaep, checkPkcs1, checkPkcs1Signing, checkPss } from '../checks/rsa.mjs';
import { checkCbc, checkGcm, checkKeyWrap } from '../checks/symmetric.mjs';
import { bitLength, pkcs8OfNumbers, spkiOfNumbers, spkiOfPkcs1 } from '../der.mjs';
import { digestName } from '../digests.mjs';
import { NotApplicable } from '../verdict.mjs';

/** By algorithm and group type. Each makes, of a group, a function that checks one of its cases. */
const READERS = [
  { algorithm: /^AES-GCM$/, type: 'AeadTest', of: () => gcm },
  { algorithm: /^AES-CBC-PKCS5$/, type: 'IndCpaTest', of: () => cbc },
  { algorithm: /^(AES-WRAP|AES-KW|KW)$/, type: 'KeywrapTest', of: () => keyWrap('WRAP') },
  { algorithm: /^(AES-KWP|KWP)$/, type: 'KeywrapTest', of: () => keyWrap('WRAP-PAD') },
  { algorithm: /^HMAC/, type: 'MacTest', of: (_, algorithm) => hmac(algorithm.replace(/^HMAC-?/, '')) },
  { algorithm: /^HKDF-/, type: 'HkdfTest', of: (_, algorithm) => hkdf(algorithm.replace(/^HKDF-/, '')) },
  { algorithm: /^RSAES-OAEP$/, type: 'RsaesOaepDecrypt', of: oaep },
  { algorithm: /^RSASSA-PSS$/, type: 'RsassaPssVerify', of: pss },
  { algorithm: /^RSASSA-PSS$/, type: 'RsassaPssWithParametersVerify', of: pss },
  { algorithm: /^RSASSA-PKCS1-v1_5$/, type: 'RsassaPkcs1Verify', of: pkcs1 },
  { algorithm: /^RSASSA-PKCS1-v1_5$/, type: 'RsassaPkcs1Generate', of: pkcs1Signing },
  { algorithm: /^RSASig$/, type: 'RSASigVer', of: pkcs1 }, // the first generation of files
];

/** The suite in a file, or null when it is no Wycheproof file. */
export function readWycheproof({ text }) {
  const file = parse(text);
  if (!Array.isArray(file?.testGroups)) return null;
  const algorithm = String(file.algorithm ?? 'unnamed algorithm');
  const cases = file.testGroups.flatMap((group) => casesOf(algorithm, group));
  return { format: 'Wycheproof', algorithm, cases, announced: file.numberOfTests };
}

function parse(text) {
  if (!text.trimStart().startsWith('{')) return null;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function casesOf(algorithm, group) {
  const check = checkOf(algorithm, group);
  return (group.tests ?? []).map((test) => ({
    name: `tcId ${test.tcId}${test.comment ? ` (${test.comment})` : ''}`,
    run: (module) => check(module, test),
  }));
}

/** What cannot be read, or is not offered, is said for every case of the group: none is dropped. */
function checkOf(algorithm, group) {
  const readers = READERS.filter((reader) => reader.algorithm.test(algorithm));
  const reader = readers.find(({ type }) => type === group.type);
  try {
    if (readers.length === 0) throw new NotApplicable(`Callseal does not use ${algorithm}`);
    if (reader === undefined) throw new NotApplicable(`groups of type ${group.type} are not known to this runner`);
    return reader.of(group, algorithm);
  } catch (error) {
    return () => {
      throw error;
    };
  }
}

function gcm(module, { result, key, iv, aad, msg, ct, tag }) {
  const vector = { key: hex(key), iv: hex(iv), aad: hex(aad), plaintext: hex(msg), ciphertext: hex(ct), tag: hex(tag) };
  return checkGcm(module, { result, ...vector });
}

function cbc(module, { result, key, iv, msg, ct }) {
  const bytes = hex(key);
  const cipher = `AES-${bytes.length * 8}-CBC`;
  const vector = { cipher, padding: true, key: bytes, iv: hex(iv), plaintext: hex(msg), ciphertext: hex(ct) };
  return checkCbc(module, { result, ...vector });
}

function keyWrap(variant) {
  return (module, { result, key, msg, ct }) =>
    checkKeyWrap(module, { result, variant, key: hex(key), plaintext: hex(msg), ciphertext: hex(ct) });
}

function hmac(hash) {
  const digest = digestName(hash);
  return (module, { result, key, msg, tag }) =>
    checkHmac(module, { result, digest, key: hex(key), message: hex(msg), tag: hex(tag) });
}

function hkdf(hash) {
  const digest = digestName(hash);
  return (module, { result, ikm, salt, info, size, okm }) => {
    const vector = { digest, key: hex(ikm), salt: hex(salt), info: hex(info), length: size, output: hex(okm) };
    return checkHkdf(module, { result, ...vector });
  };
}

function oaep(group) {
  const hashes = { digest: digestName(group.sha), mgf1Digest: mgf1DigestOf(group) };
  const multiPrime = (group.privateKey?.otherPrimeInfos?.length ?? 0) > 0;
  const parameters = { ...hashes, pkcs8: privateKeyOf(group), multiPrime };
  return (module, { result, msg, ct, label }) =>
    checkOaep(module, { result, ...parameters, label: hex(label ?? ''), plaintext: hex(msg), ciphertext: hex(ct) });
}

function pss(group) {
  const hashes = { digest: digestName(group.sha), mgf1Digest: mgf1DigestOf(group) };
  const parameters = { ...hashes, ...publicKeyOf(group), saltLength: group.sLen };
  return (module, { result, msg, sig }) =>
    checkPss(module, { result, ...parameters, message: hex(msg), signature: hex(sig) });
}

function pkcs1(group) {
  const parameters = { ...publicKeyOf(group), digest: digestName(group.sha) };
  return (module, { result, msg, sig }) =>
    checkPkcs1(module, { result, ...parameters, message: hex(msg), signature: hex(sig) });
}

function pkcs1Signing(group) {
  const parameters = { ...publicKeyOf(group), pkcs8: privateKeyOf(group), digest: digestName(group.sha) };
  return (module, { result, msg, sig }) =>
    checkPkcs1Signing(module, { result, ...parameters, message: hex(msg), signature: hex(sig) });
}

function mgf1DigestOf({ mgf, mgfSha }) {
  if (mgf !== 'MGF1') throw new NotApplicable(`OpenSSL's mask generation function is MGF1, not ${mgf}`);
  return digestName(mgfSha);
}

/** `{ spki, bits }` from whichever of the fields of three generations of files there are. */
function publicKeyOf(group) {
  const numbers = group.publicKey ?? group.key ?? group.privateKey ?? { modulus: group.n, publicExponent: group.e };
  const modulus = numbers.modulus === undefined ? undefined : hexNumber(numbers.modulus);
  const bits = modulus === undefined ? group.keySize : bitLength(modulus);
  const [der, pem] = [group.publicKeyDer ?? group.keyDer, group.publicKeyPem ?? group.keyPem];
  const pkcs1Der = group.publicKeyAsn ?? group.keyAsn;
  if (der !== undefined) return { bits, spki: hex(der) };
  if (pem !== undefined) return { bits, spki: derOfPem(pem) };
  if (pkcs1Der !== undefined) return { bits, spki: spkiOfPkcs1(hex(pkcs1Der)) };
  if (modulus !== undefined) return { bits, spki: spkiOfNumbers(modulus, hexNumber(numbers.publicExponent)) };
  throw new Error('the group has no public key in a form this runner knows');
}

const RSA_NUMBERS = [
  ['modulus', 'n'],
  ['publicExponent', 'e'],
  ['privateExponent', 'd'],
  ['prime1', 'p'],
  ['prime2', 'q'],
  ['exponent1', 'dp'],
  ['exponent2', 'dq'],
  ['coefficient', 'qi'],
];

function privateKeyOf(group) {
  const { privateKeyPkcs8, privateKeyPem, privateKey, privateKeyJwk = group.keyJwk } = group;
  if (privateKeyPkcs8 !== undefined) return hex(privateKeyPkcs8);
  if (privateKeyPem !== undefined) return derOfPem(privateKeyPem);
  if (privateKey?.coefficient !== undefined) {
    return pkcs8OfNumbers(RSA_NUMBERS.map(([name]) => hexNumber(privateKey[name])));
  }
  if (privateKeyJwk?.qi !== undefined) {
    return pkcs8OfNumbers(RSA_NUMBERS.map(([, name]) => new Uint8Array(Buffer.from(privateKeyJwk[name], 'base64url'))));
  }
  throw new Error('the group has no private key in a form this runner knows');
}
