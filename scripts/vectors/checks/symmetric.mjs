/** AES-GCM, CBC ciphers and AES key wrap, through the raw operation and, where it fits, the product. */

import { concat, equal } from '../bytes.mjs';
import { expect, expectBytes, expectNotBytes, expectRejection } from '../verdict.mjs';

const PRODUCT_KEY = 32;
const PRODUCT_IV = 12;
const PRODUCT_TAG = 16;

/**
 * @param vector key, iv, aad, ciphertext, tag; plaintext unless an invalid vector has none
 * @returns whether the product's own code took part
 */
export async function checkGcm({ binding, hooks }, { result, key, iv, aad, plaintext, ciphertext, tag }) {
  const rules = { 'OpenSSL takes GCM IVs of at most 128 bytes': iv.length > 128 };
  const sealed = concat(ciphertext, tag);
  const open = () => hooks.gcmDecrypt(key, iv, aad, ciphertext, tag);
  await expectBytes('decrypt', result, plaintext, open, rules);
  if (plaintext !== undefined) {
    const seal = () => hooks.gcmEncrypt(key, iv, aad, plaintext, tag.length);
    if (result === 'invalid') await expectNotBytes('encrypt', sealed, seal);
    else await expectBytes('encrypt', result, sealed, seal, rules);
  }
  if (key.length !== PRODUCT_KEY || iv.length !== PRODUCT_IV || tag.length !== PRODUCT_TAG) return false;
  await checkProductGcm({ binding, hooks }, { result, key, iv, aad, plaintext, sealed });
  return true;
}

async function checkProductGcm({ hooks }, { result, key, iv, aad, plaintext, sealed }) {
  const handle = hooks.importKey('gcm', key);
  await expectBytes('SecretKey.decryptGcm', result, plaintext, () => handle.decryptGcm(concat(iv, sealed), aad));
  if (result === 'invalid') return;
  const own = handle.encryptGcm(plaintext, aad);
  const [text, tag] = [own.subarray(PRODUCT_IV, -PRODUCT_TAG), own.subarray(-PRODUCT_TAG)];
  const open = () => hooks.gcmDecrypt(key, own.subarray(0, PRODUCT_IV), aad, text, tag);
  await expectBytes('SecretKey.encryptGcm', 'valid', plaintext, open);
}

/** @param vector cipher (OpenSSL's name), padding, key, iv, plaintext, ciphertext */
export async function checkCbc({ hooks }, { result, cipher, padding, key, iv, plaintext, ciphertext }) {
  const rules = { 'the module refuses 3DES (encryption is disallowed after 2023)': cipher.startsWith('DES') };
  await expectBytes('decrypt', result, plaintext, () => hooks.cbcDecrypt(cipher, key, iv, ciphertext, padding), rules);
  const encrypt = () => hooks.cbcEncrypt(cipher, key, iv, plaintext, padding);
  if (result === 'invalid') await expectNotBytes('encrypt', ciphertext, encrypt);
  else await expectBytes('encrypt', result, ciphertext, encrypt, rules);
  return false;
}

/**
 * @param vector variant (`WRAP`, `WRAP-PAD`, or these with `-INV`), key, plaintext (absent in some invalid ones),
 *   ciphertext
 */
export async function checkKeyWrap({ hooks }, { result, variant, key, plaintext, ciphertext }) {
  const cipher = `AES-${key.length * 8}-${variant}`;
  await expectBytes('unwrap', result, plaintext, () => hooks.keyUnwrap(cipher, key, ciphertext));
  if (plaintext !== undefined) {
    const wrap = () => hooks.keyWrap(cipher, key, plaintext);
    if (result === 'invalid') await expectNotBytes('wrap', ciphertext, wrap);
    else await expectBytes('wrap', result, ciphertext, wrap);
  }
  if (variant !== 'WRAP-PAD' || key.length !== PRODUCT_KEY) return false;
  await checkProductKeyWrap(hooks, { result, key, plaintext, ciphertext });
  return true;
}

/** The product wraps keys of 32 bytes and nothing else, so it must reject every other content, however well wrapped. */
async function checkProductKeyWrap(hooks, { result, key, plaintext, ciphertext }) {
  const handle = hooks.importKey('wrap', key);
  const unwrap = () => hooks.exportKey(handle.unwrapKey(ciphertext, 'content'));
  if (result === 'invalid' || plaintext?.length !== PRODUCT_KEY) {
    return expectRejection('SecretKey.unwrapKey', unwrap);
  }
  await expectBytes('SecretKey.unwrapKey', result, plaintext, unwrap);
  const wrapped = handle.wrapKey(hooks.importKey('content', plaintext));
  expect('SecretKey.wrapKey: the output is not the vector’s', equal(wrapped, ciphertext));
}
