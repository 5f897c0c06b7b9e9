/** The oldest few of many files, in memory for the few. */

import { Heap } from './heap.ts';

/** Where a file stands in the order of work: oldest first, names decide between equals. */
export interface Place {
  readonly name: string;
  /** Last change, in milliseconds since the epoch. */
  readonly mtime: number;
  /** Last change of any kind, the same. */
  readonly ctime: number;
}

/** Negative when `a` comes first. */
export function comparePlaces(a: Place, b: Place): number {
  if (a.mtime !== b.mtime) return a.mtime - b.mtime;
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

/** Keeps the first `limit` of all places that are added. */
export class Oldest {
  readonly #limit: number;
  /** The last of them on top. */
  readonly #heap = new Heap<Place>((a, b) => comparePlaces(a, b) > 0);
  #overflowed = false;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** More were added than are kept. */
  get overflowed(): boolean {
    return this.#overflowed;
  }

  add(place: Place): void {
    if (this.#heap.size < this.#limit) {
      this.#heap.push(place);
      return;
    }
    this.#overflowed = true;
    if (comparePlaces(place, this.#heap.top!) < 0) this.#heap.replaceTop(place);
  }

  /** Those kept, oldest first. */
  sorted(): Place[] {
    return [...this.#heap.items].sort(comparePlaces);
  }
}
