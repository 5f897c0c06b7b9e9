/** Connections to an application's table and to the queue that are cut: the next run completes, and counts right. */

import { relative } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

import { verify } from '../../lib/callfile/verify.ts';
import { CallsealError } from '../../lib/errors.ts';
import { KeyHierarchy } from '../../lib/keys/index.ts';
import { EntityColumns } from '../../lib/keys/reencryption/entity-columns.ts';
import { openApplicationTable } from '../../lib/keys/reencryption/open-table.ts';
import { reencryptTable, type TableReport } from '../../lib/keys/reencryption/reencrypt-table.ts';
import { QueueDatabase } from '../../lib/queue/database.ts';
import { enqueue } from '../../lib/queue/enqueue.ts';
import { batchStatuses, failuresOf } from '../../lib/queue/status.ts';
import { runWorker } from '../../lib/queue/worker.ts';
import { Recipients } from '../../lib/recipients/recipients.ts';
import { APP_KINDS, type AppDatabase } from './app-tables.ts';
import { filesBelow } from './below.ts';
import { keyIdsOf, makeCallTree } from './call-tree.ts';
import { withInstallation } from './hierarchy.ts';
import { keyIdOf } from './keys.ts';
import { type Cut, MessageProxy } from './message-proxy.ts';
import { makeParties, type Parties } from './parties.ts';
import { type PostgresServer, startPostgres } from './postgres.ts';
import { type Random, sampleOf, seededRandom } from './seeded.ts';
import { tempDir } from './temp.ts';

const PATIENCE = process.env.CALLSEAL_LONG === '1' ? 3_600_000 : 120_000;
const AREA = 'models';
const ROWS = 25;
const FILES = 6;
/** Most of a worker's time after a cut is waiting for the lease of a job to end. */
const WORKERS_AT_ONCE = 8;

const cutsOf = (messages: number): [number, Cut][] =>
  (['before', 'after'] as const).flatMap((cut) =>
    Array.from({ length: messages }, (_, index): [number, Cut] => [index + 1, cut]),
  );

/** With another port. */
function through(url: string, proxy: MessageProxy): string {
  const changed = new URL(url);
  changed.port = String(proxy.port);
  return changed.href;
}

/** @param cuts Of each kind of work; all with Infinity. */
export function defineDatabaseCutTests(cuts: { table: number; worker: number }): void {
  let random: Random;

  beforeAll(() => {
    random = seededRandom('database cuts');
  });

  describe('a table whose connection is cut while it is re-encrypted', { timeout: PATIENCE, concurrent: true }, () => {
    const layout = {
      table: ['voice_models'],
      key: ['id'],
      column: 'template',
      entity: EntityColumns.parse('type=claimant,id=claimant_id,field=template'),
    };

    const entityOf = (id: string) => ({ type: 'claimant', id, field: 'template' });
    let keys: KeyHierarchy;
    let app: AppDatabase;
    let proxy: MessageProxy;
    const records: Uint8Array[] = [];

    beforeAll(async () => {
      const kind = APP_KINDS.find(({ name }) => name === 'PostgreSQL')!;
      const dir = tempDir();
      keys = await KeyHierarchy.open(await withInstallation({ store: `sqlite:${dir}/keys.db`, stateDirectory: dir }));
      for (let n = 0; n < ROWS; n += 1) {
        records.push(await keys.protect(AREA, entityOf(`c-${n}`), new TextEncoder().encode(`template ${n}`)));
      }
      await keys.working.rotate(AREA);
      await kind.prepare();
      app = await kind.create();
      proxy = await MessageProxy.start(() => Number(new URL(app.url).port));
      return async () => {
        await app.close();
        await keys.close();
      };
    });

    it('is told, loses nothing, and is done by the next run', async () => {
      const reencrypt = async (url: string): Promise<TableReport> => {
        const table = await openApplicationTable(url, layout);
        try {
          return await reencryptTable(keys, table, { area: AREA, entity: layout.entity.toString(), batch: 7 });
        } finally {
          await table.close();
        }
      };
      await app.run('CREATE TABLE before_it (id BIGINT PRIMARY KEY, claimant_id TEXT, template BYTEA)');
      for (const [n, record] of records.entries()) {
        await app.run('INSERT INTO before_it VALUES (?, ?, ?)', [n, `c-${n}`, record]);
      }
      const asBefore = async (): Promise<void> => {
        await app.run('DROP TABLE IF EXISTS voice_models');
        await app.run('CREATE TABLE voice_models AS SELECT * FROM before_it');
        await app.run('ALTER TABLE voice_models ADD PRIMARY KEY (id)');
      };
      await asBefore();
      proxy.arm(0, 'before');
      await reencrypt(through(app.url, proxy));
      let interrupted = 0;
      for (const [nth, cut] of sampleOf(cutsOf(proxy.seen), cuts.table, random)) {
        const where = `cut ${cut} message ${nth}`;
        await asBefore();
        proxy.arm(nth, cut);
        const problem = await reencrypt(through(app.url, proxy)).catch((error: unknown) => error);
        proxy.disarm();
        if (problem instanceof Error) {
          interrupted += 1;
          expect(problem, where).toBeInstanceOf(CallsealError);
          expect((problem as CallsealError).code, `${where}: ${problem.message}`).toBe('ERR_IO');
        }
        const { counts, keys: found, unreadable } = await reencrypt(app.url);
        const { reencrypted, current, ...others } = counts;
        expect(reencrypted + current, `${where}: ${JSON.stringify(counts)}`).toBe(ROWS);
        expect(
          Object.values(others).every((count) => count === 0),
          `${where}: ${JSON.stringify(counts)}`,
        ).toBe(true);
        expect([found!.map(({ version, records }) => [version, records]), unreadable], where).toEqual([[[2, ROWS]], 0]);
        const rows = await app.run('SELECT id, claimant_id, template FROM voice_models');
        expect(rows, where).toHaveLength(ROWS);
        for (const { id, claimant_id, template } of rows) {
          const opened = await keys.unprotect(AREA, entityOf(String(claimant_id)), template as Uint8Array);
          expect(Buffer.from(opened).toString(), where).toBe(`template ${id}`);
        }
      }
      expect(interrupted).toBeGreaterThan(0);
    });
  });

  describe('a worker whose connection to the queue is cut', { timeout: PATIENCE, concurrent: true }, () => {
    let server: PostgresServer;
    let parties: Parties;
    let stranger: Recipients;

    beforeAll(async () => {
      [server, parties] = await Promise.all([startPostgres(), makeParties()]);
      stranger = await Recipients.load([parties.stranger.certificate]);
    });

    async function work(root: string, url: string): Promise<void> {
      const database = await QueueDatabase.open(url, true);
      const signal = new AbortController().signal;
      try {
        await runWorker(database, { root, keys: parties.keys, concurrency: 2, drain: true, lease: 2, signal });
      } finally {
        await database.close();
      }
    }

    /** How many messages there were; everything is done, and counted once. */
    async function run(nth: number, cut: Cut): Promise<number> {
      const where = `cut ${cut} message ${nth}`;
      const url = server.url(await server.createDatabase());
      const proxy = await MessageProxy.start(() => server.port);
      const root = await makeCallTree(FILES, parties.recipients);
      const old = [{ keyId: keyIdOf(parties.fred.certificate) }];
      const paths = filesBelow(root).map((path) => relative(root, path));
      const database = await QueueDatabase.open(url);
      const change = { kind: 'recipients', verify: false, change: { replace: { old, new: stranger } } } as const;
      const { batch } = await enqueue(
        database,
        change,
        (async function* () {
          yield* paths;
        })(),
        { filesPerJob: 2 },
      );
      proxy.arm(nth, cut);
      const problem = await work(root, through(url, proxy)).catch((error: unknown) => error);
      const messages = proxy.seen;
      proxy.end();
      if (problem !== undefined) expect(problem, where).toMatchObject({ code: 'ERR_QUEUE_UNAVAILABLE' });
      await work(root, url);
      const [status] = await batchStatuses(database, batch);
      expect([status, await failuresOf(database, batch)], where).toMatchObject([
        { files: FILES, finished: true, waiting: 0, failed: 0, retrying: 0, activeJobs: 0, passedOver: 0 },
        [],
      ]);
      expect(status!.changed + status!.unchanged, where).toBe(FILES);
      await database.close();
      const files = filesBelow(root);
      expect(files, where).toHaveLength(FILES);
      for (const path of files) {
        expect(await keyIdsOf(path), where).toContain(keyIdOf(parties.stranger.certificate));
        await verify(path, { keys: parties.keys });
      }
      return messages;
    }

    it('goes on, or is followed by another: every file is done, and counted once', async () => {
      const messages = await run(0, 'before');
      const wanted = sampleOf(cutsOf(messages), cuts.worker, random);
      const next = async (): Promise<void> => {
        for (let cut = wanted.pop(); cut !== undefined; cut = wanted.pop()) await run(...cut);
      };
      await Promise.all(Array.from({ length: WORKERS_AT_ONCE }, next));
    });
  });
}
