/** Makes entries of what is found in directories and heard of them, as many as memory allows. */

import { join } from 'node:path';
import { CallsealError } from '../errors.ts';
import type { Directory, Entry } from './directory.ts';
import { LeftAlone } from './left-alone.ts';
import type { Listing } from './list-directory.ts';
import type { Place } from './oldest.ts';
import type { Settings } from './options.ts';
import type { Sleepers } from './sleepers.ts';

/** From hearing of a name to looking at it, in milliseconds: most files are written in less. */
const SETTLE = 100;
/** What a directory may always find, however much waits elsewhere: fewer would mean reading it all the time. */
const SMALLEST_WINDOW = 64;
/** A backlog is topped up when there is room for this many times as many. */
const LOW_WATER = 4;
/** What the kernel calls a file without a name (`O_TMPFILE`), such as an output that is being written. */
const NAMELESS = /^#\d+$/;
/** Own removals in a directory that the watch may still tell of. */
const MOST_REMOVALS = 1000;

export class Intake {
  /** Call files under plaintexts' names. */
  readonly leftAlone: LeftAlone;
  readonly #settings: Settings;
  readonly #sleepers: Sleepers;
  /** Names heard of that are in line. Those that settle are counted by {@link Sleepers}. */
  #arrived = 0;
  /** Places left for backlogs, and an equal share of all; brought up to date whenever a directory is read. */
  #room: number;
  #share: number;

  constructor(settings: Settings, sleepers: Sleepers) {
    this.#settings = settings;
    this.#sleepers = sleepers;
    this.leftAlone = new LeftAlone(settings.maxQueue);
    this.#room = settings.maxQueue;
    this.#share = settings.maxQueue;
  }

  /** Whether a reading is to look at that name: not those known already. */
  takes(directory: Directory, name: string): boolean {
    return this.#settings.names.isWanted(name) && !directory.entries.has(name);
  }

  /**
   * Sets aside, for a directory that is about to be read, as many places in memory as it may have: an equal share of what
   * there is, or what is left of it.
   */
  reserve(directory: Directory, all: Iterable<Directory>): number {
    this.#measure(directory, all);
    directory.reserved = this.#window();
    this.#room -= directory.reserved;
    return directory.reserved;
  }

  /** Whether a directory has more files than are known, and enough of those that are to go on with. */
  hasPlenty(directory: Directory): boolean {
    return directory.cursor !== null && directory.backlog * LOW_WATER > this.#window();
  }

  /** Puts what a reading found in line. */
  addFound(directory: Directory, { files }: Listing): void {
    const fresh = files.filter((place) => this.#isNews(directory, place));
    directory.addBacklog(fresh.map(({ name, mtime }) => this.#enter(directory, name, mtime)));
    this.#room += directory.reserved - fresh.length;
    directory.reserved = 0;
  }

  /** Something happened to a name in a directory. */
  hear(directory: Directory, event: 'rename' | 'change', name: string): void {
    const { names } = this.#settings;
    if (names.isPassedOver(name) || (event === 'change' && NAMELESS.test(name))) return;
    const known = directory.entries.get(name);
    if (known !== undefined) this.#hearOfKnown(known, event);
    else if (event === 'rename' && directory.removals.delete(name)) return;
    // A new directory has any name; when its turn comes, it is seen for what it is.
    else if (event === 'rename' || names.isWanted(name)) this.arrive(directory, name);
  }

  /** Takes up a name that was heard of. */
  arrive(directory: Directory, name: string): void {
    if (this.#sleepers.count('settling') + this.#arrived >= this.#settings.maxQueue) directory.missed = true;
    else this.#sleepers.add(this.#enter(directory, name, null), 'settling', SETTLE);
  }

  /** Puts a file that has slept in line. */
  wake(entry: Entry): void {
    this.#arrived += 1;
    entry.directory.addArrival(entry);
  }

  /** A file was taken from the line. */
  taken(entry: Entry): void {
    if (entry.arrived) this.#arrived -= 1;
    else this.#room += 1;
    entry.arrived = false;
  }

  /** A file is done. The watch tells of its removal, if it has not. */
  done(entry: Entry): void {
    const { directory, name, renames } = entry;
    directory.forget(entry);
    if (directory.watcher === null) return;
    if (renames > 1) this.arrive(directory, name);
    else if (renames === 0) expectRemoval(directory, name);
  }

  #measure(directory: Directory, all: Iterable<Directory>): void {
    const { maxQueue } = this.#settings;
    let active = 1;
    this.#room = maxQueue;
    for (const other of all) {
      const held = other.backlog + other.reserved;
      this.#room -= held;
      if (other !== directory && (held > 0 || other.cursor !== null)) active += 1;
    }
    this.#share = Math.floor(maxQueue / active);
  }

  #window(): number {
    return Math.max(Math.min(SMALLEST_WINDOW, this.#settings.maxQueue), Math.min(this.#share, this.#room));
  }

  #isNews(directory: Directory, { name, ctime }: Place): boolean {
    if (directory.entries.has(name) || directory.finished?.has(name)) return false;
    if (!this.leftAlone.has(join(directory.path, name), ctime)) return true;
    // What it holds may change without its directory's knowing.
    directory.restless = true;
    return false;
  }

  #enter(directory: Directory, name: string, mtime: number | null): Entry {
    const since = performance.now();
    const entry: Entry = {
      directory,
      name,
      state: 'ready',
      arrived: false,
      mtime,
      since,
      due: Number.NaN,
      looks: 0,
      failures: 0,
      renames: 0,
      observed: null,
    };
    directory.entries.set(name, entry);
    return entry;
  }

  #hearOfKnown(entry: Entry, event: 'rename' | 'change'): void {
    // Whoever writes goes on doing so; whoever renames is done.
    if (event === 'change') return;
    if (entry.state === 'working') entry.renames += 1;
    else if (entry.state !== 'ready') this.#sleepers.hasten(entry, SETTLE);
  }
}

function expectRemoval(directory: Directory, name: string): void {
  if (directory.removals.size >= MOST_REMOVALS) directory.removals.clear();
  directory.removals.add(name);
}

/** A file that Node cannot open, as it hands over names as UTF-8 only. */
export function unspeakable(path: string): CallsealError {
  return new CallsealError('ERR_IO', `${path}: the name is not UTF-8; rename the file`, { path, errno: 'EILSEQ' });
}
