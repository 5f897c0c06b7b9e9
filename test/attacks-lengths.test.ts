/**
 * Version, suite, flags and every length set to what they must not be, by a sender or recipient who holds the content key:
 * the MAC, the header tag and every tag are right for what stands there, so that nothing but the rule refuses it.
 */

import { randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';

import { type ErrorCode, inspect } from '../lib/index.ts';
import {
  bodyKeyOf,
  entryFor,
  type FloeFields,
  type Forgery,
  forgeBody,
  forgeCertificate,
  forgeEntry,
  forgeFile,
  forgeFloe,
  forgePrelude,
  forgeRecipients,
  forgeSegment,
  keyIdOf,
  type PreludeFields,
  u32,
  wrapKey,
} from './helpers/attacker.ts';
import { codeOf } from './helpers/errors.ts';
import { expectOpens, expectRefused, openEveryWay } from './helpers/every-way.ts';
import { makeVictims, type Victim } from './helpers/victims.ts';

let mary: Victim;

beforeAll(async () => {
  ({ mary } = await makeVictims());
});

const PLAINTEXT = Buffer.from('what the caller said');
const contentKey = randomBytes(32);
const LARGEST = 0xffff_ffff;

const forMary = (forgery: Forgery = {}): Buffer =>
  forgeFile({ contentKey, entries: [entryFor(mary.publicKey, contentKey)], plaintext: PLAINTEXT, ...forgery });

/** Mary's entry with something wrong in it. */
const entry = (fields: Partial<Parameters<typeof forgeEntry>[0]>): Buffer =>
  forgeEntry({ keyId: keyIdOf(mary.publicKey), wrapped: wrapKey(mary.publicKey, contentKey), ...fields });

const certified = (fields: Parameters<typeof forgeCertificate>[0]): Buffer =>
  entry({ certificate: forgeCertificate(fields) });

describe('who holds the content key wants a reader to take a file for one of another version', () => {
  it.each<[string, PreludeFields, ErrorCode]>([
    ...[0, 2, 255, 256, 65_535].map((version): [string, PreludeFields, ErrorCode] => [
      `version ${version}`,
      { version },
      'ERR_UNSUPPORTED_VERSION',
    ]),
    ...[0, 2, 256, 65_535].map((suite): [string, PreludeFields, ErrorCode] => [
      `suite ${suite}`,
      { suite },
      'ERR_UNSUPPORTED_VERSION',
    ]),
    ...Array.from({ length: 32 }, (_, bit): [string, PreludeFields, ErrorCode] => [
      `flag ${bit}`,
      { flags: 2 ** bit },
      'ERR_UNSUPPORTED_VERSION',
    ]),
    ['a reserved bit', { reserved: 1n }, 'ERR_TAMPERED'],
    ['all reserved bits', { reserved: 2n ** 64n - 1n }, 'ERR_TAMPERED'],
    ['a time after the year 9999', { createdAt: 253_402_300_800_000n }, 'ERR_TAMPERED'],
    ['the last time there is', { createdAt: 2n ** 64n - 1n }, 'ERR_TAMPERED'],
  ])('%s', async (_what, fields, code) => {
    await expectRefused(forMary({ prelude: forgePrelude(fields) }), mary.keys, code);
  });
});

describe('who holds the content key wants a reader to believe a length of the header', () => {
  const MARY = (): Buffer[] => [entryFor(mary.publicKey, contentKey)];

  it.each<[string, () => Buffer, readonly ErrorCode[]]>([
    ...[0, 1, 292].map((length): [string, () => Buffer, readonly ErrorCode[]] => [
      `recipients of ${length} bytes`,
      () => forgeRecipients(MARY(), { length }),
      ['ERR_TAMPERED'],
    ]),
    ['recipients of the longest length', () => forgeRecipients(MARY(), { length: 4_194_304 }), ['ERR_TRUNCATED']],
    ['recipients of one byte more', () => forgeRecipients(MARY(), { length: 4_194_305 }), ['ERR_TAMPERED']],
    ['recipients of 4 GiB', () => forgeRecipients(MARY(), { length: LARGEST }), ['ERR_TAMPERED']],
    ['no recipient', () => forgeRecipients([]), ['ERR_TAMPERED']],
    ['no recipient, and bytes of one', () => forgeRecipients(MARY(), { count: 0 }), ['ERR_TAMPERED']],
    ['two recipients, and bytes of one', () => forgeRecipients(MARY(), { count: 2 }), ['ERR_TAMPERED']],
    ['a reserved bit', () => forgeRecipients(MARY(), { reserved: 0x8000 }), ['ERR_TAMPERED']],
    ['bytes after the last entry', () => forgeRecipients([...MARY(), randomBytes(1)], { count: 1 }), ['ERR_TAMPERED']],
    ['no key wrap', () => forgeRecipients([entry({ keyWrap: 0 })]), ['ERR_UNSUPPORTED_VERSION']],
    ['a key wrap of another suite', () => forgeRecipients([entry({ keyWrap: 2 })]), ['ERR_UNSUPPORTED_VERSION']],
    ['a kind of recipient there is not', () => forgeRecipients([entry({ kind: 2 })]), ['ERR_TAMPERED']],
    ...[0, 1, 255, 1025, 65_535].map((length): [string, () => Buffer, readonly ErrorCode[]] => [
      `a wrapped key of ${length} bytes`,
      () => forgeRecipients([entry({ wrappedLength: length })]),
      ['ERR_TAMPERED'],
    ]),
    [
      'a wrapped key longer than the modulus',
      () => forgeRecipients([entry({ wrapped: randomBytes(1024) })]),
      ['ERR_TAMPERED'],
    ],
    ['an empty serial', () => forgeRecipients([certified({ serial: Buffer.alloc(0) })]), ['ERR_TAMPERED']],
    ['a serial past the end', () => forgeRecipients([certified({ serialLength: 255 })]), ['ERR_TAMPERED']],
    ['a serial with a leading zero', () => forgeRecipients([certified({ serial: Buffer.of(0, 1) })]), ['ERR_TAMPERED']],
    ['a subject past the end', () => forgeRecipients([certified({ subjectLength: 8192 })]), ['ERR_TAMPERED']],
    [
      'a subject of 8193 bytes',
      () => forgeRecipients([certified({ subject: Buffer.alloc(8193, 120) })]),
      ['ERR_TAMPERED'],
    ],
    [
      'an issuer of 65535 bytes',
      () => forgeRecipients([certified({ issuer: Buffer.alloc(65_535, 120) })]),
      ['ERR_TAMPERED'],
    ],
    [
      'a name with a line end',
      () => forgeRecipients([certified({ subject: Buffer.from('CN=a\nCN=b') })]),
      ['ERR_TAMPERED'],
    ],
    ['a time before the year 0', () => forgeRecipients([certified({ notBefore: -62_167_219_201n })]), ['ERR_TAMPERED']],
    ['the last time there is', () => forgeRecipients([certified({ notAfter: 2n ** 63n - 1n })]), ['ERR_TAMPERED']],
  ])('%s', async (_what, recipients, codes) => {
    await expectRefused(forMary({ recipients: recipients() }), mary.keys, ...codes);
  });

  it('and none of them shows in inspect as a file with recipients', async () => {
    for (const length of [4_194_305, LARGEST]) {
      const file = forMary({ recipients: forgeRecipients(MARY(), { length }) });
      expect(await codeOf(() => inspect(file))).toBe('ERR_TAMPERED');
    }
  });
});

describe('who holds the content key wants a reader to believe a length of the body', () => {
  it.each<[string, FloeFields]>([
    ...[0, 32, 33, 1023, 16_777_217, LARGEST].map((segmentLength): [string, FloeFields] => [
      `segments of ${segmentLength} bytes`,
      { segmentLength },
    ]),
    ...[0, 12, 33, LARGEST].map((ivLength): [string, FloeFields] => [`an IV of ${ivLength} bytes`, { ivLength }]),
    ['another AEAD', { aead: 1 }],
    ['another KDF', { kdf: 1 }],
  ])('%s', async (_what, fields) => {
    const prelude = forgePrelude();
    const floe = forgeFloe(bodyKeyOf(contentKey, prelude), prelude, fields);
    const body = Buffer.concat([floe.header, forgeSegment(floe, 0n, true, PLAINTEXT)]);
    await expectRefused(forMary({ prelude, body }), mary.keys, 'ERR_TAMPERED');
  });

  const HONEST_MARK = PLAINTEXT.length + 32;

  it.each<[number, readonly ErrorCode[]]>([
    [0, ['ERR_TAMPERED']],
    [31, ['ERR_TAMPERED']],
    [32, ['ERR_TAMPERED']],
    [HONEST_MARK - 1, ['ERR_TAMPERED']],
    [HONEST_MARK + 1, ['ERR_TRUNCATED']],
    [1024, ['ERR_TRUNCATED']],
    [1025, ['ERR_TAMPERED']],
    [0x7fff_ffff, ['ERR_TAMPERED']],
    [LARGEST - 1, ['ERR_TAMPERED']],
    [LARGEST, ['ERR_TRUNCATED']],
  ])('a last segment marked with %i', async (mark, codes) => {
    const prelude = forgePrelude();
    const floe = forgeFloe(bodyKeyOf(contentKey, prelude), prelude);
    const body = Buffer.concat([floe.header, forgeSegment(floe, 0n, true, PLAINTEXT, mark)]);
    await expectRefused(forMary({ prelude, body }), mary.keys, ...codes);
  });

  it('a body without a segment, and one of a header alone that is cut', async () => {
    const prelude = forgePrelude();
    const { header } = forgeFloe(bodyKeyOf(contentKey, prelude), prelude);
    for (const body of [header, header.subarray(0, 73), Buffer.alloc(0)]) {
      await expectRefused(forMary({ prelude, body }), mary.keys, 'ERR_TRUNCATED');
    }
  });

  it('a segment in the middle that is shorter than the others, or empty: released is what was before it', async () => {
    const prelude = forgePrelude();
    const floe = forgeFloe(bodyKeyOf(contentKey, prelude), prelude);
    for (const length of [0, 1, 991]) {
      const middle = forgeSegment(floe, 1n, false, Buffer.alloc(length));
      const end = forgeSegment(floe, 2n, true, PLAINTEXT);
      const body = Buffer.concat([floe.header, forgeSegment(floe, 0n, false, Buffer.alloc(992)), middle, end]);
      for (const { way, plaintext, error } of await openEveryWay(forMary({ prelude, body }), mary.keys)) {
        expect(['ERR_TAMPERED', 'ERR_TRUNCATED'], way).toContain(error?.code);
        expect(plaintext?.length ?? 0, way).toBe(way === 'stream' ? 992 : 0);
      }
    }
  });

  it('a file whose end is marked last twice, each authentic: the second is refused', async () => {
    const prelude = forgePrelude();
    const floe = forgeFloe(bodyKeyOf(contentKey, prelude), prelude);
    const ends = [0n, 1n].map((index) => forgeSegment(floe, index, true, Buffer.alloc(992)));
    const body = Buffer.concat([floe.header, ...ends]);
    for (const { way, error } of await openEveryWay(forMary({ prelude, body }), mary.keys)) {
      expect(error?.code, way).toBe('ERR_TAMPERED');
    }
  });
});

describe('what the format allows, though Callseal never writes it', () => {
  it.each<[string, () => Buffer, Buffer]>([
    ['a last segment that is empty after a full one', () => withEmptyEnd(), Buffer.alloc(992, 5)],
    ['the longest segments', () => forMary({ floe: { segmentLength: 16_777_216 } }), PLAINTEXT],
    [
      'the last time there is',
      () => forMary({ prelude: forgePrelude({ createdAt: 253_402_300_799_999n }) }),
      PLAINTEXT,
    ],
    [
      'the longest names and serial',
      () =>
        forMary({
          recipients: forgeRecipients([
            certified({
              serial: Buffer.alloc(255, 1),
              subject: Buffer.alloc(8192, 120),
              issuer: Buffer.alloc(8192, 120),
            }),
          ]),
        }),
      PLAINTEXT,
    ],
    [
      'no names',
      () =>
        forMary({ recipients: forgeRecipients([certified({ subject: Buffer.alloc(0), issuer: Buffer.alloc(0) })]) }),
      PLAINTEXT,
    ],
  ])('opens: %s', async (_what, make, plaintext) => {
    await expectOpens(make(), mary.keys, plaintext);
  });

  function withEmptyEnd(): Buffer {
    const prelude = forgePrelude();
    const floe = forgeFloe(bodyKeyOf(contentKey, prelude), prelude);
    const full = forgeSegment(floe, 0n, false, Buffer.alloc(992, 5));
    return forMary({
      prelude,
      body: Buffer.concat([floe.header, full, forgeSegment(floe, 1n, true, Buffer.alloc(0))]),
    });
  }

  it('and the tools count as the format does', () => {
    const prelude = forgePrelude();
    const floe = forgeFloe(bodyKeyOf(contentKey, prelude), prelude);
    expect(forgeBody(floe, Buffer.alloc(992)).length).toBe(74 + 1024);
    expect(forgeBody(floe, Buffer.alloc(993)).length).toBe(74 + 1024 + 33);
    expect(forgeSegment(floe, 0n, true, Buffer.alloc(0)).subarray(0, 4)).toEqual(u32(32));
  });
});
