/** Re-encryption of records: through the API, and of tables in both databases. */

import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { KeyHierarchy } from '../lib/keys/hierarchy.ts';
import type { KeptRecord } from '../lib/keys/reencryption/chunk.ts';
import { EntityColumns } from '../lib/keys/reencryption/entity-columns.ts';
import { openApplicationTable } from '../lib/keys/reencryption/open-table.ts';
import { countAll, reencryptAll } from '../lib/keys/reencryption/reencrypt-all.ts';
import {
  type ReencryptTableOptions,
  reencryptTable,
  type TableReport,
} from '../lib/keys/reencryption/reencrypt-table.ts';
import { APP_KINDS, type AppDatabase } from './helpers/app-tables.ts';
import { refusalOf } from './helpers/errors.ts';
import { openHierarchy } from './helpers/hierarchy.ts';
import { tempDir } from './helpers/temp.ts';

const AREA = 'models';
const ROWS = 25;

let keys: KeyHierarchy;

beforeEach(async () => {
  const dir = tempDir();
  keys = await openHierarchy({ store: `sqlite:${dir}/keys.db`, stateDirectory: dir });
});

const entityOf = (id: string) => ({ type: 'claimant', id, field: 'template' });
const plain = (id: string) => new TextEncoder().encode(`template of ${id}`);
const seal = (id: string): Promise<Uint8Array> => keys.protect(AREA, entityOf(id), plain(id));
const open = (id: string, record: Uint8Array): Promise<Uint8Array> => keys.unprotect(AREA, entityOf(id), record);

/** A bit of the ciphertext changed: the area makes a header of 45 bytes, the IV has 12. */
function flipped(record: Uint8Array): Uint8Array {
  const copy = record.slice();
  copy[60]! ^= 1;
  return copy;
}

const encrypting = async (): Promise<string> => (await keys.working.list(AREA)).find((key) => key.encrypts)!.id;

describe('records of any source', () => {
  const kept = new Map<string, Uint8Array>();

  beforeEach(async () => {
    kept.clear();
    for (let n = 0; n < ROWS; n += 1) kept.set(`c-${n}`, await seal(`c-${n}`));
  });

  async function* source(): AsyncGenerator<KeptRecord> {
    for (const [key, record] of kept) yield { key, entity: entityOf(key), record };
  }

  const replace = ({ key, record }: KeptRecord, fresh: Uint8Array): boolean => {
    if (kept.get(key) !== record) return false;
    kept.set(key, fresh);
    return true;
  };

  it('are all under the new key after a rotation', async () => {
    const id = await keys.working.rotate(AREA);
    const { counts, failures } = await reencryptAll(keys, source(), { area: AREA, replace });
    expect([counts.reencrypted, failures]).toEqual([ROWS, []]);
    for (const [key, record] of kept) {
      expect(await keys.isCurrent(record)).toBe(true);
      expect(await open(key, record)).toEqual(plain(key));
    }
    expect(await encrypting()).toBe(id);
    expect((await reencryptAll(keys, source(), { area: AREA, replace })).counts).toMatchObject({
      reencrypted: 0,
      current: ROWS,
    });
  });

  it('are counted by their key, and the old key can be removed', async () => {
    const old = await encrypting();
    const fresh = await keys.working.rotate(AREA);
    const job = await keys.reencryptions.begin('a map', AREA);
    expect((await countAll(keys, source(), { area: AREA })).keys).toMatchObject([{ workingKey: old, records: ROWS }]);
    const { counts } = await reencryptAll(keys, source(), { area: AREA, replace });
    kept.set('c-0', Uint8Array.of(1));
    const { keys: found, unreadable } = await countAll(keys, source(), { area: AREA });
    expect([found, unreadable]).toMatchObject([[{ workingKey: fresh, records: ROWS - 1 }], 1]);
    const left = Object.fromEntries(found.map(({ workingKey, records }) => [workingKey, records]));
    await keys.reencryptions.finish(job, { counts: { ...counts }, left });
    await keys.working.remove(old);
    await keys.unprotect(AREA, entityOf('c-1'), kept.get('c-1')!);
  });

  it('are left alone where somebody else was faster', async () => {
    await keys.masters.rotate();
    const { counts } = await reencryptAll(keys, source(), { area: AREA, replace: () => false });
    expect(counts).toMatchObject({ reencrypted: 0, changed: ROWS });
  });

  it('are read again where somebody else was faster', async () => {
    await keys.working.rotate(AREA);
    const others = await seal('c-3');
    const { counts } = await reencryptAll(keys, source(), {
      area: AREA,
      replace: (record, fresh) => {
        if (record.key === 'c-3') kept.set('c-3', others);
        if (record.key === 'c-4') kept.delete('c-4');
        return replace(record, fresh);
      },
      reread: ({ key }) => {
        const record = kept.get(key);
        return record === undefined ? null : { key, entity: entityOf(key), record };
      },
    });
    expect(counts).toMatchObject({ reencrypted: ROWS - 2, changed: 1, gone: 1 });
    expect(kept.get('c-3')).toBe(others);
  });

  it('that cannot be opened are named, and the others go on', async () => {
    await keys.working.rotate(AREA);
    const broken = flipped(kept.get('c-1')!);
    kept.set('c-1', broken);
    kept.set('c-2', await keys.protect(AREA, entityOf('c-99'), plain('c-2')));
    kept.set('c-3', new Uint8Array([1, 2, 3]));
    kept.set('c-4', await keys.protect('features', entityOf('c-4'), plain('c-4')));
    await keys.working.rotate(AREA);
    const seen: string[] = [];
    const { counts, failures } = await reencryptAll(keys, source(), {
      area: AREA,
      replace,
      onFailure: ({ key }) => seen.push(key),
    });
    expect(counts).toMatchObject({ reencrypted: ROWS - 4, failed: 4 });
    expect(failures.map(({ key, code }) => [key, code])).toEqual([
      ['c-1', 'ERR_TAMPERED'],
      ['c-2', 'ERR_ENTITY_MISMATCH'],
      ['c-3', 'ERR_NOT_CALLSEAL'],
      ['c-4', 'ERR_ENTITY_MISMATCH'],
    ]);
    expect(seen).toEqual(failures.map(({ key }) => key));
    expect(kept.get('c-1')).toBe(broken);
  });

  it('under a disabled key are failures, and the job ends when nothing can be encrypted', async () => {
    const [old] = await keys.masters.list();
    await keys.masters.rotate();
    await keys.masters.disable(old!.id);
    await seal('c-100');
    const { counts, failures } = await reencryptAll(keys, source(), { area: AREA, replace });
    expect([counts.failed, failures[0]!.code]).toEqual([ROWS, 'ERR_KEY_DISABLED']);
  });

  it('end a job that is told to', async () => {
    await keys.working.rotate(AREA);
    const controller = new AbortController();
    const job = reencryptAll(keys, source(), {
      area: AREA,
      replace: (record, fresh) => {
        if (record.key === 'c-5') controller.abort(new Error('enough'));
        return replace(record, fresh);
      },
      signal: controller.signal,
    });
    await expect(job).rejects.toMatchObject({ code: 'ERR_ABORTED', cause: new Error('enough') });
    expect(await keys.isCurrent(kept.get('c-5')!)).toBe(true);
    expect(await keys.isCurrent(kept.get('c-6')!)).toBe(false);
  });
});

describe.each(APP_KINDS)('a table in $name', (kind) => {
  let app: AppDatabase;
  const layout = {
    table: ['voice_models'],
    key: ['tenant', 'id'],
    column: 'template',
    entity: EntityColumns.parse('type=claimant,id=claimant_id,field=template'),
  };

  beforeAll(() => kind.prepare());

  beforeEach(async () => {
    app = await kind.create();
    await app.run(
      `CREATE TABLE voice_models (tenant TEXT NOT NULL, id BIGINT NOT NULL, claimant_id TEXT, template ${kind.bytes}, PRIMARY KEY (tenant, id))`,
    );
    for (let n = 0; n < ROWS; n += 1) await insert(n);
    return () => app.close();
  });

  async function insert(n: number, record?: Uint8Array | null): Promise<void> {
    const sealed = record === undefined ? await seal(`c-${n}`) : record;
    const values = [`t${n % 3}`, BigInt(n), `c-${n}`, sealed];
    await app.run('INSERT INTO voice_models VALUES (?, ?, ?, ?)', values);
  }

  async function reencrypt(options: Partial<ReencryptTableOptions> = {}): Promise<TableReport> {
    const table = await openApplicationTable(app.url, layout);
    try {
      return await reencryptTable(keys, table, { area: AREA, entity: layout.entity.toString(), batch: 7, ...options });
    } finally {
      await table.close();
    }
  }

  async function templates(): Promise<{ id: string; record: Uint8Array }[]> {
    const rows = await app.run('SELECT claimant_id, template FROM voice_models ORDER BY id');
    return rows.map((row) => ({ id: String(row.claimant_id), record: row.template as Uint8Array }));
  }

  it('is under the new key, and the old keys can be removed', async () => {
    const [master] = await keys.masters.list();
    await keys.masters.rotate();
    const report = await reencrypt();
    expect(report.counts).toMatchObject({ reencrypted: ROWS, failed: 0 });
    expect(report.keys).toMatchObject([{ version: 2, state: 'active', records: ROWS }]);
    for (const { id, record } of await templates()) {
      expect(await keys.isCurrent(record)).toBe(true);
      expect(await open(id, record)).toEqual(plain(id));
    }
    const [old] = await keys.working.list(AREA);
    await keys.working.remove(old!.id);
    await keys.masters.remove(master!.id);
    const again = await reencrypt();
    expect([again.counts.current, again.counts.reencrypted, again.continuedFrom]).toEqual([ROWS, 0, null]);
  });

  it('keeps the old key while a row needs it', async () => {
    const [first] = await templates();
    const broken = flipped(first!.record);
    await app.run('UPDATE voice_models SET template = ? WHERE id = 0', [broken]);
    await insert(100, null);
    await keys.working.rotate(AREA);
    const report = await reencrypt();
    expect(report.counts).toMatchObject({ reencrypted: ROWS - 1, failed: 1, empty: 1 });
    expect(report.failures).toMatchObject([{ key: 't0, 0', code: 'ERR_TAMPERED' }]);
    expect(report.keys).toMatchObject([
      { version: 1, state: 'retired', records: 1 },
      { version: 2, state: 'active', records: ROWS - 1 },
    ]);
    expect((await templates())[0]!.record).toEqual(broken);
    const [old] = await keys.working.list(AREA);
    expect((await refusalOf(() => keys.working.remove(old!.id))).code).toBe('ERR_KEY_IN_USE');
  });

  it('is not changed by a dry run, nor is the store', async () => {
    await keys.masters.rotate();
    const [before, audit] = [await templates(), (await keys.overview()).audit.entries];
    const report = await reencrypt({ dryRun: true });
    expect(report).toMatchObject({ dryRun: true, keys: null, counts: { reencrypted: ROWS, current: 0 } });
    expect(await templates()).toEqual(before);
    expect((await keys.overview()).audit.entries).toBe(audit);
    expect(await keys.reencryptions.list()).toEqual([]);
  });

  it('goes on where it was ended, and not where its aim was another', async () => {
    await keys.working.rotate(AREA);
    const controller = new AbortController();
    const ended = reencrypt({
      signal: controller.signal,
      onProgress: ({ done }) => {
        if (done === 14) controller.abort(new Error('enough'));
      },
    });
    await expect(ended).rejects.toMatchObject({ code: 'ERR_ABORTED', cause: new Error('enough') });
    const other = await reencrypt({ entity: 'another', dryRun: true });
    expect(other.continuedFrom).toBeNull();
    const report = await reencrypt();
    expect(report.continuedFrom).toBeInstanceOf(Date);
    expect(report.counts).toMatchObject({ reencrypted: ROWS, current: 0 });
  });

  it('begins anew when told to', async () => {
    await keys.working.rotate(AREA);
    const controller = new AbortController();
    const onProgress = () => controller.abort(new Error('enough'));
    await expect(reencrypt({ signal: controller.signal, onProgress })).rejects.toMatchObject({
      code: 'ERR_ABORTED',
      cause: new Error('enough'),
    });
    const report = await reencrypt({ restart: true });
    expect([report.continuedFrom, report.counts.current, report.counts.reencrypted]).toEqual([null, 7, ROWS - 7]);
  });

  it.each([
    [{ table: ['nothing'] }, /no such table/],
    [{ column: 'Template' }, /no column Template; its name is spelled template/],
    [{ column: 'nothing' }, /no column nothing; it has tenant, id, claimant_id, template/],
    [{ key: ['id'] }, /nothing makes id unique/],
    [{ column: 'claimant_id' }, /claimant_id is TEXT, but protected records are bytes/i],
    [{ key: ['id', 'tenant'], column: 'tenant' }, /cannot be both the key and the protected column/],
    [{ entity: EntityColumns.parse('type=a,id=nobody') }, /no column nobody/],
    [{ table: ['a', 'b', 'c'] }, /one name, or a schema before it/],
    [{ table: ['only_looks'] }, /name the table behind it/],
  ])('is refused when it does not fit: %j', async (change, message) => {
    await app.run('CREATE VIEW only_looks AS SELECT * FROM voice_models');
    const { code, message: said } = await refusalOf(() => openApplicationTable(app.url, { ...layout, ...change }));
    expect(code).toBe('ERR_INVALID_ARGUMENT');
    expect(said).toMatch(message);
  });
});

describe('a database that is not there', () => {
  const layout = { table: ['a'], key: ['b'], column: 'c', entity: EntityColumns.parse('type=a,id=b') };

  it.each([
    ['sqlite:/no/such/file.db', 'ERR_IO', 'no such database'],
    ['postgres://127.0.0.1:1/none', 'ERR_IO', 'the database fails'],
    ['mysql://root:secret@host/db', 'ERR_INVALID_ARGUMENT', 'this is neither'],
  ])('%s', async (url, code, message) => {
    const refusal = await refusalOf(() => openApplicationTable(url, layout));
    expect(refusal.code).toBe(code);
    expect(refusal.message).toContain(message);
    expect(refusal.message).not.toContain('secret');
  });
});
