/** A store as the second reader sees it. */

import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Entity } from '../../lib/keys/index.ts';
import { openRecord, verifyAudit, verifyManifest } from '../independent-key-decoder.ts';
import { opening } from './stores.ts';

export interface IndependentStore {
  /** Of everything that is signed or chained. */
  isSound(): boolean;
  open(entity: Entity, record: Uint8Array): Uint8Array;
}

/** Reads all rows now. */
export async function independentStore(url: string, installationKey: string): Promise<IndependentStore> {
  const key = createPrivateKey(readFileSync(installationKey));
  const connection = await opening(url);
  const store = (await connection.readStore())!;
  const masters = await connection.readMasters();
  const working = await connection.readWorking();
  const audit = await connection.readAudit(0, 10_000);
  await connection.close();
  return {
    isSound: () => verifyManifest(store, masters, working, key) && verifyAudit(store, audit),
    open: (entity, record) => new Uint8Array(openRecord(store, masters, working, key, entity, record)),
  };
}
