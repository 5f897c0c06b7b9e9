/**
 * The Monte Carlo tests of CBC: AESAVS section 6.4.2 (1,000 rounds) and SP 800-20 section 2.3 (10,000 rounds). One case
 * is one COUNT of a file; each names its own key, IV and input, so cases do not depend on each other.
 */

import { expect, expectBytes } from '../verdict.mjs';

/** @param vector cipher, encrypt, key, iv, plaintext, ciphertext */
export async function checkMonteCarlo({ hooks }, { cipher, encrypt, key, iv, plaintext, ciphertext }) {
  const des = cipher.startsWith('DES');
  const rounds = des ? 10_000 : 1_000;
  const block = des ? 8 : 16;
  expect('a round has one block', plaintext.length === block && ciphertext.length === block);
  const act = () =>
    encrypt
      ? encryptRounds((chain, data) => hooks.cbcEncrypt(cipher, key, chain, data, false), rounds, iv, plaintext)
      : decryptRounds((chain, data) => hooks.cbcDecrypt(cipher, key, chain, data, false), rounds, iv, ciphertext, des);
  const rules = { 'the module refuses 3DES (encryption is disallowed after 2023)': des };
  await expectBytes(encrypt ? 'encrypt' : 'decrypt', 'valid', encrypt ? ciphertext : plaintext, act, rules);
  return false;
}

/** The input of a round is the output before the last; the output is the next round's chaining value. */
function encryptRounds(encrypt, rounds, iv, plaintext) {
  let [chain, data] = [iv, plaintext];
  for (let round = 0; round < rounds; round++) {
    const output = encrypt(chain, data);
    data = chain;
    chain = output;
  }
  return chain;
}

/** AES takes the output before the last as input, 3DES the last; what was decrypted is the next chaining value. */
function decryptRounds(decrypt, rounds, iv, ciphertext, des) {
  let [chain, data, previous] = [iv, ciphertext, iv];
  for (let round = 0; round < rounds; round++) {
    const output = decrypt(chain, data);
    chain = data;
    data = des ? output : previous;
    previous = output;
  }
  return previous;
}
