/**
 * The directories below those the operator named: found by reading them again and again, which is the truth, and
 * watched, which is a hint that makes work of a new name at once. Links are not followed, but for the named
 * directories themselves; hidden directories are not entered.
 */

import { lstat, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { cleanDirectory } from '../callfile/seal.ts';
import { errnoOf } from '../errors.ts';
import type { AlarmBoard } from './alarms.ts';
import { Directory, type DirectoryIdentity } from './directory.ts';
import { type Listing, listDirectory } from './list-directory.ts';
import type { Place } from './oldest.ts';
import { Watches } from './watches.ts';

/** What a tree is told, and whom it tells. */
export interface TreeOptions {
  /** Where the encrypted files of a directory go. */
  outputOf: (path: string, root: string) => string;
  /** Whether a directory of that name is entered. */
  enters: (name: string) => boolean;
  /** Whether a file of that name is to be found. */
  takes: (directory: Directory, name: string) => boolean;
  /** Whether more files of it are wanted now. */
  needs: (directory: Directory) => boolean;
  /** How many files the reading of a directory that now begins may find. */
  reserve: (directory: Directory) => number;
  /** Milliseconds between two readings of everything. */
  rescan: number;
  alarms: AlarmBoard;
  /** Files found in one reading, oldest first. */
  found: (directory: Directory, listing: Listing) => void;
  /** Something happened to a name. */
  hinted: (directory: Directory, event: 'rename' | 'change', name: string) => void;
  /** The directory was read, or need not be, or cannot be. */
  scanned: (directory: Directory) => void;
  /** A directory is watched over from now on, or no longer. */
  watching: (directory: Directory, yes: boolean) => void;
  /** Its files can be tried again. */
  reopened: (directory: Directory) => void;
}

/** Directories read at a time: one on a file system that does not answer must not hold up all others. */
const READERS = 4;
/** Reading takes at most one part of this many of the time. */
const REST = 20;
/** The times of a directory that changed this recently, in milliseconds, may not show the next change. */
const GRANULARITY = 2000;

export class Tree {
  readonly #options: TreeOptions;
  readonly #watches: Watches;
  readonly #directories = new Map<string, Directory>();
  readonly #requested = new Set<Directory>();
  readonly #reading = new Set<Directory>();
  #patrols = false;
  #stopped = false;
  #timer: NodeJS.Timeout | null = null;
  #roundBegan = 0;
  #inRound = false;

  constructor(options: TreeOptions) {
    this.#options = options;
    this.#watches = new Watches(options.alarms, {
      hinted: (directory, event, name) => options.hinted(directory, event, name),
      // Read after a second, and watched again then.
      stormed: (directory) => void directory.readGate.close(),
    });
  }

  get directories(): Iterable<Directory> {
    return this.#directories.values();
  }

  get size(): number {
    return this.#directories.size;
  }

  /** Nothing is being read, nor about to be. */
  get idle(): boolean {
    return this.#requested.size === 0 && this.#reading.size === 0;
  }

  /** Reads everything below `roots`; with `patrols` from now on and again, and watches it. */
  start(roots: readonly string[], patrols: boolean): void {
    this.#patrols = patrols;
    for (const root of roots) this.add(root, root);
    this.readAll();
  }

  /** Takes up a directory, unless it is known. */
  add(path: string, root: string): void {
    if (this.#stopped || this.#directories.has(path)) return;
    const directory = new Directory(path, this.#options.outputOf(path, root), root, {
      reopened: this.#options.reopened,
      reread: (again) => this.request(again),
      longestPause: this.#options.rescan,
    });
    this.#directories.set(path, directory);
    this.#options.watching(directory, true);
    this.request(directory);
  }

  /** Reads a directory soon. */
  request(directory: Directory): void {
    if (this.#stopped || this.#directories.get(directory.path) !== directory) return;
    this.#requested.add(directory);
    this.#read();
  }

  /** Reads all directories now. */
  readAll(): void {
    if (this.#stopped) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#inRound = true;
    this.#roundBegan = performance.now();
    for (const directory of this.#directories.values()) this.#requested.add(directory);
    this.#read();
  }

  /** Begins nothing new. What is being read ends at its next step. */
  stop(): void {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#requested.clear();
    this.#watches.close();
    for (const directory of this.#directories.values()) directory.dispose();
  }

  #read(): void {
    for (const directory of this.#requested) {
      if (this.#reading.size >= READERS) return;
      if (this.#reading.has(directory)) continue;
      this.#requested.delete(directory);
      this.#reading.add(directory);
      void this.#scan(directory).then(() => {
        this.#reading.delete(directory);
        this.#options.scanned(directory);
        this.#read();
      });
    }
    if (this.#inRound && this.idle) this.#endRound();
  }

  #endRound(): void {
    this.#inRound = false;
    if (!this.#patrols || this.#stopped) return;
    const pause = Math.max(this.#options.rescan, REST * (performance.now() - this.#roundBegan));
    this.#timer = setTimeout(() => this.readAll(), pause);
  }

  async #scan(directory: Directory): Promise<void> {
    directory.finished = new Set();
    try {
      const identity = await this.#identify(directory);
      if (this.#stopped) return;
      await this.#prepare(directory, identity);
      if (this.#options.needs(directory) && !isUnchanged(directory, identity)) await this.#list(directory, identity);
      // A storm that has begun meanwhile ended the watch: it is to be read again, as was arranged.
      if (directory.watcher !== null || !directory.readGate.closed) directory.readGate.openWide();
      this.#options.alarms.clear(alarmOf(directory));
    } catch (error) {
      if (!this.#stopped) this.#unreadable(directory, error);
    } finally {
      directory.finished = null;
      directory.reserved = 0;
    }
  }

  async #identify(directory: Directory): Promise<DirectoryIdentity> {
    const isRoot = directory.path === directory.root;
    const status = isRoot ? await stat(directory.path) : await lstat(directory.path);
    if (!status.isDirectory()) throw Object.assign(new Error('not a directory'), { code: 'ENOTDIR' });
    return { dev: status.dev, ino: status.ino, mtime: status.mtimeMs, ctime: status.ctimeMs };
  }

  /** A directory of that path that was not there before is watched anew, before it is read. */
  async #prepare(directory: Directory, identity: DirectoryIdentity): Promise<void> {
    const { identity: before } = directory;
    if (before === null || before.dev !== identity.dev || before.ino !== identity.ino) {
      this.#watches.remove(directory);
      directory.settled = null;
      directory.cursor = null;
      directory.cleaned = false;
    }
    directory.identity = identity;
    if (this.#patrols) this.#watches.add(directory);
    if (directory.cleaned) return;
    directory.cleaned = true;
    await this.#clean(directory);
  }

  /** Removes what a run that was killed left behind. Failure shows when the first file is written. */
  async #clean(directory: Directory): Promise<void> {
    for (const path of new Set([directory.path, directory.output])) await cleanDirectory(path).catch(() => {});
  }

  async #list(directory: Directory, identity: DirectoryIdentity): Promise<void> {
    directory.restless = false;
    directory.missed = false;
    const listing = await listDirectory(directory.path, {
      after: directory.cursor,
      limit: this.#options.reserve(directory),
      takes: (name) => this.#options.takes(directory, name),
      enters: this.#options.enters,
      cancelled: () => this.#stopped,
    });
    if (this.#stopped) return;
    this.#enter(directory, listing.directories);
    directory.cursor = listing.more ? (listing.files.at(-1) as Place) : null;
    const isSharp = Date.now() - identity.mtime > GRANULARITY;
    // Those of running jobs, or dead: looked at when they are still there the next time.
    directory.cleaned = listing.temporaries === 0;
    directory.settled = !listing.more && isSharp && directory.cleaned ? identity : null;
    this.#options.found(directory, listing);
  }

  #enter(directory: Directory, names: readonly string[]): void {
    const children = new Set(names.map((name) => join(directory.path, name)));
    for (const path of directory.children) if (!children.has(path)) this.#remove(path);
    directory.children = children;
    for (const path of children) this.add(path, directory.root);
  }

  #unreadable(directory: Directory, error: unknown): void {
    const errno = errnoOf(error);
    const isGone = errno === 'ENOENT' || errno === 'ENOTDIR';
    if (isGone) {
      for (const path of directory.children) this.#remove(path);
      this.#watches.remove(directory);
      directory.identity = null;
      directory.settled = null;
      directory.children = new Set();
      if (directory.path !== directory.root) {
        this.#remove(directory.path);
        return;
      }
    }
    const what = isGone ? 'does not exist' : `cannot be read (${errno ?? String(error)})`;
    const remedy = isGone ? 'make it' : 'let the agent’s user read it';
    const next = !this.#patrols
      ? remedy
      : isGone
        ? 'it is taken up as soon as it is there'
        : `${remedy}; it is tried again`;
    this.#options.alarms.raise(alarmOf(directory), `directory ${directory.path} ${what}; ${next}`);
    if (this.#patrols) directory.readGate.close();
  }

  #remove(path: string): void {
    const directory = this.#directories.get(path);
    // One that the operator named stays, also below another.
    if (directory === undefined || directory.path === directory.root) return;
    for (const child of directory.children) this.#remove(child);
    this.#directories.delete(path);
    this.#requested.delete(directory);
    this.#watches.remove(directory);
    this.#options.alarms.clear(alarmOf(directory));
    directory.dispose();
    this.#options.watching(directory, false);
  }
}

function alarmOf(directory: Directory): string {
  return `directory:${directory.path}`;
}

function isUnchanged(directory: Directory, identity: DirectoryIdentity): boolean {
  const { settled } = directory;
  if (settled === null || directory.restless || directory.missed || directory.cursor !== null) return false;
  return settled.mtime === identity.mtime && settled.ctime === identity.ctime;
}
