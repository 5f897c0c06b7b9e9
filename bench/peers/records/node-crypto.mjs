import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hkdfSync,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';

const CIPHER = 'aes-256-gcm';
const KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const MAC_BYTES = 32;

const common = { kind: 'record', version: () => process.versions.node };

/**
 * What a careful developer writes with Node's own module: AES-256-GCM, and an HMAC that binds the record to its entity, under
 * two keys from one. One key in memory is all the key management there is.
 *
 *     header 6 ‖ IV 12 ‖ ciphertext ‖ tag 16 ‖ HMAC-SHA-256 32
 */
export default {
  ...common,
  id: 'node-crypto-records',
  name: 'node:crypto, GCM and HMAC',
  settings: 'AES-256-GCM, HMAC-SHA-256 over entity and record; two keys in memory',
  async open() {
    const root = randomBytes(KEY_BYTES);
    const derived = (label) => createSecretKey(Buffer.from(hkdfSync('sha256', root, '', label, KEY_BYTES)));
    const [cipherKey, macKey] = [derived('cipher'), derived('binding')];
    const header = Buffer.from('APPR\x01\x01', 'latin1');
    const macOf = (entity, ...parts) => {
      const mac = createHmac('sha256', macKey).update(encoded(entity));
      for (const part of parts) mac.update(part);
      return mac.digest();
    };
    return {
      protect(entity, bytes) {
        const sealed = seal(cipherKey, header, bytes);
        return Buffer.concat([...sealed, macOf(entity, ...sealed)]);
      },
      unprotect(entity, record) {
        const end = record.length - MAC_BYTES;
        const sealed = record.subarray(0, end);
        if (!timingSafeEqual(macOf(entity, sealed), record.subarray(end))) throw new Error('wrong MAC');
        return open(cipherKey, sealed.subarray(0, header.length), sealed.subarray(header.length));
      },
    };
  },
};

/** The least that does the job: AES-256-GCM with the entity as additional data. It cannot tell a wrong entity from a change. */
export const nodeCryptoAad = {
  ...common,
  id: 'node-crypto-aad',
  name: 'node:crypto, GCM alone',
  settings: 'AES-256-GCM, the entity as additional data, no HMAC; one key in memory',
  async open() {
    const key = createSecretKey(randomBytes(KEY_BYTES));
    return {
      protect: (entity, bytes) => Buffer.concat(seal(key, encoded(entity), bytes).slice(1)),
      unprotect: (entity, record) => open(key, encoded(entity), record),
    };
  },
};

/** Texts that JSON keeps apart. */
function encoded({ tenant, type, id, field }) {
  return Buffer.from(JSON.stringify([tenant, type, id, field]));
}

function seal(key, additional, bytes) {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(CIPHER, key, iv).setAAD(additional);
  return [additional, iv, cipher.update(bytes), cipher.final(), cipher.getAuthTag()];
}

function open(key, additional, sealed) {
  const end = sealed.length - TAG_BYTES;
  const decipher = createDecipheriv(CIPHER, key, sealed.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES })
    .setAAD(additional)
    .setAuthTag(sealed.subarray(end));
  return Buffer.concat([decipher.update(sealed.subarray(IV_BYTES, end)), decipher.final()]);
}
