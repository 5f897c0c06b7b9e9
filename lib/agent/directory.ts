/** One directory, and the files in it that the agent knows of and has not finished with. */

import type { FSWatcher } from 'node:fs';
import type { FileStamp } from '../callfile/seal.ts';
import { type BackOff, Gate } from './back-off.ts';
import type { Place } from './oldest.ts';

/** Why a file waits for a time: it has just been heard of, it is still written to, or it failed. */
export type SleepReason = 'settling' | 'unfinished' | 'retrying';

/** A file that is not finished with. */
export interface Entry {
  readonly directory: Directory;
  readonly name: string;
  state: 'ready' | 'working' | SleepReason;
  /** It is in line for having been heard of, not for having been found. */
  arrived: boolean;
  /** Last change, in milliseconds since the epoch; null for a name that was only heard of. */
  mtime: number | null;
  /** When it was heard of first, on the monotonic clock. */
  readonly since: number;
  /** When it wakes, on the monotonic clock; for those that sleep. */
  due: number;
  /** How often it was found unfinished, and how often it failed, without a pause of the other kind between them. */
  looks: number;
  failures: number;
  /** Names appeared or went while it was being worked on. One is the removal of the plaintext. */
  renames: number;
  /** What the file was when it was last found otherwise, and when that was on the monotonic clock. */
  observed: { readonly stamp: FileStamp; readonly since: number } | null;
}

/** Which directory a path leads to, and when names in it last changed. */
export interface DirectoryIdentity {
  readonly dev: number;
  readonly ino: number;
  readonly mtime: number;
  readonly ctime: number;
}

/** What a directory calls when a pause is over. */
export interface DirectoryEvents {
  /** Its files can be tried again. */
  reopened: (directory: Directory) => void;
  /** It can be read again. */
  reread: (directory: Directory) => void;
  /** Milliseconds between two attempts to read it, at most. */
  longestPause: number;
}

const PAUSES: BackOff = { first: 1000, most: 60_000 };

export class Directory {
  readonly path: string;
  /** Where its encrypted files go. */
  readonly output: string;
  /** The directory that the operator named, above it or itself. */
  readonly root: string;
  /** All entries by name, whatever their state. */
  readonly entries = new Map<string, Entry>();
  /** Paths of the directories in it. */
  children = new Set<string>();
  /** Closed while its files cannot be written or removed. */
  readonly gate: Gate;
  /** Closed while the directory itself cannot be read. */
  readonly readGate: Gate;
  watcher: FSWatcher | null = null;
  /** As it was when it was last looked at. */
  identity: DirectoryIdentity | null = null;
  /** As it was when all that is in it was known: a directory that is so still need not be read. */
  settled: DirectoryIdentity | null = null;
  /** Up to where a pass over it has come; null between passes. */
  cursor: Place | null = null;
  /** Names were dropped for want of room. */
  missed = false;
  /** It has files whose change matters, and it does not show that. */
  restless = false;
  /** Dead temporary files were looked for. */
  cleaned = false;
  /** Its output directory is there. */
  outputMade = false;
  /** How many files the reading under way may find. */
  reserved = 0;
  /** Files being worked on. */
  working = 0;
  /** Finished with while it is being read: the listing may still have them. Null while it is not. */
  finished: Set<string> | null = null;
  /** Names whose removal, which was ours, the watch has not told yet. */
  readonly removals = new Set<string>();
  /** From the scan, newest first: the last is next. */
  #backlog: Entry[] = [];
  /** Heard of, or back from waiting: the first is next. */
  readonly #arrivals = new Set<Entry>();
  #arrivalIsNext = false;

  constructor(path: string, output: string, root: string, events: DirectoryEvents) {
    this.path = path;
    this.output = output;
    this.root = root;
    this.gate = new Gate(PAUSES, () => events.reopened(this));
    const readings = { first: Math.min(PAUSES.first, events.longestPause), most: events.longestPause };
    this.readGate = new Gate(readings, () => events.reread(this));
  }

  /** Files that can be worked on. */
  get ready(): number {
    return this.#backlog.length + this.#arrivals.size;
  }

  get backlog(): number {
    return this.#backlog.length;
  }

  /** Takes over what a scan found, oldest first; all of it is younger than the backlog that is left. */
  addBacklog(entries: readonly Entry[]): void {
    this.#backlog = [...[...entries].reverse(), ...this.#backlog];
  }

  addArrival(entry: Entry): void {
    entry.state = 'ready';
    entry.arrived = true;
    this.#arrivals.add(entry);
  }

  /** A file that goes back to the head of the line, as it was not its fault. */
  putBack(entry: Entry): void {
    entry.state = 'ready';
    this.#backlog.push(entry);
  }

  /**
   * The next file. Backlog and arrivals take turns: neither waits for the end of the other, and each is in order of
   * age.
   */
  take(): Entry | undefined {
    const fromArrivals = this.#arrivals.size > 0 && (this.#arrivalIsNext || this.#backlog.length === 0);
    this.#arrivalIsNext = !fromArrivals;
    if (!fromArrivals) return this.#backlog.pop();
    const [entry] = this.#arrivals;
    this.#arrivals.delete(entry!);
    return entry;
  }

  /** The two that may have waited longest. */
  heads(): Entry[] {
    const [arrival] = this.#arrivals;
    return [this.#backlog.at(-1), arrival].filter((entry) => entry !== undefined);
  }

  /** Forgets all entries but those that are being worked on. Returns them. */
  abandon(): Entry[] {
    this.#backlog = [];
    this.#arrivals.clear();
    const idle = [...this.entries.values()].filter(({ state }) => state !== 'working');
    for (const entry of idle) this.forget(entry);
    return idle;
  }

  /** Forgets an entry that is not in line. */
  forget(entry: Entry): void {
    this.entries.delete(entry.name);
    this.finished?.add(entry.name);
  }

  /** Ends its timers. */
  dispose(): void {
    this.gate.dispose();
    this.readGate.dispose();
  }
}
