/** Files of a directory that nobody has encrypted yet. */

import { lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { isCallFile } from '../callfile/is-call-file.ts';

export interface Backlog {
  readonly path: string;
  /** Those that have not changed for five minutes, and so should be encrypted by now. */
  readonly files: number;
  /** Seconds since the one that has waited longest was changed; 0 without one. */
  readonly oldestAge: number;
  /** There are more entries than were looked at. */
  readonly truncated: boolean;
}

/** The doctor takes seconds whatever lies there. */
const MOST = 10_000;
const SETTLED = 300;

/** Looks at the directory itself, not below it. */
export async function backlogOf(path: string, now: Date): Promise<Backlog> {
  let [files, oldestAge, looked] = [0, 0, 0];
  try {
    for await (const entry of await opendir(path)) {
      if (!entry.isFile() || entry.name.startsWith('.')) continue;
      looked += 1;
      if (looked > MOST) return { path, files, oldestAge, truncated: true };
      const age = await ageOfPlaintext(join(path, entry.name), now);
      if (age <= SETTLED) continue;
      files += 1;
      oldestAge = Math.max(oldestAge, age);
    }
  } catch {
    // The check of permissions says what is wrong with the directory.
  }
  return { path, files, oldestAge, truncated: false };
}

/** Seconds; 0 for what is encrypted, empty, or gone. */
async function ageOfPlaintext(path: string, now: Date): Promise<number> {
  const stats = await lstat(path).catch(() => null);
  if (stats === null || stats.size === 0) return 0;
  const age = (now.getTime() - stats.mtimeMs) / 1000;
  if (age <= SETTLED) return 0;
  return (await isCallFile(path).catch(() => true)) ? 0 : age;
}
