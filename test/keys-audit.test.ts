/** The audit log's chain, followed by itself: what was changed after the store was loaded, as by another session of the database, is noticed by it alone. */

import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { type AuditHead, nextEntry, readEntries, verifyChain } from '../lib/keys/audit.ts';
import { STORE } from '../lib/keys/stores/rows.ts';
import type { AuditRow, KeyStore, StoreReader } from '../lib/keys/stores/store.ts';
import { refusalOf } from './helpers/errors.ts';
import { anotherHost, ENTITY, freshPlace, openHierarchy, PLAINTEXT } from './helpers/hierarchy.ts';
import { opening, STORE_KINDS } from './helpers/stores.ts';

const SQLITE = STORE_KINDS[0]!;
const INTRUDER = { actor: 'somebody', host: 'elsewhere' };

test('entries added, taken away or replaced at the end, with hashes that follow', async () => {
  const { store, entries, tamper } = await filled();
  const [last, before] = [entries.at(-1)!, entries.at(-2)!];
  expect(await verifyChain(store, last)).toBe(entries.length);

  await store.transaction((writer) => writer.appendAudit(forged(last)));
  await expectRefused(verifyChain(store, last), `audit entry ${last.sequence + 1} `, 'the manifest ends before it');
  await tamper(`delete from callseal_audit where sequence >= ${last.sequence}`);
  await expectRefused(verifyChain(store, before), `audit entry ${last.sequence} `, 'is missing');
  await store.transaction((writer) => writer.appendAudit(forged(before)));
  await expectRefused(verifyChain(store, before), `audit entry ${last.sequence} `, 'the manifest names');
  await tamper(`delete from callseal_audit where sequence >= ${last.sequence}`);
  await store.transaction((writer) => writer.appendAudit(last));
  expect(await verifyChain(store, last)).toBe(entries.length);

  await tamper(`delete from ${STORE.table}`);
  await expectRefused(verifyChain(store, last), "the store's own row", 'is missing');
});

test('a chain that is another, or shorter, than what this host has seen', async () => {
  const { store, entries } = await filled();
  const other = { sequence: 2, hash: new Uint8Array(randomBytes(32)) };
  await expectRefused(verifyChain(store, other), 'audit entry 2 ', 'another than this host has seen', 'accept-restore');
  const later = { ...entries.at(-1)!, sequence: entries.length + 3 };
  await expectRefused(verifyChain(store, later), `audit entry ${later.sequence} `, 'this host has seen it');
});

test('more entries than are read at a time, and some that are appended while the chain is followed', async () => {
  const { store, entries } = await filled();
  const manifest = (await store.readStore())!;
  let head: AuditHead = entries.at(-1)!;
  const append = (count: number) =>
    store.transaction(async (writer) => {
      for (let added = 0; added < count; added += 1) {
        const entry = forged(head);
        await writer.appendAudit(entry);
        head = entry;
      }
      await writer.writeStore({ ...manifest, auditSequence: head.sequence, auditHash: head.hash });
    });
  await append(600);
  expect(await verifyChain(store, entries[0]!)).toBe(entries.length + 600);
  let appended = false;
  const busy: StoreReader = Object.create(store, {
    readStore: {
      value: async () => {
        if (!appended) await append(2);
        appended = true;
        return store.readStore();
      },
    },
    readAudit: { value: (after: number, limit: number) => store.readAudit(after, limit) },
  });
  expect(await verifyChain(busy, entries[0]!)).toBe(entries.length + 602);
});

test('an entry whose details are no JSON any more is named, not shown', async () => {
  const { place, keys, tamper } = await filled();
  await tamper("update callseal_audit set details = '{' where sequence = 2");
  const shown: number[] = [];
  await expectRefused(
    (async () => {
      for await (const { sequence } of keys.audit.list()) shown.push(sequence);
    })(),
    'audit entry 2 ',
    'no JSON',
  );
  expect(shown).toEqual([1]);
  // A manifest that does not fit is not explained by such a log.
  await tamper('update callseal_master_keys set sequence = sequence + 1');
  const there = openHierarchy({ ...place, stateDirectory: anotherHost() });
  await expectRefused(there, "the store's own row", 'or the audit log was altered');
});

/** A store of a few entries, its keys still at hand. */
async function filled() {
  const place = await freshPlace(SQLITE);
  const keys = await openHierarchy(place);
  await keys.protect('models', ENTITY, PLAINTEXT);
  await keys.working.rotate('models');
  const store = await opening(place.store);
  return {
    place,
    keys,
    store,
    entries: await entriesOf(store),
    tamper: (sql: string) => SQLITE.tamper(place.store, sql),
  };
}

async function entriesOf(store: KeyStore): Promise<AuditRow[]> {
  const rows: AuditRow[] = [];
  for await (const row of readEntries(store)) rows.push(row);
  return rows;
}

/** What anybody can make who may write to the database: the hash is right, the manifest does not know of it. */
function forged(after: AuditHead): AuditRow {
  return nextEntry(after, 1_790_000_000_000, INTRUDER, 'master.disable', { note: 'none' });
}

async function expectRefused(operation: Promise<unknown>, ...words: string[]): Promise<void> {
  const { code, message } = await refusalOf(() => operation);
  expect(code, message).toBe('ERR_KEY_SUBSTITUTED');
  for (const word of words) expect(message).toContain(word);
}
