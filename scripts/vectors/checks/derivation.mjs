/** HMAC, HKDF and KBKDF. */

import { equal } from '../bytes.mjs';
import { expect, expectBytes, expectTrue } from '../verdict.mjs';

/** SP 800-131A revision 2, sections 8 and 10: keys below 112 bits are disallowed; a module may enforce it. */
const MIN_KEY_BYTES = 14;
const shortKey = (key) => ({ 'the module refuses keys below 112 bits': key.length < MIN_KEY_BYTES });

/** @param vector digest (OpenSSL's name), key, message, tag; a shorter tag is a truncated one */
export async function checkHmac({ hooks }, { result, digest, key, message, tag }) {
  const matches = () => {
    const whole = hooks.hmac(digest, key, message);
    return tag.length > 0 && tag.length <= whole.length && equal(whole.subarray(0, tag.length), tag);
  };
  await expectTrue('HMAC', result, matches, shortKey(key));
  if (digest !== 'SHA2-256' || key.length !== 32) return false;
  const handle = hooks.importKey('mac', key);
  const whole = tag.length === 32;
  // The product takes no truncated tag, be it right.
  await expectTrue('SecretKey.verifyMac', whole ? result : 'invalid', () => handle.verifyMac(message, tag));
  if (whole && result === 'valid') expect('SecretKey.mac: not the vector’s tag', equal(handle.mac(message), tag));
  return true;
}

/** @param vector digest, key (input keying material), salt, info, length, output */
export async function checkHkdf({ hooks }, { result, digest, key, salt, info, length, output }) {
  await expectBytes('HKDF', result, output, () => hooks.hkdf(digest, key, salt, info, length), shortKey(key));
  return false;
}

/** @param vector mac, algorithm, key, fixedInput, counterBits, output */
export async function checkKbkdf({ hooks }, { mac, algorithm, key, fixedInput, counterBits, output }) {
  const derive = () => hooks.kbkdf(mac, algorithm, key, fixedInput, counterBits, output.length);
  await expectBytes('KBKDF', 'valid', output, derive, {
    'the module refuses 3DES as a PRF': algorithm.startsWith('DES'),
    'the module counts in 32 bits only': counterBits !== 32,
  });
  return false;
}
