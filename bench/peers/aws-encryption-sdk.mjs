import { constants } from 'node:crypto';
import { createReadStream, createWriteStream, readFileSync } from 'node:fs';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { packageVersion } from './package-version.mjs';

const FRAME_BYTES = 1 << 20;
/** Files up to this length are handled as one buffer, which is faster. */
const SMALL_BYTES = 1 << 20;

/** The AWS Encryption SDK with RSA keys at hand instead of its key service. */
export default {
  id: 'aws-encryption-sdk',
  name: 'AWS Encryption SDK',
  kind: 'library',
  settings: 'AES-256-GCM with key commitment, no signature; frames of 1 MiB; raw RSA-OAEP-SHA256 keyrings',
  version: () => packageVersion('@aws-crypto/client-node'),
  async open({ recipients }) {
    const sdk = await import('@aws-crypto/client-node');
    const { AlgorithmSuiteIdentifier, buildClient, CommitmentPolicy, MultiKeyringNode, RawRsaKeyringNode } = sdk;
    const client = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT);
    const keyring = (keyName, rsaKey) => {
      const padding = constants.RSA_PKCS1_OAEP_PADDING;
      return new RawRsaKeyringNode({ keyNamespace: 'bench', keyName, rsaKey, padding, oaepHash: 'sha256' });
    };
    const [generator, ...children] = recipients.map(({ name, publicKey }) =>
      keyring(name, { publicKey: readFileSync(publicKey, 'utf8') }),
    );
    const [{ name, privateKey }] = recipients;
    const sealing = new MultiKeyringNode({ generator, children });
    const opening = keyring(name, { privateKey: readFileSync(privateKey, 'utf8') });
    // A new one each time: the SDK writes into it.
    const options = () => ({
      suiteId: AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY,
      frameLength: FRAME_BYTES,
    });
    return {
      encrypt: async (input, output) =>
        convert(input, output, {
          whole: async (bytes) => (await client.encrypt(sealing, bytes, options())).result,
          stream: () => client.encryptStream(sealing, options()),
        }),
      decrypt: async (input, output) =>
        convert(input, output, {
          whole: async (bytes) => (await client.decrypt(opening, bytes)).plaintext,
          stream: () => client.decryptUnsignedMessageStream(opening),
        }),
    };
  },
};

async function convert(input, output, { whole, stream }) {
  const { size } = await stat(input);
  if (size <= SMALL_BYTES + 65_536) {
    await writeFile(output, await whole(await readFile(input)), { mode: 0o600 });
  } else {
    const source = createReadStream(input, { highWaterMark: FRAME_BYTES });
    await pipeline(source, stream(), createWriteStream(output, { mode: 0o600 }));
  }
}
