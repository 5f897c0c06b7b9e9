import { randomBytes } from 'node:crypto';
import { packageVersion } from '../package-version.mjs';

const MASTER_BYTES = 32;
const CACHED_KEYS = 100_000;
const LONGEST_AGE_MS = 10 * 60 * 1000;
const MOST_MESSAGES = 2 ** 20;

/**
 * The AWS Encryption SDK with its caching materials manager and a master key at hand instead of its key service. The entity is
 * the encryption context, and the cache keeps a data key for each context: all of them fit.
 */
export default {
  id: 'aws-encryption-sdk-records',
  name: 'AWS Encryption SDK, cached keys',
  kind: 'record',
  settings:
    'AES-256-GCM with key commitment, no signature; raw AES keyring; `NodeCachingMaterialsManager`, local cache of 100,000 data ' +
    'keys, 10 minutes and 2^20 messages each; the entity as encryption context, compared after decryption',
  version: () => packageVersion('@aws-crypto/client-node'),
  async open() {
    const sdk = await import('@aws-crypto/client-node');
    const { client, suiteId } = commitment(sdk);
    const backingMaterials = new sdk.RawAesKeyringNode({
      keyNamespace: 'bench',
      keyName: 'master',
      unencryptedMasterKey: new Uint8Array(randomBytes(MASTER_BYTES)),
      wrappingSuite: sdk.RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING,
    });
    const materials = new sdk.NodeCachingMaterialsManager({
      backingMaterials,
      cache: sdk.getLocalCryptographicMaterialsCache(CACHED_KEYS),
      maxAge: LONGEST_AGE_MS,
      maxMessagesEncrypted: MOST_MESSAGES,
    });
    return {
      async protect({ ...encryptionContext }, bytes) {
        const options = { suiteId, encryptionContext, plaintextLength: bytes.length };
        return (await client.encrypt(materials, bytes, options)).result;
      },
      async unprotect(entity, sealed) {
        const { plaintext, messageHeader } = await client.decrypt(materials, sealed);
        for (const [name, value] of Object.entries(entity)) {
          if (messageHeader.encryptionContext[name] !== value) throw new Error('another encryption context');
        }
        return plaintext;
      },
    };
  },
};

function commitment({ AlgorithmSuiteIdentifier, buildClient, CommitmentPolicy }) {
  return {
    client: buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT),
    suiteId: AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY,
  };
}
