/** Prometheus' own checker of metrics and rules, which `scripts/setup.mjs test` fetches. */

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const FETCHED = fileURLToPath(new URL('../../.cache/promtool/usr/bin/promtool', import.meta.url));

/** Its path, or undefined where there is none. */
export const PROMTOOL = existsSync(FETCHED) ? FETCHED : undefined;

/** Runs it; what it says, on both outputs, and its exit code. */
export function promtool(args: readonly string[], input = ''): { status: number | null; said: string } {
  const { status, stdout, stderr } = spawnSync(PROMTOOL!, args, { input, encoding: 'utf8' });
  return { status, said: stdout + stderr };
}
