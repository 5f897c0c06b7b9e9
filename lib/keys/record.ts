/** Everything of a protected record before its IV: "Protected record" in docs/keys.md. */

import { CallsealError } from '../errors.ts';
import { AREA_MAX_LENGTH, isArea } from './area.ts';
import { ID_BYTES } from './ids.ts';
import { isSuiteByte, type Suite, suiteOfByte } from './suites.ts';

const MAGIC = Buffer.from('CSRD', 'latin1');
const VERSION = 1;
const SUITE_AT = 5;
const MASTER_AT = 6;
/** Where the working key's id begins. */
export const WORKING_AT = MASTER_AT + ID_BYTES;
const AREA_LENGTH_AT = WORKING_AT + ID_BYTES;
const AREA_AT = AREA_LENGTH_AT + 1;
const INNER_TAG_BYTES = 16;

export interface RecordHeader {
  readonly suite: Suite;
  readonly masterId: Uint8Array;
  readonly workingId: Uint8Array;
  readonly area: string;
  readonly length: number;
}

export function encodeHeader(suite: Suite, masterId: Uint8Array, workingId: Uint8Array, area: string): Uint8Array {
  const header = new Uint8Array(AREA_AT + area.length);
  header.set(MAGIC);
  header[4] = VERSION;
  header[SUITE_AT] = suite.byte;
  header.set(masterId, MASTER_AT);
  header.set(workingId, WORKING_AT);
  header[AREA_LENGTH_AT] = area.length;
  header.set(Buffer.from(area, 'latin1'), AREA_AT);
  return header;
}

/**
 * Reads what a record says of itself; nothing of it is authenticated yet.
 *
 * @throws {CallsealError} `ERR_NOT_CALLSEAL`, `ERR_UNSUPPORTED_VERSION`, `ERR_TRUNCATED`, `ERR_TAMPERED`
 */
export function parseHeader(record: Uint8Array): RecordHeader {
  if (record.length < MAGIC.length || MAGIC.compare(record, 0, MAGIC.length) !== 0) {
    throw new CallsealError('ERR_NOT_CALLSEAL', 'the bytes are not a protected record: they do not begin with `CSRD`');
  }
  if (record.length < AREA_AT) throw truncated();
  if (record[4] !== VERSION || !isSuiteByte(record[SUITE_AT]!)) {
    throw new CallsealError(
      'ERR_UNSUPPORTED_VERSION',
      `the protected record has version ${record[4]} and suite ${record[SUITE_AT]}; this release reads version 1, suites 0 to 7`,
    );
  }
  const suite = suiteOfByte(record[SUITE_AT]!);
  const areaLength = record[AREA_LENGTH_AT]!;
  const length = AREA_AT + areaLength;
  if (areaLength === 0 || areaLength > AREA_MAX_LENGTH) throw brokenArea();
  if (record.length < length + shortestBody(suite)) throw truncated();
  const area = Buffer.from(record.buffer, record.byteOffset + AREA_AT, areaLength).toString('latin1');
  if (!isArea(area)) throw brokenArea();
  return {
    suite,
    masterId: new Uint8Array(record.subarray(MASTER_AT, WORKING_AT)),
    workingId: new Uint8Array(record.subarray(WORKING_AT, AREA_LENGTH_AT)),
    area,
    length,
  };
}

/** IV, the shortest ciphertext, and both tags. */
function shortestBody(suite: Suite): number {
  const cipher = suite.working === 'aes' ? 12 : 8 + 8;
  return cipher + INNER_TAG_BYTES + (suite.hash === 'sha256' ? 32 : 20);
}

function truncated(): CallsealError {
  return new CallsealError('ERR_TRUNCATED', 'the protected record ends too early');
}

function brokenArea(): CallsealError {
  return new CallsealError('ERR_TAMPERED', 'the protected record was altered: it names no valid area');
}
