/** The signed bytes of a master key's row: "Master key record" in docs/keys.md. */

import { CallsealError } from '../errors.ts';
import type { NativePrivateKey, SignatureScheme } from '../native/binding.ts';
import { attemptAsyncStep } from './assessment.ts';
import { sha256 } from './digest.ts';
import { concatLengthPrefixed, encodeFields, u8 } from './fields.ts';
import type { MasterRow } from './stores/store.ts';
import { type Suite, suiteOfByte } from './suites.ts';

const STRONGEST: SignatureScheme = 'pss-sha256';

/** A row that has no signature yet. */
export type BareMasterRow = Omit<MasterRow, 'signature'>;

function masterRecordBytes(storeId: Uint8Array, installationId: Uint8Array, row: BareMasterRow): Uint8Array {
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

/**
 * Signs a new key's record as its suite says.
 *
 * @throws {CallsealError} `ERR_NOT_APPROVED` where the module makes no SHA-1 signatures.
 */
export async function signNewMaster(
  key: NativePrivateKey,
  storeId: Uint8Array,
  row: BareMasterRow,
): Promise<MasterRow> {
  const suite = suiteOfByte(row.suite);
  const bytes = masterRecordBytes(storeId, key.spkiSha256, row);
  const signature = await attemptAsyncStep('sign a master key', suite, () => key.sign(schemeOf(suite), bytes));
  return { ...row, signature };
}

/** Signs the record of a key that exists. Where the module makes no SHA-1 signatures, such a key can still be disabled: with PSS. */
export async function signChangedMaster(
  key: NativePrivateKey,
  storeId: Uint8Array,
  row: BareMasterRow,
): Promise<MasterRow> {
  try {
    return await signNewMaster(key, storeId, row);
  } catch (error) {
    if (!(error instanceof CallsealError) || error.code !== 'ERR_NOT_APPROVED') throw error;
    return { ...row, signature: await key.sign(STRONGEST, masterRecordBytes(storeId, key.spkiSha256, row)) };
  }
}

export async function masterSignatureFits(
  key: NativePrivateKey,
  storeId: Uint8Array,
  row: MasterRow,
): Promise<boolean> {
  const bytes = masterRecordBytes(storeId, key.spkiSha256, row);
  const { publicKey } = key;
  const scheme = schemeOf(suiteOfByte(row.suite));
  if (await publicKey.verify(scheme, bytes, row.signature)) return true;
  return scheme !== STRONGEST && publicKey.verify(STRONGEST, bytes, row.signature);
}

/** What the manifest holds of a master key's row. */
export function masterDigest(storeId: Uint8Array, installationId: Uint8Array, row: MasterRow): Uint8Array {
  return sha256(concatLengthPrefixed([masterRecordBytes(storeId, installationId, row), row.signature]));
}

function schemeOf(suite: Suite): SignatureScheme {
  return suite.hash === 'sha256' ? STRONGEST : 'pkcs1-sha1';
}
