/** The table: what has to be fast, and how near to which limit. */

import { buffer } from './buffer.mjs';
import { bulk } from './bulk.mjs';
import { busyHost } from './busy-host.mjs';
import { callFiles } from './call-files.mjs';
import { openContext } from './context.mjs';
import { decryptMany } from './decrypt-many.mjs';
import { memory, queue } from './memory.mjs';
import { hierarchyOpen, records } from './records.mjs';
import { start } from './start.mjs';
import { stream } from './stream.mjs';

/** Rows that are measured together, by the name `--only` takes. */
export const LIMITS = {
  buffer,
  bulk,
  'call-files': callFiles,
  stream,
  'decrypt-many': decryptMany,
  start,
  memory,
  queue,
  host: busyHost,
  records,
  'hierarchy-open': hierarchyOpen,
};

/**
 * Measures all rows, or those of the groups named. A group that fails does not stop the others.
 *
 * @param {import('../harness/plan.mjs').Plan} plan
 * @param {string} directory
 * @param {{ groups?: string[], onGroup?: (name: string) => void }} [options]
 * @returns {Promise<{ rows: import('./row.mjs').Row[], failures: { group: string, message: string }[] }>}
 */
export async function measureLimits(plan, directory, { groups = Object.keys(LIMITS), onGroup } = {}) {
  const rows = [];
  const failures = [];
  for (const group of groups) {
    onGroup?.(group);
    const context = await openContext(plan, directory);
    try {
      rows.push(...(await LIMITS[group](context)));
    } catch (error) {
      failures.push({ group, message: error.message });
    } finally {
      await context.close();
    }
  }
  return { rows, failures };
}
