import {
  constants,
  createCipheriv,
  createDecipheriv,
  createHash,
  createPrivateKey,
  createPublicKey,
  privateDecrypt,
  publicEncrypt,
  randomBytes,
} from 'node:crypto';
import { createReadStream, createWriteStream, readFileSync } from 'node:fs';
import { open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';

const CIPHER = 'aes-256-gcm';
const KEY_BYTES = 32;
const ID_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const CHUNK_BYTES = 1 << 20;
/** Files up to this length are handled as one buffer, which is faster. */
const SMALL_BYTES = 4 << 20;

/**
 * What a careful developer writes with Node's own modules for the same job: a fresh key a file, wrapped for every recipient,
 * AES-256-GCM over the file with the header authenticated, and no output under its name that is not whole and authentic.
 *
 *     count u16 ‖ count × (key id 32 ‖ length u16 ‖ wrapped key) ‖ IV 12 ‖ ciphertext ‖ tag 16
 */
export default {
  id: 'node-crypto',
  name: 'node:crypto',
  kind: 'library',
  settings: 'AES-256-GCM, RSA-OAEP-SHA256, written aside and renamed; as one buffer up to 4 MiB, else streams of 1 MiB',
  syncs: true,
  version: () => process.versions.node,
  open({ recipients: identities, sync }) {
    const recipients = identities.map(({ publicKey }) => {
      const key = createPublicKey(readFileSync(publicKey));
      return { id: keyId(key), key };
    });
    const key = createPrivateKey(readFileSync(identities[0].privateKey));
    const opener = { id: keyId(createPublicKey(key)), key };
    return {
      encrypt: (input, output) =>
        replaceWhole(output, sync, (aside, options) => encrypt(input, aside, options, recipients)),
      decrypt: (input, output) =>
        replaceWhole(output, sync, (aside, options) => decrypt(input, aside, options, opener)),
    };
  },
};

const oaep = (key) => ({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' });

function keyId(publicKey) {
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest();
}

/** Has a file written under another name, and renames it when it is complete. */
async function replaceWhole(output, sync, write) {
  const aside = `${output}.${randomBytes(8).toString('hex')}.tmp`;
  try {
    await write(aside, { flags: 'wx', mode: 0o600, flush: sync });
    await rename(aside, output);
  } catch (error) {
    await rm(aside, { force: true });
    throw error;
  }
  if (sync) await syncDirectory(dirname(output));
}

async function syncDirectory(path) {
  const directory = await open(path);
  await directory.sync();
  await directory.close();
}

const writeWhole = (path, bytes, { flags, ...options }) => writeFile(path, bytes, { flag: flags, ...options });

async function encrypt(input, output, options, recipients) {
  const key = randomBytes(KEY_BYTES);
  const iv = randomBytes(IV_BYTES);
  const header = headerOf(recipients, key, iv);
  const cipher = createCipheriv(CIPHER, key, iv, { highWaterMark: CHUNK_BYTES }).setAAD(header);
  key.fill(0);
  const { size } = await stat(input);
  if (size <= SMALL_BYTES) {
    const text = cipher.update(await readFile(input));
    await writeWhole(output, Buffer.concat([header, text, cipher.final(), cipher.getAuthTag()]), options);
    return;
  }
  const framed = async function* (chunks) {
    yield header;
    yield* chunks;
    yield cipher.getAuthTag();
  };
  const source = createReadStream(input, { highWaterMark: CHUNK_BYTES });
  await pipeline(source, cipher, framed, createWriteStream(output, { ...options, highWaterMark: CHUNK_BYTES }));
}

function headerOf(recipients, key, iv) {
  const count = Buffer.alloc(2);
  count.writeUInt16BE(recipients.length);
  const entries = recipients.flatMap((recipient) => {
    const wrapped = publicEncrypt(oaep(recipient.key), key);
    const length = Buffer.alloc(2);
    length.writeUInt16BE(wrapped.length);
    return [recipient.id, length, wrapped];
  });
  return Buffer.concat([count, ...entries, iv]);
}

async function decrypt(input, output, options, opener) {
  const { size } = await stat(input);
  if (size <= SMALL_BYTES) {
    const bytes = await readFile(input);
    const { header, key, iv } = openHeader(bytes, opener);
    const end = bytes.length - TAG_BYTES;
    const decipher = decipherOf(key, iv, header, bytes.subarray(end));
    const text = decipher.update(bytes.subarray(header.length, end));
    await writeWhole(output, Buffer.concat([text, decipher.final()]), options);
    return;
  }
  const { start, tag } = await readEnds(input, size);
  const { header, key, iv } = openHeader(start, opener);
  const decipher = decipherOf(key, iv, header, tag);
  const body = { start: header.length, end: size - TAG_BYTES - 1, highWaterMark: CHUNK_BYTES };
  const sink = createWriteStream(output, { ...options, highWaterMark: CHUNK_BYTES });
  await pipeline(createReadStream(input, body), decipher, sink);
}

function decipherOf(key, iv, header, tag) {
  const options = { authTagLength: TAG_BYTES, highWaterMark: CHUNK_BYTES };
  const decipher = createDecipheriv(CIPHER, key, iv, options).setAAD(header).setAuthTag(tag);
  key.fill(0);
  return decipher;
}

async function readEnds(input, size) {
  const file = await open(input);
  try {
    const start = Buffer.alloc(Math.min(size, 65_536));
    await file.read(start, 0, start.length, 0);
    const tag = Buffer.alloc(TAG_BYTES);
    await file.read(tag, 0, TAG_BYTES, size - TAG_BYTES);
    return { start, tag };
  } finally {
    await file.close();
  }
}

function openHeader(bytes, opener) {
  let at = 2;
  let wrapped;
  for (let left = bytes.readUInt16BE(0); left > 0; left -= 1) {
    const length = bytes.readUInt16BE(at + ID_BYTES);
    const from = at + ID_BYTES + 2;
    if (bytes.subarray(at, at + ID_BYTES).equals(opener.id)) wrapped = bytes.subarray(from, from + length);
    at = from + length;
  }
  if (wrapped === undefined) throw new Error('none of the keys opens this file');
  const header = bytes.subarray(0, at + IV_BYTES);
  return { header, iv: header.subarray(at), key: privateDecrypt(oaep(opener.key), wrapped) };
}
