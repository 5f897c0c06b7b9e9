/** The signed bytes of a master key's row: "Master key record" in docs/keys.md. */

import type { NativePrivateKey, SignatureScheme } from '../native/binding.ts';
import { attemptAsyncStep } from './assessment.ts';
import { sha256 } from './digest.ts';
import { concatLengthPrefixed, encodeFields, u8 } from './fields.ts';
import type { MasterRow } from './stores/store.ts';
import { type Suite, suiteOfByte } from './suites.ts';

/** A row that has no signature yet. */
export type BareMasterRow = Omit<MasterRow, 'signature'>;

export function masterRecordBytes(storeId: Uint8Array, installationId: Uint8Array, row: BareMasterRow): Uint8Array {
  return encodeFields(
    'callseal master v1',
    storeId,
    row.id,
    u8(row.suite),
    row.state,
    row.sequence,
    row.createdAt,
    row.changedAt,
    installationId,
    row.wrapped,
  );
}

/** @throws {CallsealError} `ERR_NOT_APPROVED` where the module makes no SHA-1 signatures. */
export async function signMaster(key: NativePrivateKey, storeId: Uint8Array, row: BareMasterRow): Promise<MasterRow> {
  const suite = suiteOfByte(row.suite);
  const bytes = masterRecordBytes(storeId, key.spkiSha256, row);
  const signature = await attemptAsyncStep('sign a master key', suite, () => key.sign(schemeOf(suite), bytes));
  return { ...row, signature };
}

export async function masterSignatureFits(
  key: NativePrivateKey,
  storeId: Uint8Array,
  row: MasterRow,
): Promise<boolean> {
  const bytes = masterRecordBytes(storeId, key.spkiSha256, row);
  return key.publicKey.verify(schemeOf(suiteOfByte(row.suite)), bytes, row.signature);
}

/** What the manifest holds of a master key's row. */
export function masterDigest(storeId: Uint8Array, installationId: Uint8Array, row: MasterRow): Uint8Array {
  return sha256(concatLengthPrefixed([masterRecordBytes(storeId, installationId, row), row.signature]));
}

function schemeOf(suite: Suite): SignatureScheme {
  return suite.hash === 'sha256' ? 'pss-sha256' : 'pkcs1-sha1';
}
