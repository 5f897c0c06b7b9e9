/** A key store on a PostgreSQL server that goes away, comes back, or does not let everybody in. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { KeyStore } from '../lib/keys/stores/store.ts';
import { codeOf, refusalOf } from './helpers/errors.ts';
import { startPostgres } from './helpers/postgres.ts';
import { masterRow } from './helpers/store-rows.ts';
import { opening } from './helpers/stores.ts';
import { TcpProxy } from './helpers/tcp-proxy.ts';
import { tempDir } from './helpers/temp.ts';

const PASSWORD = 'sesame/öffne:dich@';

const server = await startPostgres({
  access: [
    'local all postgres trust',
    'host all postgres 127.0.0.1/32 trust',
    'host all +members 127.0.0.1/32 scram-sha-256',
  ],
});
await server.query(
  'postgres',
  `create role members; create role keys login password '${PASSWORD}' in role members; create role guest login password '${PASSWORD}' in role members`,
);
const proxy = await TcpProxy.start(() => server.port);

let database: string;

beforeEach(async () => {
  database = await server.createDatabase();
});

afterEach(() => {
  vi.unstubAllEnvs();
});

/** Counts what a store's listeners hear. */
function ears(store: KeyStore) {
  let heard = 0;
  store.onChange(() => {
    heard += 1;
  });
  const until = async (count: number) => {
    while (heard < count) await pause(5);
  };
  return {
    /** Waits until it has heard something that it had not heard before. */
    next: () => until(heard + 1),
    first: () => until(1),
  };
}

/** Waits until an attempt succeeds. */
async function eventually<T>(attempt: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if ((error as { code?: string }).code !== 'ERR_STORE_UNAVAILABLE') throw error;
      await pause(20);
    }
  }
}

describe('a server that stops', () => {
  it('is unavailable, and the same store works when it is back', async () => {
    const store = await opening(server.url(database));
    const other = await opening(server.socketUrl(database));
    const listening = ears(store);
    await listening.first();
    await store.transaction((writer) => writer.writeMaster(masterRow()));

    await server.stop();
    const attempts: (() => Promise<unknown>)[] = [
      () => store.readMasters(),
      () => store.transaction(async () => {}),
      () => store.snapshot(async () => {}),
      () => opening(server.url(database)),
    ];
    for (const attempt of attempts) {
      const { code, message, cause } = await refusalOf(attempt);
      expect(code).toBe('ERR_STORE_UNAVAILABLE');
      expect(message).toMatch(/127\.0\.0\.1:\d+\/test_\d+: (nothing listens there|the connection was cut)/);
      expect(cause).toBeInstanceOf(Error);
    }
    expect((await refusalOf(() => other.readMasters())).message).toMatch(/no socket|nothing listens|was cut/);

    await server.start();
    expect(await store.readMasters()).toHaveLength(1);
    const heard = listening.next();
    await other.transaction((writer) => writer.writeMaster(masterRow()));
    await heard;
    expect(await store.readMasters()).toHaveLength(2);
  });

  it('loses a transaction that was under way, and only that', async () => {
    const store = await opening(server.url(database));
    const attempt = store.transaction(async (writer) => {
      await writer.writeMaster(masterRow());
      await server.stop();
      await server.start();
      await writer.writeMaster(masterRow());
    });
    expect(await codeOf(() => attempt)).toBe('ERR_STORE_UNAVAILABLE');
    expect(await store.readMasters()).toEqual([]);
    expect(await store.readRevision()).toBe(0);
  });
});

describe('a connection', () => {
  it('that was cut while idle costs nobody anything', async () => {
    const store = await opening(server.url(database, { port: proxy.port }));
    await Promise.all([1, 2, 3, 4].map(() => store.readMasters()));
    for (const work of [() => store.readMasters(), () => store.transaction(async () => [])]) {
      await proxy.cut();
      await proxy.mend();
      expect(await work()).toEqual([]);
    }
    await server.query(
      'postgres',
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${database}'`,
    );
    expect(await store.snapshot((reader) => reader.readMasters())).toEqual([]);
  });

  it('that is cut and mended is made again, for work and for listening', async () => {
    const store = await opening(server.url(database, { port: proxy.port }));
    const near = await opening(server.url(database));
    const listening = ears(store);
    await listening.first();
    for (let round = 1; round <= 2; round += 1) {
      await proxy.cut();
      expect(await codeOf(() => store.readMasters())).toBe('ERR_STORE_UNAVAILABLE');
      const heard = listening.next();
      await near.transaction((writer) => writer.writeMaster(masterRow()));
      await proxy.mend();
      await heard;
      expect(await eventually(() => store.readMasters())).toHaveLength(round);
    }
  });

  it('that dies in a transaction takes it along, and work is not done twice', async () => {
    const store = await opening(server.url(database, { port: proxy.port }));
    let times = 0;
    const attempt = store.transaction(async (writer) => {
      times += 1;
      await writer.writeMaster(masterRow());
      await proxy.cut();
      await proxy.mend();
      await writer.writeMaster(masterRow());
    });
    expect(await codeOf(() => attempt)).toBe('ERR_STORE_UNAVAILABLE');
    expect(times).toBe(1);
    expect(await store.readMasters()).toEqual([]);
  });

  it('that goes dead without a word holds up neither its own process nor others', async () => {
    const far = await opening(server.url(database, { port: proxy.port }), { patience: 1000, connectTimeout: 500 });
    const near = await opening(server.url(database));
    const listening = ears(far);
    await listening.first();
    const attempt = far.transaction(async (writer) => {
      await writer.writeMaster(masterRow());
      proxy.freeze();
      await writer.writeMaster(masterRow());
    });
    const dead = refusalOf(() => attempt);
    // The server ends the transaction of whom it does not hear from.
    await near.transaction(async (writer) => {
      expect(await writer.readMasters()).toEqual([]);
      await writer.writeMaster(masterRow());
    });
    const { code, message } = await dead;
    expect(code).toBe('ERR_STORE_UNAVAILABLE');
    expect(message).toMatch(/does not answer/);
    expect((await refusalOf(() => far.readMasters())).message).toMatch(/does not answer/);

    await proxy.cut();
    await proxy.mend();
    expect(await eventually(() => far.readMasters())).toHaveLength(1);
    const heard = listening.next();
    await near.transaction((writer) => writer.writeMaster(masterRow()));
    await heard;
  });

  it('is closed even when the server does not answer any more', async () => {
    const store = await opening(server.url(database, { port: proxy.port }));
    await ears(store).first();
    proxy.freeze();
    await store.close();
    await proxy.cut();
    await proxy.mend();
  });
});

describe('a password', () => {
  const asKeys = (password = '') => server.url(database, { user: 'keys', password });

  beforeEach(() => server.query('postgres', `alter database ${database} owner to keys`));

  it('comes from the URL, PGPASSWORD or the password file', async () => {
    await opening(asKeys(PASSWORD));
    vi.stubEnv('PGPASSWORD', PASSWORD);
    await opening(asKeys());
    vi.stubEnv('PGPASSWORD', undefined);
    const file = join(tempDir(), 'pgpass');
    const escaped = PASSWORD.replaceAll(/[\\:]/g, '\\$&');
    writeFileSync(file, `127.0.0.1:${server.port}:${database}:keys:${escaped}\n`, { mode: 0o600 });
    vi.stubEnv('PGPASSFILE', file);
    await opening(asKeys());
  });

  it('that is wrong or missing is told, and never shown', async () => {
    vi.stubEnv('PGPASSFILE', join(tempDir(), 'none'));
    const missing = await refusalOf(() => opening(asKeys()));
    expect(missing.code).toBe('ERR_STORE_UNAVAILABLE');
    expect(missing.message).toMatch(/wants a password; give it in PGPASSWORD/);

    const wrong = `not-${PASSWORD}`;
    const refused = await refusalOf(() => opening(asKeys(wrong)));
    expect(refused.code).toBe('ERR_STORE_UNAVAILABLE');
    expect(refused.message).toMatch(/refuses the user or the password.*pg_hba/);
    const shown = inspect(refused, { depth: 10, showHidden: true });
    for (const secret of [wrong, encodeURIComponent(wrong)]) expect(shown).not.toContain(secret);
  });

  it('is not in the description', async () => {
    const store = await opening(asKeys(PASSWORD));
    expect(store.description).toBe(`postgres://keys@127.0.0.1:${server.port}/${database}`);
    await store.close();
    const closed = await refusalOf(() => store.readMasters());
    expect(inspect(closed, { depth: 10 })).not.toContain('sesame');
  });
});

describe('a user', () => {
  it('without rights, without a database or unknown is told what to do', async () => {
    await opening(server.url(database));
    const cases: [string, RegExp][] = [
      [server.url(database, { user: 'guest', password: PASSWORD }), /GRANT/],
      [server.url(database, { user: 'guest', password: PASSWORD, query: 'schema=own' }), /GRANT/],
      [server.url('nowhere'), /no such database; make it with `createdb`/],
      [server.url(database, { user: 'nobody' }), /refuses the user/],
    ];
    for (const [url, words] of cases) {
      const { code, message } = await refusalOf(() => opening(url));
      expect(code).toBe('ERR_STORE_UNAVAILABLE');
      expect(message).toMatch(words);
    }
  });

  it('needs few rights once the tables are there', async () => {
    await opening(server.url(database));
    await server.query(database, 'grant select, insert, update on all tables in schema public to guest');
    const store = await opening(server.url(database, { user: 'guest', password: PASSWORD }));
    const row = masterRow();
    for (const state of ['active', 'disabled'] as const) {
      await store.transaction((writer) => writer.writeMaster({ ...row, state }));
    }
    expect(await store.readMasters()).toEqual([{ ...row, state: 'disabled' }]);
  });

  it('may keep several stores in one database', async () => {
    const stores = await Promise.all(
      ['', 'schema=one', 'schema=two'].map((query) => opening(server.url(database, { query }))),
    );
    await Promise.all(stores.map((store) => store.transaction((writer) => writer.writeMaster(masterRow()))));
    for (const store of stores) expect(await store.readMasters()).toHaveLength(1);
    // One store's lock is not another's.
    await stores[0]!.transaction(() => stores[1]!.transaction(async () => {}));
    expect(stores[1]!.description).toMatch(/\?schema=one$/);
  });

  it('finds the store gone when its tables are', async () => {
    const store = await opening(server.url(database, { query: 'schema=gone' }));
    await server.query(database, 'drop schema gone cascade');
    const { code, message } = await refusalOf(() => store.readMasters());
    expect(code).toBe('ERR_STORE_UNAVAILABLE');
    expect(message).toMatch(/there is no key store, or its tables were dropped/);
  });
});
