/** The opening block of a signed file, read: one encoding of everything, bounded, and judged as it arrives. */

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import { bodyEnd } from '../lib/callfile/body-end.ts';
import { headerEndsEarly, parseHeader } from '../lib/callfile/header.ts';
import type { ErrorCode } from '../lib/errors.ts';
import { refusalOf } from './helpers/errors.ts';
import { partsOf } from './helpers/signed-file.ts';

const vectors = JSON.parse(readFileSync(new URL('../docs/signature-vectors.json', import.meta.url), 'utf8'));
const files: Buffer[] = vectors.files.map(({ file }: { file: string }) => Buffer.from(file, 'hex'));
const [signed] = files as [Buffer];
const { before, opening, fields } = partsOf(signed);
const start = before.length;

/** The file with other bytes at an offset of its opening block. */
function withBytes(offset: number, bytes: readonly number[]): Buffer {
  const changed = Buffer.from(signed);
  changed.set(bytes, start + offset);
  return changed;
}

const u32 = (value: number): number[] => [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
const keyLength = opening.readUInt16BE(38);
const kind = 40 + keyLength;

const RULES: [what: string, offset: number, bytes: number[], code: ErrorCode, message: RegExp][] = [
  ['algorithm 0', 0, [0, 0], 'ERR_UNSUPPORTED_VERSION', /signature algorithm 0 is not known/],
  ['algorithm 4', 0, [0, 4], 'ERR_UNSUPPORTED_VERSION', /signature algorithm 4 is not known/],
  ['the algorithm of another length', 0, [0, 2], 'ERR_TAMPERED', /a signature of 64 bytes, which this algorithm/],
  ['more bytes than any', 2, u32(20_481), 'ERR_TAMPERED', /more than 20480/],
  ['more bytes than a length has', 2, u32(0xffff_ffff), 'ERR_TAMPERED', /more than 20480/],
  ['fewer bytes than its head', 2, u32(5), 'ERR_TAMPERED', /a signature of 5 bytes/],
  ['fewer bytes than its key', 2, u32(60), 'ERR_TAMPERED', /runs past the end/],
  ['a byte less', 2, u32(opening.length - 1), 'ERR_TAMPERED', /a signature of 63 bytes/],
  ['a byte more', 2, u32(opening.length + 1), 'ERR_TAMPERED', /a signature of 65 bytes/],
  ['no public key', 38, [0, 0], 'ERR_TAMPERED', /a public key of 0 bytes/],
  ['a public key that is too long', 38, [8, 1], 'ERR_TAMPERED', /a public key of 2049 bytes/],
  ['a kind that does not exist', kind, [2], 'ERR_TAMPERED', /kind of signer 2 does not exist/],
  ['no serial', kind + 1 + 48, [0], 'ERR_TAMPERED', /serial number is empty/],
  ['a time beyond all years', kind + 1 + 32, [0x7f], 'ERR_TAMPERED', /certificate time/],
];

describe('an opening block', () => {
  it.each(RULES)('with %s is refused', async (_what, offset, bytes, code, message) => {
    const error = await refusalOf(() => parseHeader(withBytes(offset, bytes), 'call.sealed'));
    expect([error.code, error.path]).toEqual([code, 'call.sealed']);
    expect(error.message).toMatch(message);
  });

  it('with a control character in a name is refused', async () => {
    const subject = fields.indexOf('CN=');
    const error = await refusalOf(() => parseHeader(withBytes(subject, [0x1b])));
    expect([error.code, error.message]).toEqual(['ERR_TAMPERED', expect.stringMatching(/control character/)]);
  });

  it.each(files)('is read as it arrives, byte by byte, to the same header', (file) => {
    const { bodyOffset, restOffset } = parseHeader(file).header!;
    const parts = partsOf(file);
    expect([restOffset, bodyOffset]).toEqual([parts.before.length, parts.before.length + parts.opening.length]);
    const needs = new Set<number>();
    for (let length = 0; length < bodyOffset + 74; length++) {
      const { header, need } = parseHeader(file.subarray(0, length));
      expect(header).toBeNull();
      expect(need).toBeGreaterThan(length);
      needs.add(need);
      expect(headerEndsEarly(length, need).code).toBe(length < 8 ? 'ERR_NOT_CALLSEAL' : 'ERR_TRUNCATED');
    }
    expect([...needs]).toEqual([16, 56, restOffset, restOffset + 6, bodyOffset, bodyOffset + 74]);
  });

  it.each(files)('holds what the page says, and tells where the body ends', (file) => {
    const { header } = parseHeader(file);
    const parts = partsOf(file);
    const { signature } = header!;
    expect(Buffer.from(signature!.fields).equals(parts.fields)).toBe(true);
    expect(Buffer.concat([signature!.fields, signature!.signature]).equals(parts.opening)).toBe(true);
    expect(signature!.closingBytes).toBe(parts.closing.length);
    expect(bodyEnd(header!, file.length)).toBe(file.length - parts.closing.length);
  });
});
