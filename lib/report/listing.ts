/** Lists and tables that stay small however much goes in. */

/** Files that are named; the others are only counted. */
export const LISTED = 100;

/** Files with one problem: the first {@link LISTED} by name, and how many there are. */
export interface Listing {
  files: number;
  bytes: number;
  listed: { file: string; message: string }[];
}

export function emptyListing(): Listing {
  return { files: 0, bytes: 0, listed: [] };
}

export function addTo(listing: Listing, file: string, bytes: number, message: string): void {
  listing.files += 1;
  listing.bytes += bytes;
  const { listed } = listing;
  const last = listed.at(-1);
  if (listed.length === LISTED && last !== undefined && last.file <= file) return;
  const at = listed.findIndex((entry) => entry.file > file);
  listed.splice(at < 0 ? listed.length : at, 0, { file, message });
  if (listed.length > LISTED) listed.pop();
}

/** Rows by key, at most so many: what headers claim is anybody's choice. */
export class Rows<T> {
  readonly #rows = new Map<string, T>();
  readonly #most: number;
  /** How often a row was asked for that there was no room for. */
  leftOut = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** The row of a key, made when there is none yet and room for it. */
  get(key: string, make: () => T): T | null {
    let row = this.#rows.get(key);
    if (row !== undefined) return row;
    if (this.#rows.size >= this.#most) {
      this.leftOut += 1;
      return null;
    }
    row = make();
    this.#rows.set(key, row);
    return row;
  }

  sorted(compare: (a: T, b: T) => number): T[] {
    return [...this.#rows.values()].sort(compare);
  }
}
