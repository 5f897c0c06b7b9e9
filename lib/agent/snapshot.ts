/** How long the queue is, and how old. */

import type { Directory, Entry } from './directory.ts';

export interface QueueState {
  length: number;
  isLowerBound: boolean;
  /** Milliseconds. */
  age: number;
}

export function queueState(directories: Iterable<Directory>): QueueState {
  const state: QueueState = { length: 0, isLowerBound: false, age: 0 };
  for (const directory of directories) {
    state.length += directory.ready;
    if (directory.cursor !== null || directory.missed || directory.identity === null) state.isLowerBound = true;
    for (const entry of directory.heads()) state.age = Math.max(state.age, ageOf(entry));
  }
  return state;
}

/** Since the file's last change; since it was heard of, where that is not known or in the future. Milliseconds. */
export function ageOf({ mtime, since }: Entry): number {
  const heard = performance.now() - since;
  return mtime === null ? heard : Math.max(Date.now() - mtime, heard);
}
