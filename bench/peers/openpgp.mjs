import { createReadStream, createWriteStream, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { KEYS } from '../harness/paths.mjs';
import { packageVersion } from './package-version.mjs';

/** Files up to this length are handled as one buffer, which is faster. */
const SMALL_BYTES = 1 << 20;

/** OpenPGP.js, whose keys are its own: made once and kept. */
export default {
  id: 'openpgp',
  name: 'OpenPGP.js',
  kind: 'library',
  settings: 'RFC 9580 AEAD: AES-256-GCM, chunks of 256 KiB; no compression; RSA (PKCS #1 v1.5) keys of its own',
  version: () => packageVersion('openpgp'),
  async open({ recipients }) {
    const openpgp = await import('openpgp');
    const { aead, compression, symmetric } = openpgp.enums;
    const config = {
      aeadProtect: true,
      preferredAEADAlgorithm: aead.gcm,
      preferredSymmetricAlgorithm: symmetric.aes256,
      preferredCompressionAlgorithm: compression.uncompressed,
    };
    const keys = [];
    for (const { name, bits } of recipients) keys.push(await privateKey(openpgp, name, bits, config));
    const encryptionKeys = keys.map((key) => key.toPublic());
    const decryptionKeys = [keys[0]];
    return {
      encrypt: (input, output) =>
        convert(input, output, async (binary) => {
          const message = await openpgp.createMessage({ binary });
          return openpgp.encrypt({ message, encryptionKeys, format: 'binary', config });
        }),
      decrypt: (input, output) =>
        convert(input, output, async (binaryMessage) => {
          const message = await openpgp.readMessage({ binaryMessage, config });
          return (await openpgp.decrypt({ message, decryptionKeys, format: 'binary', config })).data;
        }),
    };
  },
};

async function convert(input, output, transform) {
  const { size } = await stat(input);
  if (size <= SMALL_BYTES + 65_536) {
    await writeFile(output, await transform(new Uint8Array(await readFile(input))), { mode: 0o600 });
  } else {
    const source = Readable.toWeb(createReadStream(input, { highWaterMark: SMALL_BYTES }));
    await pipeline(Readable.fromWeb(await transform(source)), createWriteStream(output, { mode: 0o600 }));
  }
}

async function privateKey(openpgp, name, bits, config) {
  const directory = join(KEYS, 'openpgp');
  const path = join(directory, `${name}.asc`);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  if (!existsSync(path)) {
    const made = await openpgp.generateKey({ type: 'rsa', rsaBits: bits, userIDs: [{ name }], config });
    writeFileSync(path, made.privateKey, { mode: 0o600 });
  }
  return openpgp.readPrivateKey({ armoredKey: readFileSync(path, 'utf8') });
}
