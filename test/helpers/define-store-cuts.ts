/** A key store on PostgreSQL whose connection is cut at any message: a clear error, nothing half done, and on it goes. */

import { beforeAll, describe, expect, it } from 'vitest';

import { CallsealError } from '../../lib/errors.ts';
import type { KeyHierarchy } from '../../lib/keys/index.ts';
import { anotherHost, ENTITY, openHierarchy, PLAINTEXT } from './hierarchy.ts';
import { type Cut, MessageProxy } from './message-proxy.ts';
import { type PostgresServer, startPostgres } from './postgres.ts';
import { type Random, sampleOf, seededRandom } from './seeded.ts';

const OPERATIONS: Record<string, (keys: KeyHierarchy, run: number) => Promise<unknown>> = {
  'create a master key': (keys) => keys.masters.create(),
  'rotate the master key': (keys) => keys.masters.rotate(),
  'rotate a working key': (keys) => keys.working.rotate('models'),
  'protect in a new area': (keys, run) => keys.protect(`area-${run}`, ENTITY, PLAINTEXT),
  'protect and unprotect': async (keys) =>
    keys.unprotect('models', ENTITY, await keys.protect('models', ENTITY, PLAINTEXT)),
};

/** @param each Cuts for each operation; all with Infinity. */
export function defineStoreCutTests(each: number): void {
  describe('a store that is cut off', { timeout: process.env.CALLSEAL_LONG === '1' ? 3_600_000 : 300_000 }, () => {
    let server: PostgresServer;
    let proxy: MessageProxy;
    let random: Random;

    beforeAll(async () => {
      server = await startPostgres();
      proxy = await MessageProxy.start(() => server.port);
      random = seededRandom('store cuts');
    });

    it.each(Object.entries(OPERATIONS))('to %s: is told, and nothing is half done', async (_, operation) => {
      const database = await server.createDatabase();
      const stateDirectory = anotherHost();
      const direct = { store: server.url(database), stateDirectory };
      const cuttable = { store: server.url(database, { port: proxy.port }), stateDirectory };
      let runs = 0;
      const opened = async (place: typeof direct, work: (keys: KeyHierarchy) => Promise<unknown>): Promise<unknown> => {
        const keys = await openHierarchy(place);
        try {
          return await work(keys);
        } finally {
          await keys.close();
        }
      };
      const operate = (keys: KeyHierarchy): Promise<unknown> => operation(keys, runs++);
      let record: Uint8Array = PLAINTEXT;
      await opened(direct, async (keys) => {
        record = await keys.protect('models', ENTITY, PLAINTEXT);
      });
      proxy.arm(0, 'before');
      await opened(cuttable, operate);
      const messages = proxy.seen;
      expect(messages).toBeGreaterThan(5);
      const cuts = (['before', 'after'] as const).flatMap((cut) =>
        Array.from({ length: messages }, (_, index): [number, Cut] => [index + 1, cut]),
      );
      for (const [nth, cut] of sampleOf(cuts, each, random)) {
        const where = `cut ${cut} message ${nth} of ${messages}`;
        proxy.arm(nth, cut);
        const problem = await opened(cuttable, operate).catch((error: unknown) => error);
        proxy.disarm();
        if (problem instanceof Error) {
          expect(problem, where).toBeInstanceOf(CallsealError);
          expect((problem as CallsealError).code, `${where}: ${problem.message}`).toBe('ERR_STORE_UNAVAILABLE');
        }
        await opened(direct, async (keys) => {
          await keys.audit.verify();
          expect(await keys.unprotect('models', ENTITY, record), where).toEqual(PLAINTEXT);
          await operate(keys);
        });
      }
    });
  });
}
