/** What a few reads of a FIPS module's file tell, before it is loaded. */

import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { CallsealError, errnoOf } from '../errors.ts';

const ELF_HEADER_BYTES = 64;
const SECTION_HEADER_BYTES = 64;
/** Bounds on what a damaged header can make us read: real modules have about 30 sections. */
const MAX_SECTIONS = 1024;
const MAX_NAMES_BYTES = 64 * 1024;

/** The section in which the Red Hat family's builds keep the module's MAC (their "embed-hmac" patch). */
const MAC_SECTION = '.rodata1';

/**
 * Whether a module carries its own MAC and so needs no `fipsmodule.cnf`, which is where upstream's MAC is.
 *
 * @throws CallsealError ERR_FIPS_UNAVAILABLE when the file is not a whole 64-bit ELF file: loading one that was cut
 * kills the process (SIGBUS) instead of failing
 */
export function hasEmbeddedMac(path: string): boolean {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, 'r');
    return sectionNames(descriptor).includes(MAC_SECTION);
  } catch (cause) {
    const why = cause instanceof RangeError ? cause.message : `cannot be read (${errnoOf(cause)})`;
    throw new CallsealError('ERR_FIPS_UNAVAILABLE', `${path}: ${why}; run \`callseal fips install\``, { path, cause });
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/**
 * Names of all sections; offsets as in the System V ABI, "ELF Header" and "Sections". Linkers put the table of
 * sections last, so a file that holds it whole was not cut.
 *
 * @throws RangeError that says what is wrong
 */
function sectionNames(descriptor: number): string[] {
  const header = readAt(descriptor, 0, ELF_HEADER_BYTES);
  if (header.readUInt32BE(0) !== 0x7f454c46 || header[4] !== 2) throw new RangeError('is not a 64-bit ELF file');
  const little = header[5] === 1;
  const u16 = (at: number) => (little ? header.readUInt16LE(at) : header.readUInt16BE(at));
  const u32 = (from: Buffer, at: number) => (little ? from.readUInt32LE(at) : from.readUInt32BE(at));
  const u64 = (from: Buffer, at: number) => Number(little ? from.readBigUInt64LE(at) : from.readBigUInt64BE(at));

  const count = u16(0x3c);
  const namesIndex = u16(0x3e);
  if (u16(0x3a) !== SECTION_HEADER_BYTES || count > MAX_SECTIONS || namesIndex >= count) {
    throw new RangeError('has no sound table of sections');
  }
  const sections = readAt(descriptor, u64(header, 0x28), count * SECTION_HEADER_BYTES);
  const namesHeader = sections.subarray(namesIndex * SECTION_HEADER_BYTES);
  const namesLength = u64(namesHeader, 0x20);
  if (namesLength > MAX_NAMES_BYTES) throw new RangeError('has no sound table of section names');
  const names = readAt(descriptor, u64(namesHeader, 0x18), namesLength);

  return Array.from({ length: count }, (_, index) => {
    const start = u32(sections, index * SECTION_HEADER_BYTES);
    return names.toString('latin1', start, names.indexOf(0, start));
  });
}

function readAt(descriptor: number, position: number, length: number): Buffer {
  const end = position + length;
  if (end > fstatSync(descriptor).size) throw new RangeError('is cut short');
  const buffer = Buffer.alloc(length);
  if (readSync(descriptor, buffer, 0, length, position) !== length) throw new RangeError('is cut short');
  return buffer;
}
