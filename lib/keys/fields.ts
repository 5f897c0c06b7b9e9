/** The unambiguous encoding of lists of fields that is signed, authenticated and hashed: `LP` and `FIELDS` of docs/keys.md. */

/** A text (UTF-8), a whole number (u64) or bytes as they are. */
export type Field = string | number | Uint8Array;

const LENGTH_BYTES = 4;
const NUMBER_BYTES = 8;

/** `FIELDS(label, …)`. Numbers are whole and from 0 to 2^53 − 1. */
export function encodeFields(label: string, ...fields: readonly Field[]): Uint8Array {
  return concatLengthPrefixed([Buffer.from(label, 'utf8'), ...fields.map(fieldBytes)]);
}

/** `LP(a) ‖ LP(b) ‖ …`. */
export function concatLengthPrefixed(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + LENGTH_BYTES + part.length, 0));
  const view = new DataView(bytes.buffer);
  let offset = 0;
  for (const part of parts) {
    view.setUint32(offset, part.length);
    bytes.set(part, offset + LENGTH_BYTES);
    offset += LENGTH_BYTES + part.length;
  }
  return bytes;
}

/** A suite, which is a field of one byte. */
export function u8(value: number): Uint8Array {
  return Uint8Array.of(value);
}

function fieldBytes(field: Field): Uint8Array {
  if (typeof field === 'string') return Buffer.from(field, 'utf8');
  if (typeof field !== 'number') return field;
  const bytes = new Uint8Array(NUMBER_BYTES);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(field));
  return bytes;
}
