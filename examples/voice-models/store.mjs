/**
 * Voice models in a table of PostgreSQL. Each is encrypted under the working key of the area `models` and bound to the
 * claimant that it belongs to: moved to another row, it does not open.
 *
 *     const models = await openModels({ database: 'postgres://voice@db.example/voice', installation: { folder: installationFolder() } });
 *     await models.save('c-41', template);
 *     const template = await models.load('c-41'); // null when there is none
 */

import { KeyHierarchy } from 'callseal/keys';
import pg from 'pg';

const AREA = 'models';
const TABLE = `CREATE TABLE IF NOT EXISTS voice_models (claimant TEXT PRIMARY KEY, template BYTEA NOT NULL)`;

/**
 * @param {object} options
 * @param {string} options.database Key store and table are in one database here; they may be in two.
 * @param {import('callseal/keys').InstallationSource | import('callseal/keys').Installation} options.installation
 * @param {string} [options.tenant] Whose claimants these are.
 * @param {string | null} [options.stateDirectory] Where this host remembers what it has seen of the key store.
 */
export async function openModels({ database, installation, tenant = '', stateDirectory }) {
  const keys = await KeyHierarchy.open({ store: database, installation, stateDirectory, actor: 'voice service' });
  const pool = new pg.Pool({ connectionString: database });
  await pool.query(TABLE);
  const entity = (claimant) => ({ tenant, type: 'claimant', id: claimant, field: 'template' });

  return {
    /** @param {Uint8Array} template */
    async save(claimant, template) {
      const record = await keys.protect(AREA, entity(claimant), template);
      const insert = 'INSERT INTO voice_models VALUES ($1, $2) ON CONFLICT (claimant) DO UPDATE SET template = $2';
      await pool.query(insert, [claimant, Buffer.from(record.buffer, record.byteOffset, record.length)]);
    },

    /** @returns {Promise<Uint8Array | null>} */
    async load(claimant) {
      const { rows } = await pool.query('SELECT template FROM voice_models WHERE claimant = $1', [claimant]);
      return rows.length === 0 ? null : keys.unprotect(AREA, entity(claimant), rows[0].template);
    },

    async close() {
      await pool.end();
      await keys.close();
    },
  };
}
