/** The version a command tells of itself: what `pattern` captures in its output, or null when it is not installed. */

import { spawnSync } from 'node:child_process';

export function commandVersion(command, args, pattern) {
  const { error, stdout } = spawnSync(command, args, { encoding: 'utf8' });
  if (error !== undefined) return null;
  return pattern.exec(stdout)?.[1] ?? 'unknown';
}
