/** FLOE messages: the known answer, and what must hold around it. */

import { concat, equal, utf8 } from '../bytes.mjs';
import { expect, expectBytes, expectRejection, NotApplicable } from '../verdict.mjs';

const HEADER = 74;
const OVERHEAD = 32;
/** What the product's own files may have; the vectors go below. */
const MIN_PRODUCT_SEGMENT = 1024;
const PRODUCT_ROTATION = 20;

/**
 * The checks of one message.
 *
 * @param vector key, aad, plaintext, message, rotationBits
 * @returns pairs of a name and a function that takes the module
 */
export function floeChecks(vector) {
  return [
    ['decrypts to the known plaintext', (module) => knownAnswer(module, vector)],
    ['what is encrypted decrypts, and is as long', (module) => roundTrip(module, vector)],
    ['another key is refused', (module) => otherKey(module, vector)],
    ['other associated data is refused', (module) => otherAad(module, vector)],
    ['a missing last segment is refused', (module) => shortened(module, vector)],
    ['segments open at random and in order only as what they are', (module) => randomAccess(module, vector)],
  ];
}

async function knownAnswer({ hooks }, { key, aad, plaintext, message, rotationBits }) {
  await expectBytes('decrypt', 'valid', plaintext, () => hooks.floeDecrypt(key, aad, message, rotationBits));
  return true;
}

async function roundTrip({ hooks }, { key, aad, plaintext, message, rotationBits }) {
  const own = hooks.floeEncrypt(key, aad, plaintext, segmentLength(message), rotationBits);
  expect('encrypt: the message is not as long as the vector’s', own.length === message.length);
  await expectBytes('encrypt, then decrypt', 'valid', plaintext, () => hooks.floeDecrypt(key, aad, own, rotationBits));
  return true;
}

async function otherKey({ hooks }, { key, aad, message, rotationBits }) {
  const other = key.with(0, key[0] ^ 1);
  await expectRejection('decrypt with another key', () => hooks.floeDecrypt(other, aad, message, rotationBits));
  return true;
}

async function otherAad({ hooks }, { key, aad, message, rotationBits }) {
  const other = concat(aad, utf8('!'));
  await expectRejection('decrypt with other data', () => hooks.floeDecrypt(key, other, message, rotationBits));
  return true;
}

async function shortened({ hooks }, { key, aad, message, rotationBits }) {
  const last = segments(message).at(-1);
  const cut = message.subarray(0, message.length - last.length);
  await expectRejection('decrypt what is cut', () => hooks.floeDecrypt(key, aad, cut, rotationBits));
  return true;
}

/** Through the product's decryptor; where its limits forbid the message, it must refuse it at the header. */
async function randomAccess({ binding, hooks }, { key, aad, plaintext, message, rotationBits }) {
  const open = () => new binding.FloeDecryptor(hooks.importKey('floe', key), aad, message.subarray(0, HEADER));
  if (segmentLength(message) < MIN_PRODUCT_SEGMENT) {
    await expectRejection('FloeDecryptor with segments below 1 KiB', open);
    return true;
  }
  if (rotationBits !== PRODUCT_ROTATION) throw new NotApplicable('the product uses the specification’s key rotation');
  const all = segments(message);
  const decryptor = open();
  const opened = all.map((_, index) => index).reverse();
  const parts = opened.map((index) => decryptor.decryptSegmentAt(index, all[index], index === all.length - 1));
  expect('FloeDecryptor.decryptSegmentAt: not the plaintext', equal(concat(...parts.reverse()), plaintext));
  for (const [index, segment] of all.entries()) {
    const final = index === all.length - 1;
    await expectRejection('a segment elsewhere', () => decryptor.decryptSegmentAt(index + 1, segment, final));
    await expectRejection('a segment at another end', () => decryptor.decryptSegmentAt(index, segment, !final));
  }
  return true;
}

function segmentLength(message) {
  return new DataView(message.buffer, message.byteOffset).getUint32(2);
}

function segments(message) {
  const length = segmentLength(message);
  const found = [];
  for (let offset = HEADER; offset < message.length; offset += length) {
    found.push(message.subarray(offset, offset + length));
  }
  expect('the vector’s last segment is whole', (found.at(-1)?.length ?? 0) >= OVERHEAD);
  return found;
}
