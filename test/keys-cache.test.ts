/** Keys at hand: how long they serve, what happens when the store cannot be reached, and how it goes on. */

import { setTimeout as pause } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { codeOf } from './helpers/errors.ts';
import { anotherHost, ENTITY, freshPlace, openHierarchy, PLAINTEXT } from './helpers/hierarchy.ts';
import { type PostgresServer, startPostgres } from './helpers/postgres.ts';
import { STORE_KINDS } from './helpers/stores.ts';
import { TcpProxy } from './helpers/tcp-proxy.ts';

/** Asks until `wanted` comes, for as long as a busy machine may take. */
async function eventually(wanted: string, ask: () => Promise<unknown>): Promise<void> {
  let last = '';
  for (let round = 0; round < 300; round += 1) {
    last = await ask().then(
      () => 'fine',
      (error) => error.code,
    );
    if (last === wanted) return;
    await pause(50);
  }
  throw new Error(`expected ${wanted}, and after 15 seconds there was still ${last}`);
}

describe.each(STORE_KINDS)('$name', (kind) => {
  beforeAll(() => kind.prepare());

  test('keys that may be used once or twice are opened again and again', async () => {
    for (const maxUses of [1, 2, 3]) {
      const keys = await openHierarchy({ ...(await freshPlace(kind)), cache: { maxUses } });
      for (let index = 0; index < 10; index += 1) {
        const bytes = Uint8Array.of(index);
        const sealed = await keys.protect('models', ENTITY, bytes);
        expect(await keys.unprotect('models', ENTITY, sealed)).toEqual(bytes);
        const again = await keys.reencrypt('models', ENTITY, sealed);
        const many = await keys.protectMany('models', [
          { entity: ENTITY, bytes },
          { entity: ENTITY, bytes },
        ]);
        const all = [again, ...many].map((record) => ({ entity: ENTITY, sealed: record }));
        expect(await keys.unprotectMany('models', all)).toEqual([bytes, bytes, bytes]);
      }
      expect((await keys.working.list())[0]!.budget.reserved).toBe(65_536);
    }
  });

  test('keys that have expired are verified and opened again', async () => {
    const keys = await openHierarchy({ ...(await freshPlace(kind)), cache: { ttlSeconds: 1 } });
    const sealed = await keys.protect('models', ENTITY, PLAINTEXT);
    for (let round = 0; round < 3; round += 1) {
      await pause(1_100);
      expect(await keys.unprotect('models', ENTITY, sealed)).toEqual(PLAINTEXT);
      await keys.protect('models', ENTITY, PLAINTEXT);
    }
    expect((await keys.working.list())[0]!.budget.reserved).toBe(65_536);
  });
});

test.each([{ ttlSeconds: 0 }, { ttlSeconds: Number.NaN }, { ttlSeconds: 86_401 }, { maxUses: 0 }, { maxUses: 1.5 }])(
  '%j is refused',
  async (cache) => {
    const place = await freshPlace(STORE_KINDS[0]!);
    expect(await codeOf(() => openHierarchy({ ...place, cache }))).toBe('ERR_INVALID_ARGUMENT');
  },
);

describe('a PostgreSQL server behind a wire', () => {
  let server: PostgresServer;

  beforeAll(async () => {
    server = await startPostgres();
  });

  async function throughWire(ttlSeconds: number) {
    const database = await server.createDatabase();
    const wire = await TcpProxy.start(() => server.port);
    const cut = await openHierarchy({
      store: server.url(database, { port: wire.port }),
      stateDirectory: anotherHost(),
      cache: { ttlSeconds },
    });
    const near = await openHierarchy({ store: server.url(database), stateDirectory: anotherHost() });
    return { wire, cut, near };
  }

  test('while the store cannot be reached, keys at hand serve until their TTL, and afterwards it goes on by itself', async () => {
    const { wire, cut } = await throughWire(4);
    const sealed = await cut.protect('models', ENTITY, PLAINTEXT);
    await wire.cut();
    expect(await cut.unprotect('models', ENTITY, sealed)).toEqual(PLAINTEXT);
    const meanwhile = await cut.protect('models', ENTITY, PLAINTEXT);
    const gone = 'ERR_STORE_UNAVAILABLE';
    expect(await codeOf(() => cut.protect('another-area', ENTITY, PLAINTEXT))).toBe(gone);
    expect(await codeOf(() => cut.masters.rotate())).toBe(gone);
    expect(await codeOf(() => cut.overview())).toBe(gone);
    expect(await cut.unprotect('models', ENTITY, meanwhile)).toEqual(PLAINTEXT);
    await eventually(gone, () => cut.unprotect('models', ENTITY, sealed));
    expect(await codeOf(() => cut.protect('models', ENTITY, PLAINTEXT))).toBe(gone);
    await wire.mend();
    await eventually('fine', () => cut.unprotect('models', ENTITY, meanwhile));
    await cut.protect('another-area', ENTITY, PLAINTEXT);
    expect((await cut.working.list('models'))[0]!.budget.reserved).toBe(65_536);
  });

  test('a server that was cut off learns of a disable when it is back, and stops by itself when it is not', async () => {
    const { wire, cut, near } = await throughWire(4);
    const sealed = await cut.protect('models', ENTITY, PLAINTEXT);
    const [master] = await near.masters.list();
    await wire.cut();
    await near.masters.disable(master!.id);
    await wire.mend();
    await eventually('ERR_KEY_DISABLED', () => cut.unprotect('models', ENTITY, sealed));
    await near.masters.enable(master!.id);
    await eventually('fine', () => cut.unprotect('models', ENTITY, sealed));
    await wire.cut();
    await near.masters.disable(master!.id);
    await eventually('ERR_STORE_UNAVAILABLE', () => cut.unprotect('models', ENTITY, sealed));
    await wire.mend();
    await eventually('ERR_KEY_DISABLED', () => cut.unprotect('models', ENTITY, sealed));
  });

  test('a wire that goes dead without a word stops nothing for longer than the TTL', async () => {
    const { wire, cut } = await throughWire(2);
    const sealed = await cut.protect('models', ENTITY, PLAINTEXT);
    wire.freeze();
    expect(await cut.unprotect('models', ENTITY, sealed)).toEqual(PLAINTEXT);
    await pause(2_100);
    expect(await codeOf(() => cut.unprotect('models', ENTITY, sealed))).toBe('ERR_STORE_UNAVAILABLE');
    await wire.cut();
    await wire.mend();
    await eventually('fine', () => cut.unprotect('models', ENTITY, sealed));
  });
});
