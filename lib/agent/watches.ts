/**
 * One inotify watch a directory, by way of Node. Events may be lost (the kernel's queue overflows in silence), so they
 * are hints: what counts is reading the directories.
 */

import { watch } from 'node:fs';
import { errnoOf } from '../errors.ts';
import type { AlarmBoard } from './alarms.ts';
import type { Directory } from './directory.ts';

const ALARM = 'watches';
/** Events of one directory in one second that are taken. Each costs about ten microseconds, and most say nothing new. */
export const STORM = 5000;

/** Whom a watch tells. */
export interface WatchEvents {
  hinted: (directory: Directory, event: 'rename' | 'change', name: string) => void;
  /** Too much happens in the directory to be told: it is not watched any more, and is to be read soon. */
  stormed: (directory: Directory) => void;
}

export class Watches {
  readonly #alarms: AlarmBoard;
  readonly #events: WatchEvents;
  readonly #watched = new Set<Directory>();
  /** Those there was no watch for. */
  readonly #refused = new Set<Directory>();

  constructor(alarms: AlarmBoard, events: WatchEvents) {
    this.#alarms = alarms;
    this.#events = events;
  }

  /** Watches a directory, unless it is watched. Where that fails, reading it again and again has to do. */
  add(directory: Directory): void {
    if (directory.watcher !== null) return;
    try {
      const watcher = watch(directory.path);
      const isStorm = stormGauge();
      watcher.on('change', (event: string, name: string | null) => {
        if (isStorm()) this.#calm(directory);
        else if (name !== null) this.#events.hinted(directory, event === 'rename' ? 'rename' : 'change', name);
      });
      watcher.on('error', () => this.remove(directory));
      directory.watcher = watcher;
      this.#watched.add(directory);
      this.#admit(directory);
    } catch (error) {
      this.#refuse(directory, error);
    }
  }

  remove(directory: Directory): void {
    directory.watcher?.close();
    directory.watcher = null;
    this.#watched.delete(directory);
    this.#admit(directory);
  }

  close(): void {
    for (const directory of [...this.#watched]) this.remove(directory);
  }

  /** Node cannot leave out events of writing, of which thousands of calls that are recorded make many. */
  #calm(directory: Directory): void {
    if (directory.watcher === null) return;
    this.remove(directory);
    this.#events.stormed(directory);
  }

  #admit(directory: Directory): void {
    this.#refused.delete(directory);
    if (this.#refused.size === 0) this.#alarms.clear(ALARM);
  }

  #refuse(directory: Directory, error: unknown): void {
    const errno = errnoOf(error);
    // Anything else is found out, and told, when the directory is read.
    if (errno !== 'ENOSPC' && errno !== 'EMFILE' && errno !== 'ENFILE') return;
    this.#refused.add(directory);
    const remedy = 'raise fs.inotify.max_user_watches and fs.inotify.max_user_instances';
    const message = `${directory.path} cannot be watched (${errno}), so new files in it are found late; ${remedy}`;
    this.#alarms.raise(ALARM, message);
  }
}

/** Counts events; true from the one on that is too many for a second. */
function stormGauge(): () => boolean {
  let count = 0;
  let began = performance.now();
  return () => {
    count += 1;
    if (count <= STORM) return false;
    const now = performance.now();
    const isStorm = now - began < 1000;
    if (!isStorm) {
      count = 0;
      began = now;
    }
    return isStorm;
  };
}
