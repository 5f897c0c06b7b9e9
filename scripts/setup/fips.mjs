/** A FIPS provider, by the product's own code: what a user would run is what we run. */

import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './run.mjs';

export function fipsProvider() {
  return {
    name: 'FIPS provider',
    async isDone() {
      const { findFipsModule } = await import('../../dist/fips/discover.js');
      const { verifyFipsModule } = await import('../../dist/fips/install.js');
      try {
        return await verifyFipsModule(findFipsModule());
      } catch (error) {
        // A directory that the environment names is not ours to mend.
        if (error.code === 'ERR_FIPS_UNAVAILABLE' && !process.env.CALLSEAL_FIPS_DIR) return false;
        throw error;
      }
    },
    async run() {
      for (const leftover of readdirSync(ROOT).filter((name) => name.startsWith('.fips.new-'))) {
        rmSync(join(ROOT, leftover), { recursive: true });
      }
      const { installFips } = await import('../../dist/fips/install.js');
      await installFips({ dir: join(ROOT, '.fips') });
    },
  };
}
