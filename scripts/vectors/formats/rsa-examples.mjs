/**
 * RSA Laboratories' files of PKCS #1 examples and their descendants: `# Label:` lines with hexadecimal lines below, a key
 * and then examples under it.
 */

import { hex, hexNumber } from '../bytes.mjs';
import { checkOaep, checkPkcs1, checkPss } from '../checks/rsa.mjs';
import { bitLength, pkcs8OfNumbers, spkiOfNumbers } from '../der.mjs';
import { digestName } from '../digests.mjs';
import { NotApplicable } from '../verdict.mjs';

/** What the examples of a file are, by the title of one. */
const KINDS = [
  { title: /^OAEP Example/, algorithm: 'RSA-OAEP', run: oaep },
  { title: /^PSS Example/, algorithm: 'RSA-PSS', run: pss },
  { title: /^PKCS#1 v1\.5 Signature Example/, algorithm: 'RSA PKCS#1 v1.5 signatures', run: pkcs1 },
  { title: /^PKCS#1 v1\.5 Encryption Example/, algorithm: 'RSA PKCS#1 v1.5 encryption', run: unused },
];

/** Labels of the numbers of a private key, in PKCS#1's order. */
const NUMBERS = [
  'modulus',
  'public exponent',
  'exponent',
  'prime 1',
  'prime 2',
  'prime exponent 1',
  'prime exponent 2',
  'coefficient',
];

/** The suite in a file, or null when it is no such file. */
export function readRsaExamples({ text }) {
  if (!/^# (?:PKCS#1 v1\.5 (?:Signature|Encryption)|OAEP|PSS) Example/m.test(text)) return null;
  const examples = readExamples(text);
  const kind = KINDS.find(({ title }) => title.test(examples[0].title));
  const cases = examples.map((example) => ({
    name: `line ${example.line} (${example.title})`,
    run: (module) => kind.run(module, example),
  }));
  return { format: 'PKCS #1 examples', algorithm: kind.algorithm, cases };
}

/** @returns examples as `{ title, line, fields, key }`, with hexadecimal by label in lower case */
function readExamples(text) {
  const examples = [];
  let key = {};
  let fields = key;
  let label = null;
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const line = raw.trim();
    const comment = /^#\s*(.*?):?$/.exec(line)?.[1];
    if (comment === undefined) {
      const value = line.replaceAll(' ', '');
      if (label !== null && /^[0-9a-f]+$/i.test(value)) fields[label] = (fields[label] ?? '') + value;
    } else if (KINDS.some(({ title }) => title.test(comment))) {
      fields = {};
      label = null;
      examples.push({ title: comment, line: index + 1, fields, key });
    } else if (/^Public key$/i.test(comment)) {
      key = {};
      fields = key;
      label = null;
    } else {
      // The private key repeats the modulus; "exponent" is the public one before it and the private one in it.
      label = comment.toLowerCase();
      if (line.endsWith(':')) delete fields[label];
    }
  }
  return examples;
}

/** DER of a key, made once for all examples under it. */
const made = new WeakMap();

function keyOf({ key }) {
  if (!made.has(key)) {
    const numbers = NUMBERS.map((label) => hexNumber(key[label]));
    const [modulus, exponent] = numbers;
    made.set(key, {
      pkcs8: pkcs8OfNumbers(numbers),
      spki: spkiOfNumbers(modulus, exponent),
      bits: bitLength(modulus),
    });
  }
  return made.get(key);
}

/** Files name hashes in each title where they are not SHA-1. */
function oaep(module, example) {
  const [, digest = 'SHA1', mgf1 = 'SHA1'] = /alg=(\w+) mgf1=(\w+)/.exec(example.title) ?? [];
  const { message, encryption } = example.fields;
  return checkOaep(module, {
    result: 'valid',
    ...keyOf(example),
    digest: digestName(digest),
    mgf1Digest: digestName(mgf1),
    label: hex(''),
    plaintext: hex(message),
    ciphertext: hex(encryption),
  });
}

function signed(example) {
  const { 'message to be signed': message, signature } = example.fields;
  const parameters = { ...keyOf(example), digest: 'SHA1', message: hex(message), signature: hex(signature) };
  return { result: 'valid', ...parameters };
}

function pss(module, example) {
  const saltLength = hex(example.fields.salt).length;
  return checkPss(module, { ...signed(example), mgf1Digest: 'SHA1', saltLength });
}

function pkcs1(module, example) {
  return checkPkcs1(module, signed(example));
}

function unused() {
  throw new NotApplicable('RSA PKCS#1 v1.5 encryption is not offered by design');
}
