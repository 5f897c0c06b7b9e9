/**
 * What the tests of the life cycle keep busy: every kind of native work, each checked, in a directory of its own.
 *
 * A module for children and their workers, which import what is built; `life.ts` makes the place and runs them.
 */

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  changeRecipients,
  createCallFileWriter,
  createDecryptStream,
  createEncryptStream,
  decrypt,
  decryptFile,
  encrypt,
  encryptFile,
  encryptInPlace,
  generateSigningKey,
  KeyRing,
  openRandomAccess,
  Recipients,
  rekeyFile,
  verify,
} from '../../dist/index.js';

const ENTITY = { tenant: 'acme', type: 'claimant', id: 'c-41', field: 'template' };

/** @typedef {{ certificates: string[], key: string, installation: string, store: string, stateDirectory: string, scratch: string, large: number }} LifePlace */

/** Opens what a place holds. @param {LifePlace} place */
export async function openLife(place) {
  const recipients = await Recipients.load(place.certificates);
  const keys = new KeyRing([place.key]);
  const scratch = mkdtempSync(join(place.scratch, 'life-'));
  const hierarchy = async (signal) => {
    // Only where it is worked with: half of what a worker loads.
    const { KeyHierarchy } = await import('../../dist/keys/index.js');
    return KeyHierarchy.open({
      store: place.store,
      stateDirectory: place.stateDirectory,
      installation: { key: place.installation },
      actor: 'life',
      ...(signal ? { signal } : {}),
    });
  };
  return {
    place,
    recipients,
    keys,
    scratch,
    hierarchy,
    close: () => rmSync(scratch, { recursive: true, force: true }),
  };
}

let made = 0;

/** A directory that is gone when the work is done, but not when it is stopped. */
async function inDirectory({ scratch }, work) {
  const directory = join(scratch, `${made++}`);
  mkdirSync(directory);
  const result = await work((name) => join(directory, name));
  rmSync(directory, { recursive: true });
  return result;
}

const content = (bytes) => Buffer.alloc(bytes, `call ${made}`);

function same(found, expected) {
  if (!Buffer.from(found).equals(expected)) throw new Error('what came back is not what went in');
}

/** By name, one round of each kind of work: `(life, signal) => Promise`. */
export const WORK = {
  async files(life, signal) {
    const { recipients, keys } = life;
    await inDirectory(life, async (path) => {
      const plain = content(100_000);
      writeFileSync(path('plain'), plain);
      await encryptFile(path('plain'), path('sealed'), { recipients, signal });
      await decryptFile(path('sealed'), path('opened'), { keys, signal, sync: false });
      same(readFileSync(path('opened')), plain);
    });
  },

  async 'a large file'(life, signal) {
    const { recipients, keys } = life;
    await inDirectory(life, async (path) => {
      writeFileSync(path('plain'), Buffer.alloc(life.place.large));
      await encryptFile(path('plain'), path('sealed'), { recipients, signal, sync: false });
      await verify(path('sealed'), { keys, signal });
      await rekeyFile(path('sealed'), path('again'), { keys, recipients, signal, sync: false });
    });
  },

  async streams(life, signal) {
    const { recipients, keys } = life;
    const plain = content(1_000_000);
    const parts = [];
    const through = [createEncryptStream({ recipients, signal }), createDecryptStream({ keys, signal })];
    await pipeline(Readable.from([plain.subarray(0, 70_001), plain.subarray(70_001)]), ...through, async (output) => {
      for await (const part of output) parts.push(part);
    });
    same(Buffer.concat(parts), plain);
  },

  async buffers({ recipients, keys }, signal) {
    const plain = content(3 << 20);
    same(await decrypt(await encrypt(plain, { recipients, signal }), { keys, signal }), plain);
  },

  async 'live writing'(life, signal) {
    const { recipients, keys } = life;
    await inDirectory(life, async (path) => {
      const plain = content(20_000);
      const writer = await createCallFileWriter(path('live'), { recipients, signal, flushInterval: 50 });
      for (let at = 0; at < plain.length; at += 2000) await writer.write(plain.subarray(at, at + 2000));
      await writer.flush();
      await writer.close();
      const file = await openRandomAccess(path('live'), { keys });
      same(await file.readRange(5000, 9000), plain.subarray(5000, 9000));
      await file.close();
    });
  },

  async 'changes of recipients'(life, signal) {
    const { recipients, keys } = life;
    await inDirectory(life, async (path) => {
      writeFileSync(path('call'), content(50_000));
      await encryptInPlace(path('call'), { recipients, signal });
      await changeRecipients(path('call'), { keys, signal, remove: [{ subject: 'CN=fred' }] });
      await verify(path('call'), { keys, signal });
    });
  },

  async 'the key hierarchy'(life, signal) {
    const keys = await life.hierarchy(signal);
    try {
      const plain = content(2000);
      same(await keys.unprotect('models', ENTITY, await keys.protect('models', ENTITY, plain)), plain);
    } finally {
      await keys.close();
    }
  },

  async 'key generation'() {
    (await generateSigningKey('P-256')).destroy();
  },
};
