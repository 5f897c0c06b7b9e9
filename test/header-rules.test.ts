/** Every rule of sections 1, 2 and 5 of docs/format.md, broken one at a time. */

import { describe, expect, it } from 'vitest';

import { parseHeader } from '../lib/callfile/header.ts';
import { encodePrelude } from '../lib/callfile/prelude.ts';
import { encodeRecipients, type RecipientEntry } from '../lib/callfile/recipients-block.ts';
import type { ErrorCode } from '../lib/errors.ts';
import { refusalOf } from './helpers/errors.ts';
import { headerBytes, sampleFields } from './helpers/header-bytes.ts';

/** Offsets in the sample: first entry with a certificate, second bare. */
const FIRST = 56;
const CERTIFICATE = FIRST + 2 + 32 + 2 + 256 + 1;
const SERIAL = CERTIFICATE + 32 + 8 + 8;
const SUBJECT = SERIAL + 1 + 3;
const ISSUER = SUBJECT + 2 + 19;
const SECOND = ISSUER + 2 + 19;
const MAC = SECOND + 2 + 32 + 2 + 384 + 1;
const FLOE = MAC + 32;

function u16(value: number): number[] {
  return [value >> 8, value & 255];
}

function u32(value: number): number[] {
  return [...u16(value >>> 16), ...u16(value & 0xffff)];
}

/** What happens to the sample header when bytes are replaced. */
function withBytes(offset: number, bytes: number[]): () => unknown {
  const header = Uint8Array.from(headerBytes(sampleFields()));
  header.set(bytes, offset);
  return () => parseHeader(header, 'call.sealed');
}

type Case = [rule: string, offset: number, bytes: number[], code: ErrorCode, message: RegExp];

const CASES: Case[] = [
  ['magic', 0, [0x63], 'ERR_NOT_CALLSEAL', /does not begin with/],
  ['version', 8, u16(2), 'ERR_UNSUPPORTED_VERSION', /byte 8: format version 2/],
  ['suite', 10, u16(2), 'ERR_UNSUPPORTED_VERSION', /byte 10: suite 2/],
  ['flags', 12, u32(2), 'ERR_UNSUPPORTED_VERSION', /byte 12: flags 0x2/],
  ['high flags', 12, u32(0x8000_0000), 'ERR_UNSUPPORTED_VERSION', /byte 12: flags 0x80000000/],
  ['creation time', 32, [0, 0, 0xe6, 0x77, 0xd2, 0x1f, 0xdc, 0], 'ERR_TAMPERED', /byte 32: .*9999/],
  ['reserved bytes of the prelude', 47, [1], 'ERR_TAMPERED', /byte 40: .*reserved/],
  ['length of all entries', 48, u32(4_194_305), 'ERR_TAMPERED', /byte 48: .*4194305/],
  ['no recipients', 52, u16(0), 'ERR_TAMPERED', /byte 52: 0 recipients/],
  ['too many recipients', 52, u16(4097), 'ERR_TAMPERED', /byte 52: 4097 recipients/],
  ['more recipients than fit', 52, u16(3), 'ERR_TAMPERED', /byte 52: 3 recipients do not fit/],
  ['fewer recipients than there are', 52, u16(1), 'ERR_TAMPERED', /421 bytes follow the last recipient/],
  ['reserved bytes of the recipients', 54, u16(1), 'ERR_TAMPERED', /byte 54: .*reserved/],
  ['key wrap', FIRST, u16(2), 'ERR_UNSUPPORTED_VERSION', /byte 56: key wrap 2/],
  [
    'key id twice',
    FIRST + 2,
    new Array(32).fill(2),
    'ERR_TAMPERED',
    new RegExp(`byte ${SECOND}: recipient 2 .*earlier`),
  ],
  ['short wrapped key', FIRST + 34, u16(255), 'ERR_TAMPERED', /byte 90: .*255/],
  ['long wrapped key', FIRST + 34, u16(1025), 'ERR_TAMPERED', /byte 90: .*1025/],
  ['kind', CERTIFICATE - 1, [2], 'ERR_TAMPERED', new RegExp(`byte ${CERTIFICATE - 1}: kind of recipient 2`)],
  ['not before', CERTIFICATE + 32, [0x80], 'ERR_TAMPERED', /years 0000 to 9999/],
  ['not after', CERTIFICATE + 40, [0x7f], 'ERR_TAMPERED', /years 0000 to 9999/],
  ['empty serial', SERIAL, [0], 'ERR_TAMPERED', new RegExp(`byte ${SERIAL}: a serial`)],
  ['leading zero in the serial', SERIAL + 1, [0], 'ERR_TAMPERED', new RegExp(`byte ${SERIAL}: a serial`)],
  ['subject too long', SUBJECT, u16(8193), 'ERR_TAMPERED', new RegExp(`byte ${SUBJECT}: a subject of 8193`)],
  ['subject past the end', SUBJECT, u16(8192), 'ERR_TAMPERED', /subject runs past the end/],
  [
    'control character C0',
    SUBJECT + 2,
    [0x1b],
    'ERR_TAMPERED',
    new RegExp(`byte ${SUBJECT}: the subject has a control`),
  ],
  ['control character DEL', SUBJECT + 2, [0x7f], 'ERR_TAMPERED', /the subject has a control/],
  ['control character C1', ISSUER + 2, [0xc2, 0x85], 'ERR_TAMPERED', /the issuer has a control/],
  ['UTF-8: lone continuation', SUBJECT + 2, [0x80], 'ERR_TAMPERED', /the subject is not well-formed/],
  ['UTF-8: overlong', SUBJECT + 2, [0xc0, 0xaf], 'ERR_TAMPERED', /the subject is not well-formed/],
  ['UTF-8: surrogate', SUBJECT + 2, [0xed, 0xa0, 0x80], 'ERR_TAMPERED', /the subject is not well-formed/],
  ['AEAD', FLOE, [1], 'ERR_TAMPERED', new RegExp(`byte ${FLOE}: AEAD 1`)],
  ['KDF', FLOE + 1, [1], 'ERR_TAMPERED', new RegExp(`byte ${FLOE + 1}: KDF 1`)],
  ['short segments', FLOE + 2, u32(1023), 'ERR_TAMPERED', new RegExp(`byte ${FLOE + 2}: .*1023`)],
  ['long segments', FLOE + 2, u32(16_777_217), 'ERR_TAMPERED', new RegExp(`byte ${FLOE + 2}: .*16777217`)],
  ['IV length', FLOE + 6, u32(12), 'ERR_TAMPERED', new RegExp(`byte ${FLOE + 6}: an IV length of 12`)],
];

describe('a header that breaks a rule', () => {
  it.each(CASES)('%s', async (_rule, offset, bytes, code, message) => {
    const error = await refusalOf(withBytes(offset, bytes));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
    expect(error.message).toContain('call.sealed');
    expect(error.path).toBe('call.sealed');
  });

  it('is the only kind that is refused: the sample itself and values at the limits pass', () => {
    expect(withBytes(0, [])).not.toThrow();
    expect(withBytes(32, [0, 0, 0xe6, 0x77, 0xd2, 0x1f, 0xdb, 0xff])).not.toThrow();
    expect(withBytes(FLOE + 2, u32(1024))).not.toThrow();
    expect(withBytes(FLOE + 2, u32(16_777_216))).not.toThrow();
  });

  it('refuses input that is empty, short or something else as no call file', async () => {
    const error = await refusalOf(() => parseHeader(Buffer.from('%PDF-1.7 and more'), 'letter.pdf'));
    expect(error.code).toBe('ERR_NOT_CALLSEAL');
    expect(parseHeader(new Uint8Array(0))).toEqual({ header: null, need: 16 });
    expect(parseHeader(Buffer.from('CALL'))).toEqual({ header: null, need: 16 });
  });
});

describe('laying out', () => {
  const entry = (): RecipientEntry => sampleFields().entries[0]!;
  const certificate = () => entry().certificate!;

  it.each<[string, RecipientEntry[]]>([
    ['no recipient', []],
    ['a short key id', [{ ...entry(), keyId: new Uint8Array(31) }]],
    ['a short wrapped key', [{ ...entry(), wrappedKey: new Uint8Array(255) }]],
    ['a long wrapped key', [{ ...entry(), wrappedKey: new Uint8Array(1025) }]],
    ['an empty serial', [{ ...entry(), certificate: { ...certificate(), serial: new Uint8Array(0) } }]],
    ['a serial with a leading zero', [{ ...entry(), certificate: { ...certificate(), serial: Uint8Array.of(0, 1) } }]],
    ['a long subject', [{ ...entry(), certificate: { ...certificate(), subject: 'x'.repeat(8193) } }]],
    ['a control character', [{ ...entry(), certificate: { ...certificate(), issuer: 'CN=a\u0085' } }]],
    ['a time beyond the year 9999', [{ ...entry(), certificate: { ...certificate(), notAfter: 253_402_300_800 } }]],
    ['a short certificate id', [{ ...entry(), certificate: { ...certificate(), sha256: new Uint8Array(20) } }]],
    ['more bytes than there is room for', new Array(4096).fill({ ...entry(), wrappedKey: new Uint8Array(1024) })],
  ])('refuses %s', async (_what, entries) => {
    expect((await refusalOf(() => encodeRecipients(entries))).code).toBe('ERR_INVALID_ARGUMENT');
  });

  it.each([
    ['a short file id', { fileId: new Uint8Array(15), createdAt: 0 }],
    ['a time before 1970', { fileId: new Uint8Array(16), createdAt: -1 }],
    ['a time after 9999', { fileId: new Uint8Array(16), createdAt: 253_402_300_800_000 }],
  ])('refuses %s', async (_what, prelude) => {
    expect((await refusalOf(() => encodePrelude(prelude))).code).toBe('ERR_INVALID_ARGUMENT');
  });
});
