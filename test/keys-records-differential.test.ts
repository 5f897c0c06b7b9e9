/** Callseal beside the reader that was written from docs/keys.md alone: of every record both say the same. */

import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';

import { CallsealError } from '../lib/errors.ts';
import { type Entity, type KeyHierarchy, SUITES } from '../lib/keys/index.ts';
import { EXPLORING, explore } from './helpers/explore.ts';
import { anotherHost, ENTITY, installationFile, openHierarchy, PLAINTEXT } from './helpers/hierarchy.ts';
import { type IndependentStore, independentStore } from './helpers/independent.ts';
import { STORE_KINDS } from './helpers/stores.ts';

const AREAS = ['models', 'model', 'a.b-c_d'];
/** Magic, version, suite, both ids, length of the area, area, and what follows. */
const FIELDS = [4, 1, 1, 16, 16, 1];

let keys: KeyHierarchy;
let reader: IndependentStore;
let records: Uint8Array[];

beforeAll(async () => {
  const kind = STORE_KINDS[0]!;
  await kind.prepare();
  const place = { store: await kind.freshUrl(), stateDirectory: anotherHost() };
  keys = await openHierarchy(place);
  records = [];
  for (const [index, { text }] of SUITES.entries()) {
    if (index > 0) await keys.masters.rotate({ suite: text });
    for (const area of AREAS) records.push(await keys.protect(area, ENTITY, PLAINTEXT));
    records.push(await keys.protect('models', ENTITY, new Uint8Array(0)));
  }
  reader = await independentStore(place.store, await installationFile());
});

function split(record: Uint8Array): Buffer[] {
  const bytes = Buffer.from(record);
  const fields: Buffer[] = [];
  let at = 0;
  for (const length of [...FIELDS, bytes[38]!, 12, bytes.length]) {
    fields.push(bytes.subarray(at, at + length));
    at += length;
  }
  return fields;
}

type Alteration =
  | { kind: 'flip'; field: number; byte: number; bit: number }
  | { kind: 'graft' | 'remove' | 'repeat'; field: number }
  | { kind: 'cut' | 'append'; bytes: number };

const field = fc.nat(8);
const alterations = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('flip' as const), field, byte: fc.nat(200), bit: fc.nat(7) }),
    fc.record({ kind: fc.constantFrom('graft' as const, 'remove' as const, 'repeat' as const), field }),
    fc.record({ kind: fc.constantFrom('cut' as const, 'append' as const), bytes: fc.nat(40) }),
  ),
  { maxLength: 2 },
);

function apply(fields: Buffer[], others: readonly Buffer[], alteration: Alteration): Buffer[] {
  switch (alteration.kind) {
    case 'flip': {
      const bytes = Buffer.from(fields[alteration.field] ?? []);
      if (bytes.length > 0) bytes[alteration.byte % bytes.length]! ^= 1 << alteration.bit;
      return fields.map((each, index) => (index === alteration.field ? bytes : each));
    }
    case 'graft':
      return fields.map((each, index) => (index === alteration.field ? others[index]! : each));
    case 'remove':
      return fields.map((each, index) => (index === alteration.field ? Buffer.alloc(0) : each));
    case 'repeat':
      return fields.flatMap((each, index) => (index === alteration.field ? [each, each] : [each]));
    case 'cut': {
      const whole = Buffer.concat(fields);
      return [whole.subarray(0, Math.max(0, whole.length - alteration.bytes))];
    }
    case 'append':
      return [...fields, Buffer.alloc(alteration.bytes)];
  }
}

const text = fc.constantFrom(undefined, '', 'acme', 'template', 'c-41', 'c-4', 'é');
const entities: fc.Arbitrary<Entity> = fc.oneof(
  { weight: 3, arbitrary: fc.constant(ENTITY) },
  {
    weight: 1,
    arbitrary: fc
      .record({ tenant: text, type: fc.constantFrom('claimant', 'c'), id: fc.constantFrom('c-41', '1'), field: text })
      .map((entity) => JSON.parse(JSON.stringify(entity)) as Entity),
  },
);

test('both readers agree on records altered in any way, of any entity', { timeout: EXPLORING }, async () => {
  const index = fc.nat(10_000);
  const opened = { ours: 0, not: 0 };
  await explore(
    fc.asyncProperty(index, index, alterations, entities, async (one, other, all, entity) => {
      const [sound, another] = [records[one % records.length]!, records[other % records.length]!];
      const fields = all.reduce((parts, each) => apply(parts, split(another), each), split(sound));
      const record = Buffer.concat(fields);
      const reading = await ours(entity, record);
      expect(reading, record.toString('hex')).toBe(theirs(entity, record));
      opened[reading === null ? 'not' : 'ours'] += 1;
    }),
    600,
  );
  expect(Math.min(opened.ours, opened.not)).toBeGreaterThan(0);
});

/** In the area that the record itself names, as the other reader does. */
async function ours(entity: Entity, record: Buffer): Promise<string | null> {
  const area = record.subarray(39, 39 + (record[38] ?? 0)).toString('latin1');
  try {
    return Buffer.from(await keys.unprotect(area, entity, record)).toString('hex');
  } catch (error) {
    expect(error).toBeInstanceOf(CallsealError);
    return null;
  }
}

function theirs(entity: Entity, record: Buffer): string | null {
  try {
    return Buffer.from(reader.open(entity, record)).toString('hex');
  } catch {
    return null;
  }
}
