/** What a run works with, and takes away afterwards: a directory, recipients and a key that opens. */

import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CallsealError, errnoOf } from '../../errors.ts';
import { KeyRing } from '../../recipients/keyring.ts';
import { createCertificate, generatePrivateKey, type PrivateKey } from '../../recipients/private-key.ts';
import { Recipients } from '../../recipients/recipients.ts';
import { RECIPIENTS } from './channels.ts';

/** Below this nothing useful can be measured. */
const LEAST_FREE_BYTES = 256 << 20;
const KEY_BITS = 2048;

export interface Workplace {
  /** Empty, for this user only, on the file system that is measured. */
  readonly directory: string;
  /** Bytes that may still be written there. */
  readonly freeBytes: number;
  /** Two, RSA-2048. */
  readonly recipients: Recipients;
  /** The key of the first recipient. Private keys are in memory only. */
  readonly key: PrivateKey;
  readonly keys: KeyRing;
  /** Cleanses the keys, removes the directory. */
  close(): void;
}

/**
 * @param parent An existing directory.
 * @throws {CallsealError} `ERR_IO`; `ERR_FIPS_UNAVAILABLE` and what else loading the module throws.
 */
export async function openWorkplace(parent: string): Promise<Workplace> {
  const { directory, freeBytes } = makeDirectory(parent);
  const remove = (): void => rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
  // For a process that is ended half-way.
  process.once('exit', remove);
  const made: PrivateKey[] = [];
  const close = (): void => {
    for (const key of made) key.destroy();
    remove();
    process.off('exit', remove);
  };
  try {
    const certificates: string[] = [];
    for (let number = 1; number <= RECIPIENTS; number += 1) {
      const key = await generatePrivateKey(KEY_BITS);
      made.push(key);
      const path = join(directory, `${number}.crt`);
      writeFileSync(path, await createCertificate(key, [['CN', `callseal bench ${number}`]], 1));
      certificates.push(path);
    }
    const key = made[0] as PrivateKey;
    return { directory, freeBytes, recipients: await Recipients.load(certificates), key, keys: KeyRing.of(key), close };
  } catch (error) {
    close();
    throw error;
  }
}

function makeDirectory(parent: string): { directory: string; freeBytes: number } {
  try {
    const { bavail, bsize } = statfsSync(parent);
    const freeBytes = bavail * bsize;
    if (freeBytes < LEAST_FREE_BYTES) {
      const needed = `${LEAST_FREE_BYTES >> 20} MiB are needed`;
      const message = `${parent}: has ${Math.floor(freeBytes / 2 ** 20)} MiB free; ${needed}`;
      throw new CallsealError('ERR_IO', message, { path: parent, errno: 'ENOSPC' });
    }
    return { directory: mkdtempSync(join(parent, 'callseal-bench-')), freeBytes };
  } catch (error) {
    if (error instanceof CallsealError) throw error;
    const errno = errnoOf(error);
    const message = `${parent}: cannot make a directory there (${errno ?? String(error)})`;
    throw new CallsealError('ERR_IO', message, { path: parent, cause: error, ...(errno ? { errno } : {}) });
  }
}
