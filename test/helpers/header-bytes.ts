/** Headers put together by the codec, for tests that need no cryptography; and arbitrary ones for fast-check. */

import fc from 'fast-check';

import { FLOE_HEADER_BYTES } from '../../lib/callfile/format.ts';
import { encodePrelude, type Prelude } from '../../lib/callfile/prelude.ts';
import { type EntryCertificate, encodeRecipients, type RecipientEntry } from '../../lib/callfile/recipients-block.ts';
import { MAX_CERTIFICATE_TIME, MAX_NAME_BYTES, MIN_CERTIFICATE_TIME } from '../../lib/recipients/limits.ts';

export interface HeaderFields {
  prelude: Prelude;
  entries: RecipientEntry[];
  mac: Uint8Array;
  segmentLength: number;
  /** FLOE IV and header tag. */
  floeRest: Uint8Array;
}

export function floeHeader(segmentLength: number, rest: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(FLOE_HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(2, segmentLength);
  view.setUint32(6, 32);
  bytes.set(rest, 10);
  return bytes;
}

/** The whole header, FLOE header included. */
export function headerBytes(fields: HeaderFields): Uint8Array {
  const { bytes } = encodeRecipients(fields.entries);
  return concat([encodePrelude(fields.prelude), bytes, fields.mac, floeHeader(fields.segmentLength, fields.floeRest)]);
}

/** A plain Uint8Array: its views compare equal to those that tests make. */
function concat(parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts));
}

/** Fields with nothing special about them: one certificate, one bare key. */
export function sampleFields(): HeaderFields {
  const certificate: EntryCertificate = {
    sha256: new Uint8Array(32).fill(3),
    notBefore: 1_700_000_000,
    notAfter: 1_800_000_000,
    serial: Uint8Array.of(0x7f, 1, 2),
    subject: 'CN=Mary,O=MyCompany',
    issuer: 'CN=Mary,O=MyCompany',
  };
  return {
    prelude: { fileId: new Uint8Array(16).fill(9), createdAt: 1_750_000_000_000, signed: false },
    entries: [
      { keyId: new Uint8Array(32).fill(1), wrappedKey: new Uint8Array(256).fill(8), certificate },
      { keyId: new Uint8Array(32).fill(2), wrappedKey: new Uint8Array(384).fill(7), certificate: null },
    ],
    mac: new Uint8Array(32).fill(5),
    segmentLength: 4096,
    floeRest: new Uint8Array(64).fill(6),
  };
}

const exactly = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length });

/** Text as a certificate may have it: any well-formed Unicode, a byte order mark included, but control characters. */
const name = fc
  .string({ unit: 'binary', maxLength: 40 })
  .map((text) => text.replace(/\p{Cc}/gu, '\u{feff}'))
  .filter((text) => Buffer.byteLength(text) <= MAX_NAME_BYTES);

const time = fc.integer({ min: MIN_CERTIFICATE_TIME, max: MAX_CERTIFICATE_TIME });

const serial = fc.oneof(
  fc.constant(Uint8Array.of(0)),
  fc.uint8Array({ minLength: 1, maxLength: 255 }).map((bytes) => Uint8Array.of(bytes[0] || 1, ...bytes.subarray(1))),
);

const certificate: fc.Arbitrary<EntryCertificate> = fc.record({
  sha256: exactly(32),
  notBefore: time,
  notAfter: time,
  serial,
  subject: name,
  issuer: name,
});

const entry: fc.Arbitrary<RecipientEntry> = fc.record({
  keyId: exactly(32),
  wrappedKey: fc.uint8Array({ minLength: 256, maxLength: 1024 }),
  certificate: fc.option(certificate),
});

/** Any header that the format allows. */
export const anyHeaderFields: fc.Arbitrary<HeaderFields> = fc.record({
  prelude: fc.record({
    fileId: exactly(16),
    createdAt: fc.integer({ min: 0, max: 253_402_300_799_999 }),
    signed: fc.constant(false),
  }),
  entries: fc.uniqueArray(entry, {
    minLength: 1,
    maxLength: 4,
    selector: ({ keyId }) => Buffer.from(keyId).toString('hex'),
  }),
  mac: exactly(32),
  segmentLength: fc.integer({ min: 1024, max: 16_777_216 }),
  floeRest: exactly(64),
});
