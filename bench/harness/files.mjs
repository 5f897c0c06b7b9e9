/** Files to work on. */

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, createReadStream, ftruncateSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

export { emptied, freshDirectory, makeFile, makeFiles, release } from '../../dist/bench/files.js';

/** A directory that is gone when the process ends. */
export function makeWorkDirectory(parent = tmpdir()) {
  const directory = mkdtempSync(join(parent, 'callseal-bench-'));
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(130));
  return directory;
}

/** A file of zeros that takes no space. */
export function makeSparseFile(path, bytes) {
  const file = openSync(path, 'w', 0o600);
  ftruncateSync(file, bytes);
  closeSync(file);
}

/** Has everything written so far, and every deletion, reach the disk: nobody's figures contain the work of those before. */
export function settle(directory) {
  spawnSync('sync', ['--file-system', directory]);
}

export async function sha256(path) {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}
