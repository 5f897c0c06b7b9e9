/** Makes names in a directory outlive a power failure. */

import { open } from 'node:fs/promises';

/** Waits until what was created, renamed or removed in the directory is on the disk. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path);
  try {
    await directory.sync();
  } finally {
    await directory.close().catch(() => undefined); // it is synced, or the error is known
  }
}
