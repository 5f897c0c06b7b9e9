/** Files to work on. */

import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readdirSync, rmSync, truncateSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const BLOCK_BYTES = 4 << 20;
/** Enough to make every file another one. */
const OWN_BYTES = 64;

let block: Uint8Array | undefined;

/** A file that does not compress; no two begin alike. Written just now, it is in the page cache. */
export function makeFile(path: string, bytes: number): void {
  block ??= randomBytes(BLOCK_BYTES);
  const file = openSync(path, 'w', 0o600);
  try {
    let written = writeSync(file, randomBytes(Math.min(bytes, OWN_BYTES)));
    while (written < bytes) written += writeSync(file, block, 0, Math.min(BLOCK_BYTES, bytes - written));
  } finally {
    closeSync(file);
  }
}

/** `count` files named 000000.callsre and so on; returns their names. */
export function makeFiles(directory: string, count: number, bytes: number): string[] {
  mkdirSync(directory, { recursive: true });
  const names = Array.from({ length: count }, (_, index) => `${String(index).padStart(6, '0')}.callsre`);
  for (const name of names) makeFile(join(directory, name), bytes);
  return names;
}

/** The directory, there and empty. */
export function emptied(directory: string): string {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  return directory;
}

let made = 0;

/** A new directory in `parent`, which stays until the work directory goes: see {@link release}. */
export function freshDirectory(parent: string): string {
  made += 1;
  const directory = join(parent, `fresh-${made}`);
  mkdirSync(directory, { recursive: true });
  return directory;
}

/**
 * Gives the space of a directory's files back, but not their names: ext4 without a journal looks at every inode freed
 * in the last minutes before it makes a file, which costs more than encrypting it.
 */
export function release(directory: string): void {
  for (const name of readdirSync(directory)) truncateSync(join(directory, name));
}
