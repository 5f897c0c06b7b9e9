/**
 * Notices when the contents of files change.
 *
 * Files are replaced by rename, written in place, reached through links that are turned: so their directories are
 * watched, every event only asks for a look, and what decides is a digest of the contents. A look now and then goes
 * without events, for file systems that give none.
 */

import { type FSWatcher, watch } from 'node:fs';
import { dirname } from 'node:path';
import { digestOf } from './recipient-files.ts';

export interface FileWatchOptions {
  /** The files, asked for at every look. */
  files: () => readonly string[];
  /** Their contents are others than at the last call, and have been the same for `settle`. */
  changed: () => void;
  /** Milliseconds from an event to the look, and from something new to its second look. */
  settle: number;
  /** Milliseconds between looks without events. */
  poll: number;
}

export class FileWatch {
  readonly #options: FileWatchOptions;
  readonly #watchers = new Map<string, FSWatcher>();
  #digest = '';
  /** What was seen last. */
  #candidate = '';
  #settling: NodeJS.Timeout | undefined;
  #polling: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: FileWatchOptions) {
    this.#options = options;
  }

  /** Takes the contents as they are for known. Call it before they are read, so that no change in between is missed. */
  async start(): Promise<void> {
    await this.accept();
    this.#polling = setInterval(() => this.#lookSoon(), this.#options.poll).unref();
  }

  /** As {@link start}: what is there now is known. */
  async accept(): Promise<void> {
    this.#rewatch();
    this.#digest = await digestOf(this.#options.files());
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#settling);
    clearInterval(this.#polling);
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  /** What is new must be there twice, a while apart: a file that is being written is half of one. */
  async #look(): Promise<void> {
    this.#settling = undefined;
    const digest = await digestOf(this.#options.files());
    const settled = digest === this.#candidate;
    this.#candidate = digest;
    if (this.#closed || digest === this.#digest) return;
    if (settled) this.#options.changed();
    else this.#lookSoon();
  }

  /** Events while a look is due already ask for nothing more, so that a busy directory does not put it off. */
  #lookSoon(): void {
    if (!this.#closed) this.#settling ??= setTimeout(() => void this.#look(), this.#options.settle).unref();
  }

  /** Anew each time, as a directory may have been replaced, too. One that is not there is left to polling. */
  #rewatch(): void {
    if (this.#closed) return;
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
    for (const directory of new Set(this.#options.files().map((path) => dirname(path)))) {
      try {
        const watcher = watch(directory, { persistent: false }, () => this.#lookSoon());
        watcher.on('error', () => watcher.close());
        this.#watchers.set(directory, watcher);
      } catch {
        // No such directory, or no watches left.
      }
    }
  }
}
