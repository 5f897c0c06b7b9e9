/** docs/keys-vectors.json: a store and its records, frozen. What any release wrote, every release reads. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { EntityEncoder } from '../lib/keys/entity.ts';
import { parseSuite, SUITES } from '../lib/keys/index.ts';
import { encodeHeader } from '../lib/keys/record.ts';
import { anotherHost, openHierarchy } from './helpers/hierarchy.ts';
import { readKeyVectors } from './helpers/key-vectors.ts';
import { opening, STORE_KINDS } from './helpers/stores.ts';
import { tempDir } from './helpers/temp.ts';
import {
  encodeEntity,
  openMaster,
  openRecord,
  openWorking,
  verifyAudit,
  verifyManifest,
} from './independent-key-decoder.ts';

const vectors = readKeyVectors();
const { store, masters, working, audit, installation, records } = vectors;
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const byId = <T extends { id: Uint8Array }>(rows: readonly T[], id: Uint8Array) =>
  rows.find((row) => hex(row.id) === hex(id))!;

test('there are records of all suites, and rows in all states', () => {
  expect(new Set(records.map(({ suite }) => suite))).toEqual(new Set(SUITES.map(({ text }) => text)));
  expect(new Set(masters.map(({ state }) => state))).toEqual(new Set(['active', 'disabled', 'removed']));
  expect(new Set(working.map(({ state }) => state))).toEqual(new Set(['active', 'retired']));
});

describe('the independent reader', () => {
  test('finds the store sound', () => {
    expect(verifyManifest(store, masters, working, installation)).toBe(true);
    expect(verifyAudit(store, audit)).toBe(true);
  });

  test('opens the keys, and derives the same', () => {
    for (const expected of vectors.masterKeys) {
      const { key, wrap, row, binding } = openMaster(store, byId(masters, expected.id), installation);
      expect([key, wrap, row, binding].map(hex)).toEqual(
        [expected.key, expected.wrap, expected.row, expected.binding].map(hex),
      );
    }
    for (const { id, key } of vectors.workingKeys) {
      const row = byId(working, id);
      const master = openMaster(store, byId(masters, row.masterId), installation);
      expect(hex(openWorking(store, row, master))).toBe(hex(key));
    }
  });

  test.each(records)('opens a record of $suite in $area', ({ area, entity, plaintext, encodedEntity, record }) => {
    expect(hex(encodeEntity(area, entity))).toBe(hex(encodedEntity));
    expect(hex(openRecord(store, masters, working, installation, entity, record))).toBe(hex(plaintext));
  });
});

describe.each(STORE_KINDS)('Callseal on $name', (kind) => {
  beforeAll(() => kind.prepare());

  test('takes the store, verifies it, and opens every record', async () => {
    const url = await kind.freshUrl();
    const rows = await opening(url);
    await rows.transaction(async (writer) => {
      for (const row of masters) await writer.writeMaster(row);
      for (const row of working) await writer.writeWorking(row);
      for (const row of audit) await writer.appendAudit(row);
      await writer.writeStore(store);
    });
    await rows.close();
    const key = join(tempDir(), 'installation.key');
    writeFileSync(key, vectors.installationKey, { mode: 0o600 });

    const keys = await openHierarchy({
      store: url,
      stateDirectory: anotherHost(),
      installation: { key },
      create: false,
    });
    expect(await keys.audit.verify()).toEqual({ entries: audit.length });
    for (const { area, entity, plaintext, record } of records) {
      expect(hex(await keys.unprotect(area, entity, record))).toBe(hex(plaintext));
    }
  });
});

describe('Callseal encodes', () => {
  test.each(records)('the entity and the header of a record of $suite in $area', (vector) => {
    const { area, entity, encodedEntity, record } = vector;
    expect(hex(new EntityEncoder().encode(area, entity))).toBe(hex(encodedEntity));
    const { id, masterId } = byId(working, record.subarray(22, 38));
    const header = encodeHeader(parseSuite(vector.suite), masterId, id, area);
    expect(hex(record)).toMatch(new RegExp(`^${hex(header)}`));
  });
});

test('the records that docs/keys.md takes apart are those of the file, byte for byte', () => {
  const shown = examples(readFileSync(new URL('../docs/keys.md', import.meta.url), 'utf8'));
  const entity = { tenant: 'acme', type: 'claimant', id: 'c-41', field: 'template' };
  expect(shown.entity).toBe(hex(new EntityEncoder().encode('models', entity)));
  expect([...shown.records.keys()]).toEqual(['aes/aes/sha256', 'aes/3des/sha1']);
  for (const [suite, bytes] of shown.records) {
    const vector = records.find((candidate) => candidate.suite === suite && candidate.area === 'models')!;
    expect(vector.entity).toEqual(entity);
    expect(Buffer.from(vector.plaintext).toString()).toBe('a voice model');
    expect(bytes).toBe(hex(vector.record));
  }
});

/** The hexadecimal columns below "Test vectors": of the entity, and of one record a suite. */
function examples(markdown: string): { entity: string; records: Map<string, string> } {
  const section = markdown.slice(markdown.indexOf('\n### Test vectors\n'));
  const blocks = [...section.matchAll(/^`([^`]+)`:\n\n((?: {4}.*\n)+)/gm)].map(([, name, block]) => {
    const lines = block!.trimEnd().split('\n');
    return [name!, lines.map((line) => /^ {4}([0-9a-f]*)(?: |$)/.exec(line)![1]!).join('')] as const;
  });
  const [entity, ...rest] = blocks;
  expect(entity![0]).toBe('entity');
  return { entity: entity![1], records: new Map(rest) };
}
