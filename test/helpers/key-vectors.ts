/** docs/keys-vectors.json, with bytes as bytes. */

import { createPrivateKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Entity } from '../../lib/keys/index.ts';
import type { AuditRow, MasterRow, StoreRow, WorkingRow } from '../../lib/keys/stores/store.ts';

export interface KeyVectors {
  /** PEM. */
  readonly installationKey: string;
  readonly installation: KeyObject;
  readonly store: StoreRow;
  readonly masters: MasterRow[];
  readonly working: WorkingRow[];
  readonly audit: AuditRow[];
  readonly masterKeys: { id: Uint8Array; key: Uint8Array; wrap: Uint8Array; row: Uint8Array; binding: Uint8Array }[];
  readonly workingKeys: { id: Uint8Array; key: Uint8Array }[];
  readonly records: {
    suite: string;
    area: string;
    entity: Entity;
    plaintext: Uint8Array;
    encodedEntity: Uint8Array;
    record: Uint8Array;
  }[];
}

const TEXTS = new Set(['state', 'area', 'actor', 'host', 'event', 'details', 'suite', 'type', 'field', 'tenant']);

export function readKeyVectors(): KeyVectors {
  const text = readFileSync(new URL('../../docs/keys-vectors.json', import.meta.url), 'utf8');
  const vectors = JSON.parse(text, function (this: object, name, value) {
    const isEntity = Object.hasOwn(this, 'type');
    const isBytes = typeof value === 'string' && !Array.isArray(this) && !TEXTS.has(name) && !isEntity;
    return isBytes ? new Uint8Array(Buffer.from(value, 'hex')) : value;
  });
  const installationKey = `${vectors.installationKey.join('\n')}\n`;
  return { ...vectors, installationKey, installation: createPrivateKey(installationKey) };
}
