/** What is signed, authenticated and bound, byte by byte; and what is refused before it is encoded. */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CallsealError } from '../lib/errors.ts';
import { hex } from '../lib/hex.ts';
import { assertArea } from '../lib/keys/area.ts';
import { canonicalJson } from '../lib/keys/canonical-json.ts';
import { EntityEncoder } from '../lib/keys/entity.ts';
import { encodeFields, u8 } from '../lib/keys/fields.ts';
import { parseId } from '../lib/keys/ids.ts';
import { encodeHeader, parseHeader } from '../lib/keys/record.ts';
import { SUITES } from '../lib/keys/suites.ts';
import { codeOf, refusalOf } from './helpers/errors.ts';
import { encodeEntity } from './independent-key-decoder.ts';

const encoder = new EntityEncoder();
const text = fc.string({ unit: 'binary', maxLength: 40 });
const entities = fc.record({
  tenant: text,
  type: text.filter((value) => value !== ''),
  id: text.filter((value) => value !== ''),
  field: text,
});
const areas = fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,63}$/);

test('fields are prefixed with their lengths; numbers have eight bytes', () => {
  const bytes = encodeFields('ab', 'é', 258, u8(6), new Uint8Array([9]));
  const expected = '00000002' + '6162' + '00000002' + 'c3a9' + '00000008' + '0000000000000102' + '00000001' + '06';
  expect(hex(bytes)).toBe(`${expected}0000000109`);
  expect(hex(encodeFields('', 2 ** 53 - 1))).toBe('0000000000000008001fffffffffffff');
});

test('an entity is encoded as docs/keys.md says, whatever its texts', () => {
  fc.assert(
    fc.property(areas, entities, (area, entity) => {
      const { tenant, type, id, field } = entity;
      expect(hex(encoder.encode(area, entity))).toBe(
        hex(encodeFields('callseal entity v1', tenant, area, type, id, field)),
      );
    }),
  );
});

test('an entity is encoded as the independent reader does it', () => {
  fc.assert(
    fc.property(areas, entities, (area, entity) => {
      expect(hex(encoder.encode(area, entity))).toBe(encodeEntity(area, entity).toString('hex'));
    }),
  );
});

test('whatever is given as an entity is encoded as well-formed text, or refused', async () => {
  const value = fc.oneof({ weight: 4, arbitrary: fc.string({ unit: 'binary', maxLength: 600 }) }, fc.anything());
  const half = fc.constantFrom('a\ud800', '\udc00', '\ud800\ud800');
  const part = fc.oneof({ weight: 6, arbitrary: value }, { weight: 1, arbitrary: half });
  const given = fc.oneof(fc.anything(), fc.record({ tenant: part, type: part, id: part, field: part }));
  await fc.assert(
    fc.asyncProperty(given, async (entity) => {
      let encoded: Uint8Array;
      try {
        encoded = encoder.encode('models', entity as never);
      } catch (error) {
        expect(error).toBeInstanceOf(CallsealError);
        expect((error as CallsealError).code).toBe('ERR_INVALID_ARGUMENT');
        return;
      }
      // A column of a database that holds nothing is as good as none.
      const { tenant, type, id, field } = entity as Record<string, string | null>;
      const texts = [tenant ?? '', type, id, field ?? ''] as [string, string, string, string];
      for (const text of texts) expect(Buffer.from(text).toString()).toBe(text);
      const [ofTenant, ofType, ofId, ofField] = texts;
      const expected = encodeEntity('models', { tenant: ofTenant, type: ofType, id: ofId, field: ofField });
      expect(hex(encoded)).toBe(expected.toString('hex'));
    }),
    { numRuns: 500 },
  );
});

test('two entities with one encoding are one entity', () => {
  const short = fc.string({ unit: fc.constantFrom('a', '\u0000', 'é'), minLength: 1, maxLength: 3 });
  const small = fc.record({ tenant: short, type: short, id: short, field: short });
  fc.assert(
    fc.property(small, small, (a, b) => {
      const same = hex(encoder.encode('x', a)) === hex(encoder.encode('x', b));
      expect(same).toBe(canonicalJson(a) === canonicalJson(b));
    }),
  );
});

test('tenant and field may be left out, which is the same as empty', () => {
  const bare = hex(encoder.encode('models', { type: 't', id: 'i' }));
  expect(hex(encoder.encode('models', { tenant: '', type: 't', id: 'i', field: '' }))).toBe(bare);
});

test.each([
  ['an empty type', { type: '', id: 'i' }, 'type'],
  ['an empty id', { type: 't', id: '' }, 'id'],
  ['half a surrogate pair', { type: 't', id: 'a\ud800' }, 'id'],
  ['the other half', { tenant: '\udc00a', type: 't', id: 'i' }, 'tenant'],
  ['1025 bytes', { type: 't', id: 'i', field: 'x'.repeat(1025) }, 'field'],
  ['1026 bytes in 513 letters', { type: 't', id: 'i', field: 'é'.repeat(513) }, 'field'],
  ['a number', { type: 't', id: 7 as unknown as string }, 'id'],
])('an entity with %s is refused, and its component named', async (_what, entity, component) => {
  const refusal = await refusalOf(() => encoder.encode('models', entity));
  expect(refusal.code).toBe('ERR_INVALID_ARGUMENT');
  expect(refusal.message).toContain(component);
});

test('texts of exactly 1024 bytes are taken', () => {
  for (const field of ['x'.repeat(1024), 'é'.repeat(512), '😀'.repeat(256)]) {
    const expected = hex(encodeFields('callseal entity v1', '', 'a', 't', 'i', field));
    expect(hex(encoder.encode('a', { type: 't', id: 'i', field }))).toBe(expected);
  }
});

test('an entity that is no object is refused', async () => {
  expect(await codeOf(() => encoder.encode('a', null as never))).toBe('ERR_INVALID_ARGUMENT');
});

test.each(['', 'Models', '.a', '-a', 'a b', 'ä', 'a'.repeat(65), 'a\n', 7])('%j is no area', async (area) => {
  expect(await codeOf(() => assertArea(area))).toBe('ERR_INVALID_ARGUMENT');
});

test.each(['', 'g'.repeat(32), 'A'.repeat(32), 'a'.repeat(31)])('%j is no id', async (id) => {
  expect(await codeOf(() => parseId(id, 'master key'))).toBe('ERR_INVALID_ARGUMENT');
});

test('canonical JSON has one text for one value', () => {
  expect(canonicalJson({ b: [{ d: 1, c: 2 }], a: null })).toBe('{"a":null,"b":[{"c":2,"d":1}]}');
});

const ids = fc.uint8Array({ minLength: 16, maxLength: 16 });

/** As short as a record of the suite can be. */
function shortestRecord(header: Uint8Array, suite: (typeof SUITES)[number]): Uint8Array {
  const body = (suite.working === 'aes' ? 12 : 16) + 16 + (suite.hash === 'sha256' ? 32 : 20);
  return Buffer.concat([header, new Uint8Array(body)]);
}

test('a header is read as it was written', () => {
  fc.assert(
    fc.property(fc.constantFrom(...SUITES), ids, ids, areas, (suite, masterId, workingId, area) => {
      const header = encodeHeader(suite, masterId, workingId, area);
      const read = parseHeader(shortestRecord(header, suite));
      expect(read).toEqual({ suite, masterId, workingId, area, length: header.length });
    }),
  );
});

test('any bytes are the one encoding of what they say, or refused with a known code', () => {
  const codes = ['ERR_NOT_CALLSEAL', 'ERR_UNSUPPORTED_VERSION', 'ERR_TAMPERED', 'ERR_TRUNCATED'];
  const claimed = fc
    .tuple(fc.nat(9), fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.nat(70), fc.uint8Array({ maxLength: 160 }))
    .map(([suite, keyIds, length, rest]) =>
      Buffer.concat([Buffer.from('CSRD\x01'), Uint8Array.of(suite), keyIds, Uint8Array.of(length), rest]),
    );
  const lettered = fc
    .tuple(claimed, areas)
    .map(([bytes, area]) => Buffer.concat([bytes.subarray(0, 38), Buffer.of(area.length), Buffer.from(area), bytes]));
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), claimed, lettered), (bytes) => {
      try {
        const { suite, masterId, workingId, area, length } = parseHeader(bytes);
        expect(hex(encodeHeader(suite, masterId, workingId, area))).toBe(hex(bytes.subarray(0, length)));
      } catch (error) {
        if (!(error instanceof CallsealError)) throw error;
        expect(codes).toContain(error.code);
      }
    }),
    { numRuns: 2000 },
  );
});

test('a header begins with magic, version, suite, both ids and the area', () => {
  const header = encodeHeader(SUITES[6]!, new Uint8Array(16).fill(1), new Uint8Array(16).fill(2), 'models');
  expect(hex(header)).toBe(`435352440106${'01'.repeat(16)}${'02'.repeat(16)}066d6f64656c73`);
});

test('a record that is cut anywhere before its shortest end is refused', async () => {
  const suite = SUITES[0]!;
  const record = shortestRecord(encodeHeader(suite, new Uint8Array(16), new Uint8Array(16), 'models'), suite);
  for (let length = 0; length < record.length; length += 1) {
    const expected = length < 4 ? 'ERR_NOT_CALLSEAL' : 'ERR_TRUNCATED';
    expect(await codeOf(() => parseHeader(record.subarray(0, length)))).toBe(expected);
  }
});

test.each([
  ['another magic', 0, 0x44, 'ERR_NOT_CALLSEAL'],
  ['another version', 4, 2, 'ERR_UNSUPPORTED_VERSION'],
  ['a suite with an unknown bit', 5, 8, 'ERR_UNSUPPORTED_VERSION'],
  ['an empty area', 38, 0, 'ERR_TAMPERED'],
  ['an area of 65', 38, 65, 'ERR_TAMPERED'],
  ['an area of capitals', 39, 0x4d, 'ERR_TAMPERED'],
])('a record with %s is refused', async (_what, offset, value, code) => {
  const suite = SUITES[0]!;
  const record = shortestRecord(encodeHeader(suite, new Uint8Array(16), new Uint8Array(16), 'models'), suite);
  record[offset] = value;
  expect(await codeOf(() => parseHeader(record))).toBe(code);
});
