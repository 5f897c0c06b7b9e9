import { join } from 'node:path';
import { callsealVersion } from '../callseal.mjs';

const AREA = 'models';

/** Callseal's key hierarchy, with everything it does: a store on the disk, budgets reserved in it, a signed manifest. */
export default {
  id: 'callseal-records',
  name: 'callseal (key hierarchy)',
  kind: 'record',
  settings: '`KeyHierarchy`, suite aes/aes/sha256, store in SQLite; many: `protectMany`, `unprotectMany`',
  version: callsealVersion,
  async open({ directory, installationKey, suite }) {
    const { KeyHierarchy } = await import('../../../dist/keys/index.js');
    const keys = await KeyHierarchy.open({
      store: `sqlite:${join(directory, 'keys.db')}`,
      stateDirectory: join(directory, 'state'),
      installation: { key: installationKey },
      actor: 'bench',
      suite,
    });
    return {
      protect: (entity, bytes) => keys.protect(AREA, entity, bytes),
      unprotect: (entity, sealed) => keys.unprotect(AREA, entity, sealed),
      protectMany: (items) => keys.protectMany(AREA, items),
      unprotectMany: (items) =>
        keys.unprotectMany(
          AREA,
          items.map(({ entity, bytes }) => ({ entity, sealed: bytes })),
        ),
      keysMade: async () => (await keys.working.list(AREA)).length,
      close: () => keys.close(),
    };
  },
};
