/** Files and places that are hard to write to. */

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, createReadStream, mkdirSync, openSync, readdirSync, readlinkSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';

import { tempDir } from './temp.ts';

/** A file of `length` zero bytes that takes no room. */
export function sparseFile(path: string, length: number): string {
  closeSync(openSync(path, 'w'));
  truncateSync(path, length);
  return path;
}

/** SHA-256 of a file of any size. */
export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}

/** Waits until a job of this process has made its output, which has no name yet, in one of the directories. */
export async function outputBegun(...directories: string[]): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!directories.some((directory) => unnamedFiles(directory).length > 0)) {
    if (Date.now() > deadline) throw new Error('no job has begun');
    await nextTurn();
  }
}

/** The files without a name that a process has open in a directory, as paths below `/proc` that lead to them. */
export function unnamedFiles(directory: string, pid: number | 'self' = 'self'): string[] {
  const descriptors = readdirSync(`/proc/${pid}/fd`).map((fd) => `/proc/${pid}/fd/${fd}`);
  return descriptors.filter((path) => {
    try {
      return readlinkSync(path).startsWith(`${directory}/#`);
    } catch {
      return false; // closed meanwhile
    }
  });
}

export interface SmallDisk {
  dir: string;
  /** @param lazily Files on it may be open still. */
  release: (lazily?: boolean) => void;
}

/** A file system of `kibibytes`, or the reason why there is none. */
export function smallDisk(kibibytes: number): SmallDisk | string {
  const dir = join(tempDir(), 'disk');
  mkdirSync(dir);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${kibibytes}k`, 'tmpfs', dir], { stdio: 'pipe' });
  } catch (error) {
    return `this user cannot mount a small file system (${(error as Error).message.split('\n')[0]})`;
  }
  return { dir, release: (lazily = false) => execFileSync('umount', lazily ? ['--lazy', dir] : [dir]) };
}

/** A directory that nothing can be created in, even by root, or the reason why there is none. */
export function readOnlyDirectory(): SmallDisk | string {
  const disk = smallDisk(64);
  if (typeof disk === 'string') return disk;
  execFileSync('mount', ['-o', 'remount,ro', disk.dir]);
  return disk;
}
