/** Protecting and unprotecting, in every suite, and everything that must be refused. */

import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Entity, KeyHierarchy } from '../lib/keys/index.ts';
import { SUITES, type Suite } from '../lib/keys/index.ts';
import { status } from '../lib/status.ts';
import { codeOf, refusalOf } from './helpers/errors.ts';
import { anotherHost, ENTITY, openHierarchy, PLAINTEXT } from './helpers/hierarchy.ts';
import { tempDir } from './helpers/temp.ts';

/** OpenSSL's FIPS modules before 3.4 make no RSA signatures with SHA-1. */
const signsWithSha1 = status().algorithms.some(
  ({ name, operation, provider }) => name === 'RSA-PKCS1-v1.5-SHA-1' && operation === 'sign' && provider !== null,
);
const isOffered = ({ hash }: Suite): boolean => hash !== 'sha1' || signsWithSha1;
const TEXTS = SUITES.filter(isOffered).map((suite) => suite.text);
const REFUSED = SUITES.filter((suite) => !isOffered(suite)).map((suite) => suite.text);
const OTHERS: [string, Entity][] = [
  ['tenant', { ...ENTITY, tenant: 'acmf' }],
  ['type', { ...ENTITY, type: 'claimants' }],
  ['id', { ...ENTITY, id: 'c-42' }],
  ['field', { ...ENTITY, field: '' }],
];

function open(suite?: string): Promise<KeyHierarchy> {
  const at = { store: `sqlite:${join(tempDir(), 'keys.db')}`, stateDirectory: anotherHost() };
  return openHierarchy({ ...at, ...(suite !== undefined && { suite }) });
}

test.each(TEXTS)('%s: what was protected is unprotected, from nothing to a megabyte', async (suite) => {
  const keys = await open(suite);
  for (const length of [0, 1, 7, 8, 9, 1024, 2 ** 20]) {
    const bytes = new Uint8Array(length).map((_, index) => index % 251);
    const sealed = await keys.protect('models', ENTITY, bytes);
    expect(Buffer.compare(await keys.unprotect('models', ENTITY, sealed), bytes)).toBe(0);
  }
});

test.each(REFUSED)('%s: the module makes no key of this suite, and that is said', async (suite) => {
  expect(await codeOf(async () => (await open(suite)).protect('models', ENTITY, PLAINTEXT))).toBe('ERR_NOT_APPROVED');
});

test.each(TEXTS)('%s: a record is refused for any other entity', async (suite) => {
  const keys = await open(suite);
  const sealed = await keys.protect('models', ENTITY, PLAINTEXT);
  for (const [, other] of OTHERS) {
    expect(await codeOf(() => keys.unprotect('models', other, sealed))).toBe('ERR_ENTITY_MISMATCH');
  }
  expect(await codeOf(() => keys.unprotect('features', ENTITY, sealed))).toBe('ERR_ENTITY_MISMATCH');
});

const ALTERED = ['ERR_TAMPERED', 'ERR_NOT_CALLSEAL', 'ERR_UNSUPPORTED_VERSION', 'ERR_KEY_UNKNOWN', 'ERR_TRUNCATED'];

test.each(TEXTS)('%s: a record with any bit flipped is refused', async (suite) => {
  const keys = await open(suite);
  const sealed = await keys.protect('models', ENTITY, PLAINTEXT);
  const bindingTag = sealed.length - (suite.endsWith('sha256') ? 32 : 20);
  for (let bit = 0; bit < sealed.length * 8; bit += 1) {
    const flipped = Uint8Array.from(sealed);
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    // A wrong binding tag on a whole record is what a record of another entity looks like.
    const expected = bit >> 3 < bindingTag ? ALTERED : ['ERR_ENTITY_MISMATCH'];
    expect(expected, `bit ${bit}`).toContain(await codeOf(() => keys.unprotect('models', ENTITY, flipped)));
  }
});

test.each(TEXTS)('%s: a record that is cut or extended is refused', async (suite) => {
  const keys = await open(suite);
  const sealed = await keys.protect('models', ENTITY, PLAINTEXT);
  for (let length = 0; length < sealed.length; length += 1) {
    const cut = sealed.subarray(0, length);
    expect(ALTERED, `cut to ${length}`).toContain(await codeOf(() => keys.unprotect('models', ENTITY, cut)));
  }
  const extended = Buffer.concat([sealed, new Uint8Array(1)]);
  expect(await codeOf(() => keys.unprotect('models', ENTITY, extended))).toBe('ERR_TAMPERED');
});

test.each(TEXTS)('%s: rebind moves a record to another entity, and only from its own', async (suite) => {
  const keys = await open(suite);
  const sealed = await keys.protect('models', ENTITY, PLAINTEXT);
  for (const [, other] of OTHERS) {
    const moved = await keys.rebind('models', ENTITY, other, sealed);
    expect(await keys.unprotect('models', other, moved)).toEqual(PLAINTEXT);
    expect(await codeOf(() => keys.unprotect('models', ENTITY, moved))).toBe('ERR_ENTITY_MISMATCH');
    expect(await codeOf(() => keys.rebind('models', other, ENTITY, sealed))).toBe('ERR_ENTITY_MISMATCH');
  }
});

test('reencrypt brings a record of any suite under the newest key', async () => {
  const keys = await open(TEXTS[0]);
  for (const suite of [...TEXTS.slice(1), TEXTS[0]!]) {
    const before = await keys.protect('models', ENTITY, PLAINTEXT);
    expect(await keys.isCurrent(before)).toBe(true);
    await keys.masters.rotate({ suite });
    expect(await keys.isCurrent(before)).toBe(false);
    const after = await keys.reencrypt('models', ENTITY, before);
    expect(await keys.isCurrent(after)).toBe(true);
    expect(await keys.unprotect('models', ENTITY, after)).toEqual(PLAINTEXT);
    expect(await codeOf(() => keys.reencrypt('models', { ...ENTITY, id: 'x' }, before))).toBe('ERR_ENTITY_MISMATCH');
  }
});

test.each(TEXTS)('%s: many are protected as each by itself', async (suite) => {
  const keys = await open(suite);
  const items = Array.from({ length: 300 }, (_, index) => ({
    entity: { ...ENTITY, id: `c-${index}` },
    bytes: new Uint8Array(index).fill(index),
  }));
  const records = await keys.protectMany('models', items);
  for (const index of [0, 1, 299]) {
    expect(await keys.unprotect('models', items[index]!.entity, records[index]!)).toEqual(items[index]!.bytes);
  }
  const sealed = records.map((record, index) => ({ entity: items[index]!.entity, sealed: record }));
  expect(await keys.unprotectMany('models', sealed)).toEqual(items.map((item) => item.bytes));
});

test('many records of several keys are unprotected in their order', async () => {
  const keys = await open();
  const items: { entity: Entity; sealed: Uint8Array }[] = [];
  for (let index = 0; index < 12; index += 1) {
    const entity = { ...ENTITY, id: `c-${index}` };
    items.push({ entity, sealed: await keys.protect('models', entity, Uint8Array.of(index)) });
    if (index % 4 === 3) await keys.masters.rotate({ suite: TEXTS[index % TEXTS.length]! });
  }
  const shuffled = items.toSorted((a, b) => (a.entity.id.at(-1)! < b.entity.id.at(-1)! ? -1 : 1));
  const plaintexts = await keys.unprotectMany('models', shuffled);
  expect(plaintexts.map((bytes) => `c-${bytes[0]}`)).toEqual(shuffled.map((item) => item.entity.id));
  expect(await keys.unprotectMany('models', [])).toEqual([]);
  expect(await keys.protectMany('models', [])).toEqual([]);
});

test('of many, the first bad one is named, and nothing is returned', async () => {
  const keys = await open();
  const sealed = await keys.protect('models', ENTITY, PLAINTEXT);
  await keys.working.rotate('models');
  const later = await keys.protect('models', ENTITY, PLAINTEXT);
  const items = [sealed, sealed, later, later, later].map((record) => ({ entity: ENTITY, sealed: record }));
  items[3] = { entity: { ...ENTITY, id: 'x' }, sealed: later };
  const refusal = await refusalOf(() => keys.unprotectMany('models', items));
  expect(refusal.code).toBe('ERR_ENTITY_MISMATCH');
  expect(refusal.message).toMatch(/^item 3: /);
  const wrong = await refusalOf(() =>
    keys.protectMany('models', [
      { entity: ENTITY, bytes: PLAINTEXT },
      { entity: { type: '', id: '' }, bytes: PLAINTEXT },
    ]),
  );
  expect(wrong.message).toMatch(/^item 1: /);
});

test("the caller's bytes are neither kept nor changed", async () => {
  const keys = await open();
  for (let round = 0; round < 2; round += 1) {
    const bytes = Buffer.from(PLAINTEXT);
    const sealing = keys.protect('models', ENTITY, bytes);
    bytes.fill(0);
    const sealed = Buffer.from(await sealing);
    const opening = keys.unprotect('models', ENTITY, sealed);
    sealed.fill(0);
    expect(await opening).toEqual(PLAINTEXT);
    await keys.working.rotate('models');
  }
  const kept = Buffer.from(PLAINTEXT);
  await keys.protect('features', ENTITY, kept);
  await keys.protectMany('features', [{ entity: ENTITY, bytes: kept }]);
  expect(kept.equals(PLAINTEXT)).toBe(true);
});

test('wrong arguments are refused, as rejections', async () => {
  const keys = await open();
  const wrong = 'ERR_INVALID_ARGUMENT';
  expect(await codeOf(() => keys.protect('Models', ENTITY, PLAINTEXT))).toBe(wrong);
  expect(await codeOf(() => keys.protect('models', { type: '', id: 'x' }, PLAINTEXT))).toBe(wrong);
  expect(await codeOf(() => keys.protect('models', ENTITY, 'text' as never))).toBe(wrong);
  expect(await codeOf(() => keys.unprotect('models', ENTITY, [] as never))).toBe(wrong);
  expect(await codeOf(() => keys.rebind('models', ENTITY, {} as never, PLAINTEXT))).toBe(wrong);
  expect(await codeOf(() => keys.isCurrent(null as never))).toBe(wrong);
  expect(await codeOf(() => keys.isCurrent(PLAINTEXT))).toBe('ERR_NOT_CALLSEAL');
  expect(() => keys.protect('Models', ENTITY, PLAINTEXT).catch(() => {})).not.toThrow();
});

test('a record under a key of another store is unknown', async () => {
  const [one, two] = [await open(), await open()];
  const sealed = await one.protect('models', ENTITY, PLAINTEXT);
  expect(await codeOf(() => two.unprotect('models', ENTITY, sealed))).toBe('ERR_KEY_UNKNOWN');
});

test('after close nothing works', async () => {
  const keys = await open();
  const sealed = await keys.protect('models', ENTITY, PLAINTEXT);
  await keys.close();
  expect(await codeOf(() => keys.protect('models', ENTITY, PLAINTEXT))).toBe('ERR_KEY_USE');
  expect(await codeOf(() => keys.unprotect('models', ENTITY, sealed))).toBe('ERR_KEY_USE');
  expect(await codeOf(() => keys.masters.rotate())).toBe('ERR_KEY_USE');
  expect(await codeOf(() => keys.overview())).toBe('ERR_KEY_USE');
  await keys.close();
});
