/** Call files altered field by field, as somebody does who knows docs/format.md and has no key. */

import fc from 'fast-check';

/** Where fields begin and end, in order; the last is the end of the file. Of a sound file. */
function boundariesOf(file: Buffer): number[] {
  const at = [0, 8, 10, 12, 16, 32, 40, 48, 52, 54, 56];
  const skip = (length: number): number => at[at.push(at.at(-1)! + length) - 2]!;
  const certificate = (): void => {
    for (const length of [32, 8, 8]) skip(length);
    skip(file.readUInt8(skip(1)));
    skip(file.readUInt16BE(skip(2)));
    skip(file.readUInt16BE(skip(2)));
  };
  for (let entry = file.readUInt16BE(52); entry > 0; entry--) {
    skip(2);
    skip(32);
    skip(file.readUInt16BE(skip(2)));
    if (file[skip(1)] === 1) certificate();
  }
  skip(32);
  let closing = 0;
  if (file.readUInt32BE(12) === 1) {
    const start = skip(2);
    const end = start + file.readUInt32BE(skip(4));
    skip(32);
    skip(file.readUInt16BE(skip(2)));
    if (file[skip(1)] === 1) certificate();
    const signature = end - at.at(-1)!;
    skip(signature);
    closing = 4 + signature;
  }
  const header = skip(1);
  for (const length of [1, 4, 4, 32, 32]) skip(length);
  const segment = file.readUInt32BE(header + 2);
  const last = file.length - closing;
  while (at.at(-1)! < last) {
    const length = Math.min(segment, last - at.at(-1)!);
    for (const part of [4, 12, length - 32, 16]) skip(part);
  }
  if (closing > 0) for (const part of [4, closing - 4]) skip(part);
  return at;
}

/** Numbers that say too much, too little, or nearly what is right. */
const number = fc.oneof(
  fc.constantFrom(0, 1, 2, 31, 32, 255, 256, 1023, 1024, 1025, 4096, 4097, 8193, 16_777_217, 0x7fff_ffff, 0xffff_ffff),
  fc.nat(0xffff),
);

/** Fields are counted from the beginning, round and round. */
type Alteration =
  | { kind: 'number' | 'add'; field: number; value: number }
  | { kind: 'flip'; field: number; byte: number; bit: number }
  | { kind: 'remove' | 'graft'; field: number; count: number }
  | { kind: 'copy' | 'move'; field: number; count: number; to: number }
  | { kind: 'cut' | 'append'; field: number; value: number };

const field = fc.nat(200);
const count = fc.integer({ min: 1, max: 8 });
const of = <K extends string>(...kinds: K[]): fc.Arbitrary<K> => fc.constantFrom(...kinds);

export const alterations: fc.Arbitrary<Alteration[]> = fc.array(
  fc.oneof(
    fc.record({ kind: of('number'), field, value: number }),
    fc.record({ kind: of('add'), field, value: fc.integer({ min: -3, max: 3 }) }),
    fc.record({ kind: of('flip'), field, byte: fc.nat(2000), bit: fc.nat(7) }),
    fc.record({ kind: of('remove', 'graft'), field, count }),
    fc.record({ kind: of('copy', 'move'), field, count, to: field }),
    fc.record({ kind: of('cut', 'append'), field, value: fc.nat(70) }),
  ),
  { minLength: 1, maxLength: 3 },
);

/** @param other Another sound file, whose fields are grafted in. */
export function altered(sound: Buffer, other: Buffer, all: readonly Alteration[]): Buffer {
  let fields = split(sound);
  const others = split(other);
  for (const alteration of all) fields = apply(fields, others, alteration);
  return Buffer.concat(fields);
}

function split(file: Buffer): Buffer[] {
  const at = boundariesOf(file);
  return at.slice(1).map((end, index) => file.subarray(at[index], end));
}

function apply(fields: Buffer[], others: readonly Buffer[], alteration: Alteration): Buffer[] {
  if (fields.length === 0) return fields;
  const at = alteration.field % fields.length;
  const changed = (bytes: Buffer): Buffer[] => fields.with(at, bytes);
  const here = fields[at]!;
  switch (alteration.kind) {
    case 'number':
      return changed(bigEndian(BigInt(alteration.value), here.length));
    case 'add':
      return changed(bigEndian(asNumber(here) + BigInt(alteration.value), here.length));
    case 'flip': {
      const bytes = Buffer.from(here);
      if (bytes.length > 0) bytes[alteration.byte % bytes.length]! ^= 1 << alteration.bit;
      return changed(bytes);
    }
    case 'remove':
      return fields.toSpliced(at, alteration.count);
    case 'graft':
      return fields.toSpliced(at, alteration.count, ...others.slice(at, at + alteration.count));
    case 'copy':
      return fields.toSpliced(alteration.to % fields.length, 0, ...fields.slice(at, at + alteration.count));
    case 'move': {
      const rest = fields.toSpliced(at, alteration.count);
      return rest.toSpliced(alteration.to % (rest.length + 1), 0, ...fields.slice(at, at + alteration.count));
    }
    case 'cut':
      return [...fields.slice(0, at), here.subarray(0, alteration.value)];
    case 'append':
      return [...fields, Buffer.alloc(alteration.value, alteration.field)];
  }
}

function asNumber(bytes: Buffer): bigint {
  return bytes.length === 0 ? 0n : BigInt(`0x${bytes.toString('hex')}`);
}

/** The lowest bytes of a number. */
function bigEndian(value: bigint, length: number): Buffer {
  const digits = BigInt.asUintN(8 * length, value)
    .toString(16)
    .padStart(2 * length, '0');
  return length === 0 ? Buffer.alloc(0) : Buffer.from(digits, 'hex');
}
