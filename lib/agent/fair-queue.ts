/** Which directory is next: each with something to do in its turn, one file a turn. */

import type { Directory, Entry } from './directory.ts';

export class FairQueue {
  /** Directories with a file to take, in order of their turns. */
  readonly #line = new Set<Directory>();

  /** Puts a directory in line, at its end, if it has anything to do and may. One that stands in line keeps its place. */
  offer(directory: Directory): void {
    if (directory.ready > 0 && directory.gate.admits(directory.working)) this.#line.add(directory);
  }

  /** Takes the next file of the next directory. */
  take(): Entry | undefined {
    for (const directory of this.#line) {
      this.#line.delete(directory);
      if (!directory.gate.admits(directory.working)) continue;
      const entry = directory.take();
      if (entry === undefined) continue;
      entry.state = 'working';
      directory.working += 1;
      this.offer(directory);
      return entry;
    }
    return undefined;
  }

  remove(directory: Directory): void {
    this.#line.delete(directory);
  }
}
