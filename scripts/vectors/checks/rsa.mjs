/** RSA-OAEP and RSA signatures. Keys are DER: `spki` a SubjectPublicKeyInfo, `pkcs8` a private key. */

import { derOfPem } from '../bytes.mjs';
import { digestLength } from '../digests.mjs';
import { expectBytes, expectNotBytes, expectRejection, expectTrue, NotApplicable } from '../verdict.mjs';

const MIN_BITS = 2048;
const small = (bits) => ({ 'the module refuses RSA below 2048 bits': bits < MIN_BITS });
const sha1 = (...digests) => ({ 'the module refuses SHA-1 signatures': digests.includes('SHA1') });

/** @param vector pkcs8, multiPrime, digest, mgf1Digest, label, plaintext, ciphertext */
export async function checkOaep(module, vector) {
  const { hooks } = module;
  const { result, pkcs8, multiPrime = false, digest, mgf1Digest, label, plaintext, ciphertext } = vector;
  const decrypt = (text) => hooks.oaepDecrypt(pkcs8, digest, mgf1Digest, label, text);
  const own = importPrivateKey(module, pkcs8, multiPrime);
  await expectBytes('decrypt', result, plaintext, () => decrypt(ciphertext), small(own.bits));
  if (result !== 'invalid') await checkOaepEncryption(module, own, vector, decrypt);
  if (digest !== 'SHA2-256' || mgf1Digest !== 'SHA2-256' || label.length > 0) return false;
  await checkProductOaep(hooks, own, vector);
  return true;
}

/** Encryption is random, so what it makes is decrypted again; below 2048 bits FIPS refuses it. */
async function checkOaepEncryption({ hooks, mode }, own, { digest, mgf1Digest, label, plaintext }, decrypt) {
  const spki = derOfPem(own.publicKey.toPem());
  const encrypt = () => hooks.oaepEncrypt(spki, digest, mgf1Digest, label, plaintext);
  if (own.bits < MIN_BITS && mode === 'required') return expectRejection('encrypt below 2048 bits', encrypt);
  await expectBytes('encrypt, then decrypt', 'valid', plaintext, () => decrypt(encrypt()));
}

/** The product opens keys of 32 bytes and nothing else, so it must reject every other content. */
async function checkProductOaep(hooks, own, { result, plaintext, ciphertext }) {
  const unwrap = async () => hooks.exportKey(await own.unwrap(ciphertext));
  if (result === 'invalid' || plaintext.length !== 32) return expectRejection('PrivateKey.unwrap', unwrap);
  await expectBytes('PrivateKey.unwrap', result, plaintext, unwrap);
  const wrap = () => own.publicKey.wrap(hooks.importKey('content', plaintext));
  if (own.bits < MIN_BITS) return expectRejection('PublicKey.wrap below 2048 bits', wrap);
  const around = async () => hooks.exportKey(await own.unwrap(await wrap()));
  await expectBytes('PublicKey.wrap, then PrivateKey.unwrap', 'valid', plaintext, around);
}

/** @param vector spki, bits, digest, mgf1Digest, saltLength, message, signature */
export async function checkPss(module, vector) {
  const { result, spki, bits, digest, mgf1Digest, saltLength, message, signature } = vector;
  const verify = () => module.hooks.pssVerify(spki, digest, mgf1Digest, saltLength, message, signature);
  const longSalt = { 'the module refuses salts longer than the hash': saltLength > digestLength(digest) };
  await expectTrue('verify', result, verify, { ...longSalt, ...small(bits), ...sha1(digest, mgf1Digest) });
  const ours = digest === 'SHA2-256' && mgf1Digest === 'SHA2-256' && saltLength === 32;
  return ours && checkProductSignature(module, 'pss-sha256', vector);
}

/** @param vector spki, bits, digest, message, signature */
export async function checkPkcs1(module, vector) {
  const { result, spki, bits, digest, message, signature } = vector;
  const verify = () => module.hooks.pkcs1Verify(spki, digest, message, signature);
  await expectTrue('verify', result, verify, { ...small(bits), ...sha1(digest) });
  return digest === 'SHA2-256' && checkProductSignature(module, 'pkcs1-sha256', vector);
}

/** @param vector pkcs8, spki, bits, digest, message, signature: PKCS#1 v1.5 signatures are deterministic */
export async function checkPkcs1Signing(module, vector) {
  const { result, pkcs8, bits, digest, message, signature } = vector;
  const product = await checkPkcs1(module, vector);
  const sign = () => module.hooks.pkcs1Sign(pkcs8, digest, message);
  if (result === 'invalid') await expectNotBytes('sign', signature, sign);
  else await expectBytes('sign', result, signature, sign, { ...small(bits), ...sha1(digest) });
  return product;
}

async function checkProductSignature(module, scheme, { result, spki, message, signature }) {
  const key = recipientOnce(module, spki);
  if (key.algorithm !== 'RSA') return false;
  await expectTrue('PublicKey.verify', result, () => key.verify(scheme, message, signature));
  return true;
}

/** A vector file uses one key for many cases; taking it in is the slowest part of checking a signature. */
const keys = new WeakMap();

function once(der, make) {
  if (!keys.has(der)) keys.set(der, make());
  return keys.get(der);
}

function importPrivateKey({ hooks }, pkcs8, multiPrime) {
  try {
    return once(pkcs8, () => hooks.importPrivateKey(pkcs8));
  } catch (error) {
    if (multiPrime) throw new NotApplicable('the module takes no RSA keys of more than two primes');
    throw error;
  }
}

const recipientOnce = ({ binding }, spki) => once(spki, () => binding.readRecipients(spki)[0].publicKey);
