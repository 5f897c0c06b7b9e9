/**
 * Encrypts the files of directories as they are finished, and removes their plaintext.
 *
 * - What is to be done follows from reading the directories; watching them only makes it happen sooner. So nothing that
 *   the agent remembers can be lost, and it may be killed at any time.
 * - Directories take turns, file by file; within a directory the oldest file is next, and files that were just heard of
 *   take turns with the backlog.
 * - Memory does not grow with the number of files: a directory is read anew when what was found of it is nearly done.
 * - Several agents may work in the same directories: `sealFile` sees to it that one of them does each file.
 */

import { lstat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { FileStamp } from '../callfile/seal.ts';
import { CallsealError } from '../errors.ts';
import { AlarmBoard } from './alarms.ts';
import { type BackOff, delayAfter, Gate } from './back-off.ts';
import { Clock } from './clock.ts';
import type { Directory, Entry } from './directory.ts';
import { FairQueue } from './fair-queue.ts';
import { Intake, unspeakable } from './intake.ts';
import type { Listing } from './list-directory.ts';
import { type AgentOptions, type Settings, settingsOf } from './options.ts';
import { type Sealing, sealEntry } from './seal-entry.ts';
import { Sleepers } from './sleepers.ts';
import { ageOf, queueState } from './snapshot.ts';
import { Stubborn } from './stubborn.ts';
import { Tree } from './tree.ts';
import { callsealError, type Trouble, troubleOf } from './trouble.ts';
import type { AgentState, SupplyState } from './types.ts';

/** What one pass over everything did. */
export interface PassResult {
  /** Files encrypted. */
  sealed: number;
  /** Files that could not be. */
  failed: number;
  /** Files still open for writing, or not quiet yet. */
  unfinished: number;
  /** Files not tried, or tried in vain for a reason that is not theirs: nobody to encrypt for, no room. A lower bound. */
  waiting: number;
}

const UNFINISHED: BackOff = { first: 200, most: 5000 };
const FAILED: BackOff = { first: 1000, most: 300_000 };
const EVERYTHING: BackOff = { first: 1000, most: 60_000 };

/** Encrypts the files of directories as they are finished. Stop it before its supply is closed. */
export class Agent {
  readonly #settings: Settings;
  readonly #alarms: AlarmBoard;
  readonly #tree: Tree;
  readonly #queue = new FairQueue();
  readonly #sleepers: Sleepers;
  readonly #intake: Intake;
  readonly #clock: Clock;
  readonly #stubborn: Stubborn;
  /** Closed while nothing can be encrypted at all. */
  readonly #gate: Gate;
  /** Directories whose files cannot be written or removed, and the alarms that say so. */
  readonly #troubled = new Map<Directory, string>();
  #phase: 'new' | 'patrol' | 'pass' | 'stopping' = 'new';
  #working = 0;
  #lastSuccess: number | null = null;
  #stopListening: () => void = () => {};
  /** What a pass has done so far, and whom it tells when it may be over. */
  readonly #pass: PassResult = { sealed: 0, failed: 0, unfinished: 0, waiting: 0 };
  #stepped: () => void = () => {};

  /** @throws {CallsealError} `ERR_INVALID_ARGUMENT`. */
  constructor(options: AgentOptions) {
    const settings = settingsOf(options);
    const { listener, outputDir } = settings;
    this.#settings = settings;
    this.#alarms = new AlarmBoard(listener);
    this.#clock = new Clock(settings.quietFor);
    this.#stubborn = new Stubborn(this.#alarms);
    this.#gate = new Gate(EVERYTHING, () => this.#pump());
    this.#sleepers = new Sleepers((entry) => this.#woken(entry));
    this.#intake = new Intake(settings, this.#sleepers);
    this.#tree = new Tree({
      outputOf: (path, root) => (outputDir === null ? path : join(outputDir, relative(root, path))),
      enters: (name) => !name.startsWith('.'),
      takes: (directory, name) => this.#intake.takes(directory, name),
      needs: (directory) => !this.#intake.hasPlenty(directory),
      reserve: (directory) => this.#intake.reserve(directory, this.#tree.directories),
      rescan: settings.rescan,
      alarms: this.#alarms,
      found: (directory, listing) => this.#found(directory, listing),
      hinted: (directory, event, name) => this.#intake.hear(directory, event, name),
      scanned: (directory) => this.#scanned(directory),
      watching: (directory, yes) => this.#watching(directory, yes),
      reopened: (directory) => this.#offer(directory),
    });
  }

  /** Begins to work, until {@link stop}. */
  start(): void {
    this.#begin('patrol');
  }

  /**
   * Works off what is there and ends. A file is tried once, and a directory that cannot be written to is given up.
   * An agent does this once, and is then stopped.
   *
   * @param signal Ends the pass early; files that were begun are finished.
   */
  async runOnce(signal?: AbortSignal): Promise<PassResult> {
    const over = new Promise<void>((resolve) => {
      this.#stepped = () => {
        if (signal?.aborted || this.#phase === 'stopping' || this.#isPassOver()) resolve();
      };
    });
    signal?.addEventListener('abort', this.#stepped, { once: true });
    this.#begin('pass');
    this.#stepped();
    await over;
    signal?.removeEventListener('abort', this.#stepped);
    await this.stop();
    this.#pass.waiting = queueState(this.#tree.directories).length;
    return { ...this.#pass };
  }

  /** Finishes the files that were begun, and begins no others. */
  async stop(): Promise<void> {
    if (this.#phase !== 'stopping') {
      this.#phase = 'stopping';
      this.#stopListening();
      this.#tree.stop();
      this.#sleepers.dispose();
      this.#gate.dispose();
    }
    if (this.#working === 0 && this.#tree.idle) return;
    await new Promise<void>((resolve) => {
      const before = this.#stepped;
      this.#stepped = () => {
        before();
        if (this.#working === 0 && this.#tree.idle) resolve();
      };
    });
  }

  /** For `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** Somebody has changed something: whatever waits for a time is tried now, and all directories are read. */
  wake(): void {
    if (this.#phase !== 'patrol') return;
    this.#gate.retryNow();
    for (const directory of this.#troubled.keys()) directory.gate.retryNow();
    this.#sleepers.wakeFailed();
    this.#tree.readAll();
  }

  /** What there is to do, and what stands in the way, at this moment. */
  state(): AgentState {
    const queue = queueState(this.#tree.directories);
    return {
      queueLength: queue.length,
      queueIsLowerBound: queue.isLowerBound,
      queueAge: queue.age,
      working: this.#working,
      retrying: this.#sleepers.count('retrying'),
      unfinished: this.#sleepers.count('unfinished'),
      directories: this.#tree.size,
      lastSuccess: this.#lastSuccess,
      alarms: this.#alarms.list,
      stopping: this.#phase === 'stopping',
    };
  }

  #begin(phase: 'patrol' | 'pass'): void {
    if (this.#phase !== 'new')
      throw new CallsealError('ERR_INVALID_ARGUMENT', 'an agent is started once: make another');
    this.#phase = phase;
    this.#stopListening = this.#settings.supply.onChange(() => this.#pump());
    this.#tree.start(this.#settings.directories, phase === 'patrol');
  }

  #watching(directory: Directory, yes: boolean): void {
    if (!yes) this.#abandon(directory);
    this.#settings.listener.watching(directory.path, yes);
  }

  /** A directory has gone, with all that was known to be in it. */
  #abandon(directory: Directory): void {
    this.#queue.remove(directory);
    this.#recovered(directory);
    this.#alarms.clear(alarmOfNames(directory));
    for (const entry of directory.abandon()) {
      this.#stubborn.forget(entry);
      if (entry.state === 'ready') this.#intake.taken(entry);
      else this.#sleepers.remove(entry);
      if (entry.mtime !== null) this.#settings.listener.vanished(join(directory.path, entry.name));
    }
  }

  #found(directory: Directory, listing: Listing): void {
    this.#intake.addFound(directory, listing);
    const { unspeakable: names } = listing;
    const alarm = alarmOfNames(directory);
    if (names.length === 0) this.#alarms.clear(alarm);
    else this.#alarms.raise(alarm, `${unspeakable(join(directory.path, names[0]!)).message}; it stays in plaintext`);
    for (const name of names) {
      const path = join(directory.path, name);
      this.#pass.failed += 1;
      this.#settings.listener.failed({ path, error: unspeakable(path), attempt: 1, retryIn: this.#settings.rescan });
    }
  }

  #scanned(directory: Directory): void {
    if (directory.entries.size === 0 && directory.cursor === null) this.#recovered(directory);
    this.#refill(directory);
    this.#offer(directory);
    this.#stepped();
  }

  #refill(directory: Directory): void {
    const isBeingRead = directory.finished !== null;
    if (directory.cursor !== null && !isBeingRead && !this.#intake.hasPlenty(directory)) this.#tree.request(directory);
  }

  #woken(entry: Entry): void {
    this.#intake.wake(entry);
    this.#offer(entry.directory);
  }

  #offer(directory: Directory): void {
    this.#queue.offer(directory);
    this.#pump();
  }

  /** Begins as many files as may be worked on. */
  #pump(): void {
    while (this.#mayBegin()) {
      const supply = this.#settings.supply.current();
      if (supply === null) return;
      const entry = this.#queue.take();
      if (entry === undefined) return;
      this.#working += 1;
      this.#intake.taken(entry);
      this.#refill(entry.directory);
      void this.#work(entry, supply);
    }
  }

  #mayBegin(): boolean {
    if (this.#phase !== 'patrol' && this.#phase !== 'pass') return false;
    return this.#working < this.#settings.concurrency && this.#gate.admits(this.#working);
  }

  #isPassOver(): boolean {
    if (this.#working > 0 || !this.#tree.idle) return false;
    if (!this.#gate.wide || this.#settings.supply.current() === null) return true;
    return [...this.#tree.directories].every((directory) => directory.ready === 0 || !directory.gate.wide);
  }

  async #work(entry: Entry, supply: SupplyState): Promise<void> {
    const { directory, name } = entry;
    const path = join(directory.path, name);
    try {
      if (await this.#isToBeSealed(entry, path)) {
        const sealing = await sealEntry(directory, name, supply, this.#hintsOf(entry), this.#settings);
        this.#sealed(entry, path, sealing, supply);
      }
    } catch (error) {
      const failure = callsealError(error, path);
      await this.#failed(entry, path, failure, await troubleOf(failure, directory, name));
    }
    if (directory.entries.get(name) !== entry) this.#stubborn.forget(entry);
    this.#working -= 1;
    directory.working -= 1;
    this.#offer(directory);
    this.#stepped();
  }

  /** Looks at a name that was only heard of, or was not finished before. */
  async #isToBeSealed(entry: Entry, path: string): Promise<boolean> {
    if (entry.mtime !== null && entry.looks === 0) return true;
    const status = await lstat(path, { bigint: true }).catch(() => null);
    if (status?.isFile() && this.#settings.names.isWanted(entry.name)) {
      entry.mtime = Number(status.mtimeNs / 1000n) / 1000;
      observe(entry, status);
      return true;
    }
    entry.directory.forget(entry);
    if (status?.isDirectory()) this.#tree.add(path, entry.directory.root);
    else if (status === null && entry.directory.children.has(path)) this.#tree.request(entry.directory);
    else if (status === null && entry.mtime !== null) this.#settings.listener.vanished(path);
    return false;
  }

  #hintsOf({ observed }: Entry): { quietFor: number; observed: FileStamp | null } {
    const quietFor = this.#settings.quietFor + this.#clock.tooOldBy();
    const isQuiet = observed !== null && performance.now() - observed.since >= this.#settings.quietFor;
    return { quietFor, observed: isQuiet ? observed.stamp : null };
  }

  #sealed(entry: Entry, path: string, sealing: Sealing, { kind }: SupplyState): void {
    const { output, inputBytes, outputBytes, leased } = sealing;
    const age = ageOf(entry);
    this.#intake.done(entry);
    this.#gate.openWide();
    this.#alarms.clear('crypto');
    this.#alarms.clear('resources');
    this.#recovered(entry.directory);
    this.#lastSuccess = Date.now();
    this.#pass.sealed += 1;
    this.#settings.listener.sealed({ path, output, inputBytes, outputBytes, kind, age, leased });
  }

  async #failed(entry: Entry, path: string, error: CallsealError, trouble: Trouble): Promise<void> {
    switch (trouble.about) {
      case 'nothing':
        entry.directory.forget(entry);
        this.#settings.listener.vanished(path);
        return;
      case 'unfinished':
        this.#pass.unfinished += 1;
        entry.looks += 1;
        return this.#sleep(entry, 'unfinished', this.#untilNextLook(entry));
      case 'call-file':
        return this.#leaveAlone(entry, path);
      case 'file':
        entry.failures += 1;
        this.#pass.failed += 1;
        this.#stubborn.failed(entry, error.message);
        return this.#report(entry, path, error, this.#sleepFailed(entry));
      case 'directory':
        entry.failures += 1;
        return this.#report(entry, path, error, this.#closeDirectory(entry, error, trouble));
      case 'everything':
        entry.failures += 1;
        this.#alarms.raise(trouble.alarm, `${error.message}; ${trouble.remedy}`);
        entry.directory.putBack(entry);
        return this.#report(entry, path, error, this.#gate.close());
    }
  }

  /** Growing, but not beyond the moment from which the file has been as it is for long enough. */
  #untilNextLook({ looks, observed }: Entry): number {
    const delay = delayAfter(looks, UNFINISHED);
    const quietIn = observed === null ? 0 : observed.since + this.#settings.quietFor - performance.now();
    return quietIn > 0 ? Math.min(delay, quietIn + 1) : delay;
  }

  #report(entry: Entry, path: string, error: CallsealError, retryIn: number): void {
    this.#settings.listener.failed({ path, error, attempt: entry.failures, retryIn });
  }

  #sleepFailed(entry: Entry): number {
    const delay = delayAfter(entry.failures, FAILED);
    this.#sleep(entry, 'retrying', delay);
    return delay;
  }

  /** Where there is no room to remember the file, it is forgotten, and found again when its directory is read. */
  #sleep(entry: Entry, reason: 'unfinished' | 'retrying', delay: number): void {
    if (this.#phase === 'patrol' && this.#sleepers.count(reason) < this.#settings.maxQueue) {
      this.#sleepers.add(entry, reason, delay);
      return;
    }
    entry.directory.missed = true;
    entry.directory.forget(entry);
  }

  async #leaveAlone(entry: Entry, path: string): Promise<void> {
    const status = await lstat(path).catch(() => null);
    entry.directory.forget(entry);
    entry.directory.restless = true;
    if (status !== null) this.#intake.leftAlone.add(path, status.ctimeMs);
  }

  #closeDirectory(entry: Entry, error: CallsealError, trouble: Trouble & { about: 'directory' }): number {
    const { directory } = entry;
    const where = trouble.alarm === 'disk-full' ? (this.#settings.outputDir ?? directory.root) : directory.output;
    const key = `${trouble.alarm}:${where}`;
    const before = this.#troubled.get(directory);
    if (before !== undefined && before !== key) this.#recovered(directory);
    this.#troubled.set(directory, key);
    this.#alarms.raise(key, `${error.message}; its files wait in plaintext where they are: ${trouble.remedy}`);
    directory.outputMade = false;
    directory.putBack(entry);
    return directory.gate.close();
  }

  /** Files of the directory can be written again, or there are none. */
  #recovered(directory: Directory): void {
    const key = this.#troubled.get(directory);
    if (key === undefined) return;
    this.#troubled.delete(directory);
    directory.gate.openWide();
    if (![...this.#troubled.values()].includes(key)) this.#alarms.clear(key);
  }
}

function alarmOfNames(directory: Directory): string {
  return `names:${directory.path}`;
}

/** Since when the file is as it is now. */
function observe(entry: Entry, stamp: FileStamp): void {
  const before = entry.observed?.stamp;
  const { ino, size, mtimeNs, ctimeNs } = stamp;
  const isSame =
    before?.ino === ino && before.size === size && before.mtimeNs === mtimeNs && before.ctimeNs === ctimeNs;
  if (!isSame) entry.observed = { stamp: { ino, size, mtimeNs, ctimeNs }, since: performance.now() };
}
