/** Files to work on. */

import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  closeSync,
  createReadStream,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

const BLOCK = randomBytes(4 << 20);

/** A directory that is gone when the process ends. */
export function makeWorkDirectory(parent = tmpdir()) {
  const directory = mkdtempSync(join(parent, 'callseal-bench-'));
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(130));
  return directory;
}

/** A file that does not compress; no two begin alike. Written just now, it is in the page cache. */
export function makeFile(path, bytes) {
  const file = openSync(path, 'w', 0o600);
  writeSync(file, randomBytes(Math.min(bytes, 64)));
  for (let at = Math.min(bytes, 64); at < bytes; ) at += writeSync(file, BLOCK, 0, Math.min(BLOCK.length, bytes - at));
  closeSync(file);
}

/** A file of zeros that takes no space. */
export function makeSparseFile(path, bytes) {
  const file = openSync(path, 'w', 0o600);
  ftruncateSync(file, bytes);
  closeSync(file);
}

/** `count` files named 000000.callsre and so on; returns their names. */
export function makeFiles(directory, count, bytes) {
  mkdirSync(directory, { recursive: true });
  const names = Array.from({ length: count }, (_, index) => `${String(index).padStart(6, '0')}.callsre`);
  for (const name of names) makeFile(join(directory, name), bytes);
  return names;
}

/** Has everything written so far, and every deletion, reach the disk: nobody's figures contain the work of those before. */
export function settle(directory) {
  spawnSync('sync', ['--file-system', directory]);
}

let made = 0;

/**
 * A new directory in `parent`, which stays until the work directory goes: see {@link release}.
 */
export function freshDirectory(parent) {
  made += 1;
  const directory = join(parent, `fresh-${made}`);
  mkdirSync(directory, { recursive: true });
  return directory;
}

/**
 * Gives the space of a directory's files back, but not their names: ext4 without a journal looks at every inode freed
 * in the last minutes before it makes a file, which costs more than encrypting it.
 */
export function release(directory) {
  for (const name of readdirSync(directory)) truncateSync(join(directory, name));
}

/** The directory, there and empty. */
export function emptied(directory) {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  return directory;
}

export async function sha256(path) {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}
