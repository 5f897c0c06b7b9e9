import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { BENCH } from '../../harness/paths.mjs';
import { packageVersion } from '../package-version.mjs';

const PACKAGE = 'mongodb-client-encryption';
const ADDON = join(BENCH, 'node_modules', PACKAGE, 'build/Release/mongocrypt.node');
const LOCAL_MASTER_BYTES = 96;
const ALGORITHM = 'AEAD_AES_256_CBC_HMAC_SHA_512-Random';

/** Of libmongocrypt's contexts: mongocrypt_ctx_state_t in mongocrypt.h. */
const STATE = { error: 0, needKeys: 3, ready: 5 };

/**
 * MongoDB's explicit encryption with a local master key. Its contexts are driven as the driver's `ClientEncryption` drives them,
 * but the data key is handed over here instead of being read from a server, and nothing is awaited. It binds a record to no
 * entity.
 */
export default {
  id: 'mongodb-client-encryption',
  name: 'MongoDB explicit encryption',
  kind: 'record',
  settings:
    `${ALGORITHM}, local master key, one data key, which it caches for a minute; the system's libmongocrypt with its own ` +
    'OpenSSL cryptography; contexts driven without a driver, a server or waiting; it has no place for an entity',
  version: () => (existsSync(ADDON) ? packageVersion(PACKAGE) : null),
  async open() {
    const [{ MongoCrypt }, { Binary, deserialize, serialize }] = await Promise.all([
      import('mongodb-client-encryption'),
      import('bson'),
    ]);
    const crypt = new MongoCrypt({ kmsProviders: serialize({ local: { key: randomBytes(LOCAL_MASTER_BYTES) } }) });
    const raw = { promoteBuffers: false };
    const dataKey = finished(crypt.makeDataKeyContext(serialize({ provider: 'local' }), {}));
    const keyId = deserialize(dataKey, raw)._id.buffer;
    const find = (filter) => (Buffer.from(filter).includes(keyId) ? dataKey : null);
    const encryption = { keyId, algorithm: ALGORITHM };
    return {
      protect(_entity, bytes) {
        const context = crypt.makeExplicitEncryptionContext(serialize({ v: new Binary(bytes) }), encryption);
        return deserialize(finished(context, find), raw).v.buffer;
      },
      unprotect(_entity, sealed) {
        const value = new Binary(sealed, Binary.SUBTYPE_ENCRYPTED);
        const context = crypt.makeExplicitDecryptionContext(serialize({ v: value }));
        return deserialize(finished(context, find), raw).v.buffer;
      },
    };
  },
};

/** What a context makes, given the data keys that it asks for. */
function finished(context, find) {
  for (;;) {
    switch (context.state) {
      case STATE.ready: {
        const made = context.finalize();
        if (context.state !== STATE.error) return made;
        break;
      }
      case STATE.needKeys: {
        const key = find(context.nextMongoOperation());
        if (key !== null) context.addMongoOperationResponse(key);
        context.finishMongoOperation();
        break;
      }
      default:
        throw new Error(context.status.message ?? `libmongocrypt stops in state ${context.state}`);
    }
  }
}
